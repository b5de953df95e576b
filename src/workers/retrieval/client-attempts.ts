// Repeats what broke off, not what was refused: within the deadline, the retry budget and the breaker.
import { setTimeout as wait } from 'node:timers/promises'
import { TroupeError } from '../../contract/errors.ts'
import type { Breaker } from '../inference/breaker.ts'

export interface Retry {
  breaker: Breaker
  /** Whom the errors name. */
  where: string
  deadline: number
  signal: AbortSignal | undefined
}

/** Attempts in a row without progress. */
const ATTEMPTS = 4
/** Times a random share, doubled each time: clients cut off together must not come back together. */
const FIRST_PAUSE_MS = 50

/** `progressed` says whether the last attempt got something done; then the count of attempts begins again. */
export async function attemptAgain<Result>(
  { breaker, where, deadline, signal }: Retry,
  once: () => Promise<Result>,
  progressed: () => boolean = () => false,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    if (Date.now() >= deadline) throw new TroupeError('deadline_exceeded', `${where}: the deadline passed`)
    if (!breaker.allows()) throw new TroupeError('worker_unavailable', `${where}: failed again and again; waiting`)
    try {
      const result = await once()
      breaker.succeeded()
      return result
    } catch (error) {
      if (!isBroken(error)) {
        // It answered, if only with a refusal.
        if (error instanceof TroupeError && error.code !== 'deadline_exceeded') breaker.succeeded()
        throw error
      }
      breaker.failed()
      if (progressed()) attempt = 1
      const pause = FIRST_PAUSE_MS * 2 ** attempt * (0.5 + Math.random())
      if (attempt >= ATTEMPTS || !breaker.takeRetry() || Date.now() + pause >= deadline) throw error
      await wait(pause, undefined, signal === undefined ? {} : { signal })
    }
  }
}

function isBroken(error: unknown): boolean {
  return error instanceof TroupeError && (error.code === 'worker_unavailable' || error.code === 'draining')
}
