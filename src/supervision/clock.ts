// Time as a port: whoever waits or measures is given a Clock, so that a test can drive it and never sleeps.
// The simulated one is test/support/simulated-clock.ts.

export interface Clock {
  /** Milliseconds since 1970. It can jump, as a machine's clock can: never trust a difference to be positive. */
  now(): number
  /** Calls `fire` once after `milliseconds`; the returned function cancels it and may be called at any time. */
  setTimer(milliseconds: number, fire: () => void): () => void
}

// setTimeout takes 32 bits: a longer delay would fire after one millisecond. A timer of a month is taken in pieces.
const LONGEST_PIECE = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(milliseconds, fire) {
    let left = milliseconds
    let timeout: NodeJS.Timeout
    const arm = (): void => {
      const piece = Math.min(left, LONGEST_PIECE)
      left -= piece
      timeout = setTimeout(left > 0 ? arm : fire, piece)
    }
    arm()
    return () => clearTimeout(timeout)
  },
}

/** The value of `promise`, or undefined when it has not settled within `limit` milliseconds. Infinity waits for ever. */
export async function settledWithin<Value>(
  promise: Promise<Value>,
  limit: number,
  clock: Clock,
): Promise<Value | undefined> {
  if (limit === Number.POSITIVE_INFINITY) return await promise
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const cancel = clock.setTimer(limit, () => resolve(undefined))
  try {
    return await Promise.race([promise, late])
  } finally {
    cancel()
  }
}
