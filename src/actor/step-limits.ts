// Stops steps that run longer than they may. One timer for all of them: one for each is set and cleared on the way of every
// task, for what hardly ever happens.

interface Running {
  until: number
  stop(): void
}

/** setTimeout takes 32 bits: a longer delay would fire after one millisecond. */
const LONGEST_MS = 2 ** 31 - 1

const running = new Set<Running>()
let timer: NodeJS.Timeout | undefined
/** When it comes. It stays when what it was set for has ended: then it finds nothing to stop, and looks who is next. */
let due = Number.POSITIVE_INFINITY

/** Calls `stop` after `ms`, unless the returned function is called before. */
export function limit(ms: number, stop: () => void): () => void {
  const step = { until: performance.now() + ms, stop }
  running.add(step)
  if (step.until < due) wind(step.until)
  else if (running.size === 1) timer?.ref()
  return () => {
    // A process with nothing else to do may end.
    if (running.delete(step) && running.size === 0) timer?.unref()
  }
}

function wind(until: number): void {
  clearTimeout(timer)
  due = until
  timer = setTimeout(look, Math.min(LONGEST_MS, Math.max(0, until - performance.now())))
}

function look(): void {
  due = Number.POSITIVE_INFINITY
  let next = due
  const now = performance.now()
  for (const step of running) {
    if (step.until > now) {
      next = Math.min(next, step.until)
      continue
    }
    running.delete(step)
    step.stop()
  }
  if (next < due) wind(next)
}
