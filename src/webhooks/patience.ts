// A receiver that does not answer holds each of its calls until the time-out. After a few of them in a row it is left alone
// for a while, and then one call asks for all, so that it cannot keep this host from calling others.
export interface Patience {
  /** Asks leave to call. With `restMs` 0 it is given; who was silent before is called by one at a time. */
  admit(receiver: string): Admission
  answered(receiver: string): void
  silent(receiver: string): void
}

export interface Admission {
  /** How long it is still left alone. */
  restMs: number
  /** Calls in a row that it did not answer. */
  silences: number
}

const IN_A_ROW = 3
/** Longer than a call may take: within it, what the one call came to is known. */
const REST_MS = 30_000
const MOST = 10_000

export function createPatience(restMs = REST_MS, now: () => number = () => performance.now()): Patience {
  const silent = new Map<string, { count: number; until: number }>()
  return {
    admit(receiver) {
      const known = silent.get(receiver)
      const silences = known?.count ?? 0
      if (known === undefined || silences < IN_A_ROW) return { restMs: 0, silences }
      const left = Math.max(0, Math.ceil(known.until - now()))
      if (left === 0) known.until = now() + restMs
      return { restMs: left, silences }
    },
    answered: (receiver) => void silent.delete(receiver),
    silent(receiver) {
      const count = (silent.get(receiver)?.count ?? 0) + 1
      silent.delete(receiver)
      if (silent.size >= MOST) silent.delete(silent.keys().next().value!)
      silent.set(receiver, { count, until: now() + restMs })
    },
  }
}
