// A receiver that does not answer holds each of its calls until the time-out. After a few of them in a row it is left alone
// for a while, so that it cannot keep this host from calling others.
export interface Patience {
  /** How long it is still left alone; 0: it may be called. */
  restingMs(receiver: string): number
  answered(receiver: string): void
  silent(receiver: string): void
}

const IN_A_ROW = 3
const REST_MS = 30_000
const MOST = 10_000

export function createPatience(now: () => number = () => performance.now()): Patience {
  const silences = new Map<string, { count: number; until: number }>()
  return {
    restingMs: (receiver) => Math.max(0, Math.ceil((silences.get(receiver)?.until ?? 0) - now())),
    answered: (receiver) => void silences.delete(receiver),
    silent(receiver) {
      const count = (silences.get(receiver)?.count ?? 0) + 1
      silences.delete(receiver)
      if (silences.size >= MOST) silences.delete(silences.keys().next().value!)
      silences.set(receiver, { count, until: count < IN_A_ROW ? 0 : now() + REST_MS })
    },
  }
}
