// A journal that is away must show as a refusal, not as a growing crowd of waiting callers. Who came before it went
// waits for it (it may be back in a moment, and then nothing was lost); who comes while others have waited too long is
// told at once to come again.
import { TroupeError } from '../contract/errors.ts'

const TOO_LONG_MS = 1_500

export interface Patience {
  /** A place among those who wait, or throws `journal_unavailable` because somebody has waited too long. */
  enter(): number
  /** Answered, one way or the other. */
  leave(place: number): void
}

export function createPatience(tooLongMs = TOO_LONG_MS, now: () => number = () => performance.now()): Patience {
  // In the order of their beginnings: the first one has waited longest.
  const waiting = new Map<number, number>()
  let next = 0

  return {
    enter() {
      const at = now()
      const oldest = waiting.values().next().value
      if (oldest !== undefined && at - oldest > tooLongMs) {
        throw new TroupeError('journal_unavailable', 'The journal has not answered earlier submissions yet.')
      }
      waiting.set(next, at)
      return next++
    },
    leave: (place) => void waiting.delete(place),
  }
}
