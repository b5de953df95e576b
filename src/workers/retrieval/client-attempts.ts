// Repeats what broke off, not what was refused: within the deadline, the retry budget and the breaker.
import { setTimeout as wait } from 'node:timers/promises'
import { TroupeError } from '../../contract/errors.ts'
import type { Breaker } from '../grpc/index.ts'

export interface Retry {
  breaker: Breaker
  /** Whom the errors name. */
  where: string
  deadline: number
  signal: AbortSignal | undefined
}

/** Attempts in a row without progress: about three seconds, longer than a supervisor needs to restart a worker. */
const ATTEMPTS = 6
/** Times a random share, doubled each time: clients cut off together must not come back together. */
const FIRST_PAUSE_MS = 100

/** `progressed` says whether the last attempt got something done; then the count of attempts begins again. */
export async function attemptAgain<Result>(
  { breaker, where, deadline, signal }: Retry,
  once: () => Promise<Result>,
  progressed: () => boolean = () => false,
): Promise<Result> {
  let failure: unknown = new TroupeError('worker_unavailable', `${where}: failed again and again; waiting`)
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    if (Date.now() >= deadline) throw new TroupeError('deadline_exceeded', `${where}: the deadline passed`)
    // A first call fails at once while the breaker is open; one that has begun goes on waiting for the worker.
    const allowed = breaker.allows()
    if (!allowed && attempt === 1) throw failure
    try {
      if (allowed) {
        const result = await once()
        breaker.succeeded()
        return result
      }
    } catch (error) {
      if (!isBroken(error)) {
        const late = error instanceof TroupeError && error.code === 'deadline_exceeded'
        // It answered, if only with a refusal.
        if (error instanceof TroupeError && !late) breaker.succeeded()
        // What an earlier attempt was told says more than that this one had no time left.
        throw late && attempt > 1 ? failure : error
      }
      breaker.failed()
      failure = error
    }
    if (progressed()) attempt = 1
    const pause = FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random())
    if (attempt >= ATTEMPTS || Date.now() + pause >= deadline || !breaker.takeRetry()) throw failure
    await wait(pause, undefined, signal === undefined ? {} : { signal })
  }
}

function isBroken(error: unknown): boolean {
  return error instanceof TroupeError && (error.code === 'worker_unavailable' || error.code === 'draining')
}
