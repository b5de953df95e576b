// The names of an actor's durable timers in the journal. The agent's own have a prefix: one that its author calls `restart`
// or `deadline` must not be taken for Troupe's.
import { TroupeError } from '../contract/errors.ts'
import { MAX_TIMER_MS } from '../contract/limits.ts'

/** Starts a crashed actor again. */
export const RESTART_TIMER = 'restart'
const RETRY = 'retry:'
const OWN = 'own:'

/** Brings the next try of a step. */
export function retryTimer(stepId: string): string {
  return RETRY + stepId
}

export function retriedStep(timer: string): string | undefined {
  return timer.startsWith(RETRY) ? timer.slice(RETRY.length) : undefined
}

export function ownTimer(id: string): string {
  return OWN + id
}

/** The agent's timers once had no prefix: tasks that have slept since then are woken by their names alone. */
export function ownTimerId(timer: string): string | undefined {
  if (timer.startsWith(OWN)) return timer.slice(OWN.length)
  return timer === RESTART_TIMER || timer.startsWith(RETRY) ? undefined : timer
}

/** Refused where it is asked for, so that the error names the timer as its author does. */
export function checkDelay(id: string, ms: unknown): void {
  if (typeof ms === 'number' && ms <= MAX_TIMER_MS) return
  throw new TroupeError(
    'invalid_input',
    `The timer "${id}" is set for ${ms} ms; it takes a number up to ${MAX_TIMER_MS}.`,
  )
}
