// What a machine may invoke. xstate sees an actor logic with an input and an output, so types flow through `setup`;
// Troupe reads the description hidden in it and runs the work itself, durably. xstate never starts it.
import { fromPromise, type PromiseActorLogic } from 'xstate'
import type { StepContext } from './context.ts'

export interface RetryPolicy {
  /** Tries after the first one. Default 2. Errors that name a fault of the input are never retried. */
  retries?: number
  /** Milliseconds before the first retry; doubles each time, with jitter. Default 200. */
  backoff?: number
  /** The longest wait between two tries. Default 30 s. */
  maxBackoff?: number
  /** Milliseconds that one try may take; `Infinity` for as long as it takes. Default 5 minutes. */
  timeout?: number
}

/** What is wrong with the policy, in words, or undefined. */
export function policyFault(policy: RetryPolicy): string | undefined {
  for (const name of ['retries', 'backoff', 'maxBackoff', 'timeout'] as const) {
    const value: unknown = policy[name]
    if (value !== undefined && !(typeof value === 'number' && value >= 0)) {
      return `its ${name} must be a number, 0 or more; it is ${value}`
    }
  }
  return undefined
}

export type StepFunction<Input, Output> = (call: { input: Input; ctx: StepContext }) => Promise<Output> | Output

export interface StepDescription {
  kind: 'step'
  run: StepFunction<unknown, unknown>
  policy: RetryPolicy
}

export interface AskDescription {
  kind: 'ask'
  agent: string
  version?: string
}

export type EffectDescription = StepDescription | AskDescription

const DESCRIPTION = Symbol.for('troupe.effect')

/** One effect of an actor. Its outcome is recorded once; after a crash a recorded step is not run again (P3). */
export function step<Input, Output>(
  run: StepFunction<Input, Output>,
  policy: RetryPolicy = {},
): PromiseActorLogic<Output, Input> {
  return describe<Output, Input>({ kind: 'step', run: run as StepFunction<unknown, unknown>, policy })
}

/** A durable child task: the invoke's input becomes its input, its output comes back as `onDone`. */
export function ask<Output = unknown, Input = unknown>(
  agent: string,
  options: { version?: string } = {},
): PromiseActorLogic<Output, Input> {
  return describe<Output, Input>({ kind: 'ask', agent, ...options })
}

export function effectDescription(logic: unknown): EffectDescription | undefined {
  if (typeof logic !== 'object' || logic === null) return undefined
  return (logic as { [DESCRIPTION]?: EffectDescription })[DESCRIPTION]
}

function describe<Output, Input>(description: EffectDescription): PromiseActorLogic<Output, Input> {
  const logic = fromPromise<Output, Input>(() => {
    throw new Error('A step ran inside an xstate interpreter. Use @troupe/sdk/testing to run an agent in a test.')
  })
  return Object.assign(logic, { [DESCRIPTION]: description })
}
