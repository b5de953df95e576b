// How long to wait before the next attempt. Pure: the attempt, the policy and the dice come in, milliseconds go out.

export interface Backoff {
  /** So many attempts go without any wait: what died of an accident is back at once. Default 0. */
  immediate?: number
  /** Milliseconds before the first attempt that waits. */
  first: number
  /** Each further wait is this many times the one before; at least 1. */
  factor: number
  /** No wait is longer, in milliseconds. */
  max: number
  /**
   * The share of the wait that is left to chance, 0 to 1. Without it, everything that fell together (a restarted
   * database under a hundred hosts) comes back together, and fells it again.
   */
  jitter: number
}

/** The wait before attempt number `attempt` (1, 2, 3 …) in whole milliseconds; `random` gives numbers in [0, 1). */
export function backoffDelay(attempt: number, policy: Backoff, random: () => number): number {
  const waits = attempt - (policy.immediate ?? 0)
  if (waits <= 0) return 0
  // A large exponent gives Infinity, which the limit turns into `max`.
  const whole = Math.min(policy.max, policy.first * policy.factor ** (waits - 1))
  return Math.round(whole * (1 - policy.jitter * random()))
}

/**
 * The supervisor's own policy for a budget of `intensity` restarts in `period`. The longest wait is a share of the
 * period: were it longer, a child that crashes at once would crash too slowly to ever exceed its budget, and would be
 * restarted for ever without anyone above hearing of it.
 */
export function backoffFor(intensity: number, period: number): Backoff {
  const share = intensity === Number.POSITIVE_INFINITY ? 30_000 : period / (intensity + 1)
  const max = Math.min(30_000, share)
  return { immediate: 1, first: Math.min(100, max), factor: 2, max, jitter: 0.5 }
}

/** What is wrong with the policy, in words, or undefined. */
export function backoffFault(policy: Backoff): string | undefined {
  const { immediate = 0, first, factor, max, jitter } = policy
  if (!(immediate >= 0)) return `backoff.immediate is ${immediate}; it must be 0 or more`
  if (!(first >= 0)) return `backoff.first is ${first}; it must be 0 or more milliseconds`
  if (!(factor >= 1)) return `backoff.factor is ${factor}; it must be 1 or more`
  if (!(max >= first)) return `backoff.max is ${max}; it must not be below backoff.first, ${first}`
  if (!(jitter >= 0 && jitter <= 1)) return `backoff.jitter is ${jitter}; it must be between 0 and 1`
  return undefined
}
