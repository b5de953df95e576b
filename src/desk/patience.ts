// A journal that is away must show as a refusal, not as a growing crowd of waiting callers. Who came before it went
// waits for it (it may be back in a moment, and then nothing was lost); who comes while others have waited too long is
// told at once to come again. Of a process that stood still nobody can say how long the journal took: first the answers that
// have arrived meanwhile are read.
import { setImmediate } from 'node:timers/promises'
import { TroupeError } from '../contract/errors.ts'

const TOO_LONG_MS = 1_500

export interface Patience {
  /** A place among those who wait, or `journal_unavailable` because somebody has waited too long. */
  enter(): number | Promise<number>
  /** Answered, one way or the other. */
  leave(place: number): void
}

export function createPatience(tooLongMs = TOO_LONG_MS, now: () => number = () => performance.now()): Patience {
  // In the order of their beginnings: the first one has waited longest.
  const waiting = new Map<number, number>()
  let next = 0

  function isSpent(): boolean {
    const oldest = waiting.values().next().value
    return oldest !== undefined && now() - oldest > tooLongMs
  }

  function place(): number {
    waiting.set(next, now())
    return next++
  }

  async function placeIfAnswered(): Promise<number> {
    // Twice: the first may end a round of the event loop that had looked at the sockets before the answer came.
    await setImmediate()
    await setImmediate()
    if (isSpent()) throw new TroupeError('journal_unavailable', 'The journal has not answered earlier submissions yet.')
    return place()
  }

  return {
    enter: () => (isSpent() ? placeIfAnswered() : place()),
    leave: (place) => void waiting.delete(place),
  }
}
