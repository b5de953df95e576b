// Counts in memory, by key, in windows of fixed length.

export interface Counted {
  consumedPoints: number
  msBeforeNext: number
}

export interface Window {
  count(key: string): Counted
  readonly size: number
}

export function createWindow(lengthMs: number, now: () => number = Date.now): Window {
  const counts = new Map<string, { count: number; until: number }>()
  let nextSweep = 0

  /** Whoever came once and never again must not stay for ever: addresses are many. */
  function sweep(at: number): void {
    if (at < nextSweep) return
    nextSweep = at + lengthMs
    for (const [key, { until }] of counts) if (until <= at) counts.delete(key)
  }

  return {
    count(key) {
      const at = now()
      sweep(at)
      const entry = counts.get(key)
      // A clock set back must not lock anybody out: no window ends later than one length from now.
      if (entry === undefined || entry.until <= at || entry.until > at + lengthMs) {
        counts.set(key, { count: 1, until: at + lengthMs })
        return { consumedPoints: 1, msBeforeNext: lengthMs }
      }
      entry.count++
      return { consumedPoints: entry.count, msBeforeNext: entry.until - at }
    },
    get size() {
      return counts.size
    },
  }
}
