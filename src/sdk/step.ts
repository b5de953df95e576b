// What a machine may invoke. xstate sees an actor logic with an input and an output, so types flow through `setup`;
// Troupe reads the description hidden in it and runs the work itself, durably. xstate never starts it.
import { fromPromise, type PromiseActorLogic } from 'xstate'
import { TroupeError } from '../contract/errors.ts'
import type { StepContext } from './context.ts'

export interface RetryPolicy {
  /** Tries after the first one. Default 2. Errors that name a fault of the input are never retried. */
  retries?: number
  /** Milliseconds before the first retry; doubles each time, with jitter. Default 200. */
  backoff?: number
  /** The longest wait between two tries. Default 30 s. */
  maxBackoff?: number
  /** Milliseconds that one try may take. Default 5 minutes. */
  timeout?: number
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
  checkPolicy(policy)
  return describe<Output, Input>({ kind: 'step', run: run as StepFunction<unknown, unknown>, policy })
}

/** A durable child task: the invoke's input becomes its input, its output comes back as `onDone`. */
export function ask<Output = unknown, Input = unknown>(
  agent: string,
  options: { version?: string } = {},
): PromiseActorLogic<Output, Input> {
  return describe<Output, Input>({ kind: 'ask', agent, ...options })
}

/** A number that is none would mean for ever, or at once. */
export function checkPolicy(policy: RetryPolicy): void {
  for (const [name, value] of Object.entries(policy)) {
    if (value === undefined || (typeof value === 'number' && value >= 0)) continue
    throw new TroupeError('agent_invalid', `A step's ${name} is ${value}; it must be a number, 0 or more.`)
  }
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
