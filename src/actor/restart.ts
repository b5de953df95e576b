// When a step's error is worth another try, and when a crashed actor may start again. Pure; the numbers are kept in
// the actor's snapshot, so a budget survives the host that spent it.
import { TroupeError, wasRefused } from '../contract/errors.ts'
import type { RetryPolicy } from '../sdk/step.ts'
import { backoffDelay } from '../supervision/backoff.ts'
import { spendRestart } from '../supervision/restart-window.ts'

const STEP_DEFAULTS = { retries: 2, backoff: 200, maxBackoff: 30_000, timeout: 300_000 } as const

/** What is left out, or undefined, is the agent's, or the default. */
export function effectivePolicy(agent: RetryPolicy | undefined, step: RetryPolicy): Required<RetryPolicy> {
  const of = (name: keyof RetryPolicy) => step[name] ?? agent?.[name] ?? STEP_DEFAULTS[name]
  return { retries: of('retries'), backoff: of('backoff'), maxBackoff: of('maxBackoff'), timeout: of('timeout') }
}

/**
 * A coded error that cannot pass (the file is damaged, the input is wrong) fails the same way each time, by nobody's fault here.
 * What Node refuses an isolated plug-in has no code of ours.
 */
export function mayPass(error: unknown): boolean {
  return error instanceof TroupeError ? error.passing : !wasRefused(error)
}

/** Milliseconds until the next try, or undefined when there is none. `attempt` is the one that failed, from 1. */
export function retryDelay(
  error: unknown,
  attempt: number,
  policy: Required<RetryPolicy>,
  random: () => number = Math.random,
): number | undefined {
  if (!mayPass(error)) return undefined
  if (attempt > policy.retries) return undefined
  const { backoff: first, maxBackoff: max } = policy
  return backoffDelay(attempt, { first, factor: 2, max, jitter: 0.5 }, random)
}

const RESTART_BACKOFF = { first: 100, factor: 2, max: 10_000, jitter: 0.5 }

/** The crashes that count after one more, and the wait before the restart; undefined when the budget is spent. */
export function restartAfterCrash(
  error: unknown,
  crashes: number[],
  now: number,
  window: { max: number; withinMs: number },
  random: () => number = Math.random,
): { crashes: number[]; inMs: number } | undefined {
  if (!mayPass(error)) return undefined
  const spent = spendRestart(crashes, now, { intensity: window.max, period: window.withinMs })
  if (spent.exceeded) return undefined
  return { crashes: spent.window, inMs: backoffDelay(spent.window.length, RESTART_BACKOFF, random) }
}

/** The journal will never take it: a value over its limit, or one that is no JSON, or what an isolated agent may not do. */
export function isRefusal(error: unknown): error is TroupeError {
  return error instanceof TroupeError && REFUSALS.has(error.code)
}

const REFUSALS: ReadonlySet<string> = new Set(['value_too_large', 'invalid_input', 'permission_denied'])
