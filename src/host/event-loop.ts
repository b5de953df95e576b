// How late this process comes to its timers. A step that computes on the event loop keeps everything else waiting: mail,
// timers and the renewal of the lease. Node's own monitor forgets what goes on while it is read; this one misses nothing.
const TICK_MS = 25

export interface EventLoopWatch {
  /** The longest delay since it was last asked for, in milliseconds. */
  longest(): number
  stop(): void
}

/** `onTick` hears every delay, forty times a second. */
export function watchEventLoop(
  onTick: (lateMs: number) => void = () => {},
  now: () => number = () => performance.now(),
): EventLoopWatch {
  let longest = 0
  let last = now()

  function lateness(): number {
    return Math.max(0, now() - last - TICK_MS)
  }

  const timer = setInterval(() => {
    const late = lateness()
    last = now()
    longest = Math.max(longest, late)
    onTick(late)
  }, TICK_MS)
  timer.unref()

  return {
    longest() {
      // What goes on at this moment counts: whoever asks may run before the tick that is late.
      const found = Math.max(longest, lateness())
      longest = 0
      return found
    },
    stop: () => clearInterval(timer),
  }
}
