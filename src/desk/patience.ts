// A journal that is away must show as a refusal, not as a growing crowd of waiting callers. Who came before it went
// waits for it (it may be back in a moment, and then nothing was lost); who comes while others have waited too long is
// told at once to come again.
import { TroupeError } from '../contract/errors.ts'

const TOO_LONG_MS = 1_500

export interface Patience {
  /** Begins the work, or throws `journal_unavailable` because earlier work has waited too long. */
  of<Answer>(work: () => Promise<Answer>): Promise<Answer>
}

export function createPatience(tooLongMs = TOO_LONG_MS, now: () => number = () => performance.now()): Patience {
  // In the order of their beginnings: the first one has waited longest.
  const waiting = new Map<number, number>()
  let next = 0

  return {
    async of(work) {
      const oldest = waiting.values().next().value
      if (oldest !== undefined && now() - oldest > tooLongMs) {
        throw new TroupeError('journal_unavailable', 'The journal has not answered earlier submissions yet.')
      }
      const number = next++
      waiting.set(number, now())
      try {
        return await work()
      } finally {
        waiting.delete(number)
      }
    },
  }
}
