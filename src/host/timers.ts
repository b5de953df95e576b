// Turns due timers into mail. The host knows the timers it set itself and fires them on time; a slow poll finds those
// of others, of the past, and those of a clock that jumped.
import type { Journal, Wake } from '../journal/journal.ts'

const POLL_MS = 1_000
const BATCH = 500

export interface TimerKeeper {
  /** A timer was set that is due in so many milliseconds. */
  expect(inMs: number): void
  stop(): void
}

export function keepTimers(parts: {
  journal: Pick<Journal, 'fireTimers'>
  onWoken(woken: Wake[]): void
  onTrouble(what: string, error: unknown): void
}): TimerKeeper {
  let stopped = false
  let busy = false
  /** One fell due while the journal was being asked, perhaps too late for its answer. */
  let missed = false
  let dueAt = Number.POSITIVE_INFINITY
  let timer: NodeJS.Timeout | undefined

  function arm(inMs: number): void {
    const at = performance.now() + inMs
    if (stopped || at >= dueAt) return
    dueAt = at
    clearTimeout(timer)
    timer = setTimeout(() => void fire(), inMs)
  }

  async function fire(): Promise<void> {
    // Whatever becomes of this call, what was waited for is over: else no later timer would ever be armed.
    dueAt = Number.POSITIVE_INFINITY
    missed = busy
    if (busy || stopped) return
    busy = true
    let next = POLL_MS
    try {
      const { woken, nextDueInMs } = await parts.journal.fireTimers(BATCH)
      parts.onWoken(woken)
      next = woken.length >= BATCH ? 0 : Math.min(POLL_MS, Math.max(1, nextDueInMs ?? POLL_MS))
    } catch (error) {
      parts.onTrouble('firing timers', error)
    } finally {
      busy = false
    }
    arm(missed ? 0 : next)
  }

  arm(0)
  return {
    // One millisecond late is on time; one early would find nothing and ask again.
    expect: (inMs) => arm(Math.max(1, Math.ceil(inMs) + 1)),
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
