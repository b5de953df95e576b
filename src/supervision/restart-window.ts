// Has something crashed too often? Pure functions over plain arrays of timestamps (oldest first), so that a supervisor
// keeps its window in memory and an actor keeps its own in the journal, where it outlives the host.

export interface RestartBudget {
  /** So many restarts within `period` are allowed; one more is too many. */
  intensity: number
  /** Milliseconds. */
  period: number
}

export interface Spent {
  /** The timestamps to keep instead of the old ones; never more than `intensity + 1`. */
  window: number[]
  /** More than `intensity` restarts lie within the period. */
  exceeded: boolean
}

/** Charges one restart at `now`. What is older than the period is forgotten; exactly `period` ago still counts. */
export function spendRestart(window: readonly number[], now: number, budget: RestartBudget): Spent {
  const kept: number[] = []
  for (const at of window) {
    // A timestamp from the future means the clock was set back. It counts as now, or it would count for ever.
    const happened = Math.min(at, now)
    if (happened >= now - budget.period) kept.push(happened)
  }
  kept.push(now)
  const exceeded = kept.length > budget.intensity
  // With an unlimited budget only the fact matters that it is unlimited: the window stays small all the same.
  return { window: budget.intensity === Number.POSITIVE_INFINITY ? kept.slice(-1) : kept, exceeded }
}

/** Takes the restarts at `forgiven` out of the window: they belong to a child that has worked since. */
export function forgiveRestarts(window: readonly number[], forgiven: readonly number[]): number[] {
  const left = [...window]
  for (const at of forgiven) {
    const place = left.indexOf(at)
    if (place >= 0) left.splice(place, 1)
  }
  return left
}
