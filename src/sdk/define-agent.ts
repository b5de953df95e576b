// defineAgent: the definition an agent package exports. It is checked when it is loaded, so that what cannot be
// durable is refused before a task depends on it (P9).
import type { AnyStateMachine } from 'xstate'
import { z } from 'zod'
import { TroupeError } from '../contract/errors.ts'
import type { HandlerContext } from './handler.ts'
import { checkMachine } from './machine-check.ts'
import { checkPolicy, type RetryPolicy } from './step.ts'

export interface RestartPolicy {
  /** Crashes forgiven within the period; one more and the task fails. Default 3. */
  max: number
  /** `'30s'`, `'1m'`, `'1h'`. Default 1m. */
  within: string
}

export interface AgentDefinition<Input = unknown, Output = unknown> {
  /** Lower-case words joined by hyphens. */
  name: string
  /** Semantic version; tasks remember the one they started with. */
  version: string
  description: string
  input: z.ZodType<Input>
  output: z.ZodType<Output>
  /** Messages a person or another task may send, by type: checked at the edge. Absent: any. */
  messages?: Record<string, z.ZodType>
  machine?: AnyStateMachine
  /** Method syntax on purpose: it lets an agent of any input stand where any agent is wanted. */
  run?(ctx: HandlerContext<Input>): Promise<Output> | Output
  /** Defaults for every step of this agent. */
  steps?: RetryPolicy
  restarts?: RestartPolicy
  /** Actors of this agent that one host runs at a time. Default 64. */
  concurrency?: number
  /** Turns the state of a task that an earlier version left into this version's, or throws. */
  migrate?: (state: { version: string; value: unknown; context: unknown }) => { value: unknown; context: unknown }
}

export interface Agent<Input = unknown, Output = unknown> extends AgentDefinition<Input, Output> {
  readonly kind: 'troupe.agent'
  readonly restartWindow: { max: number; withinMs: number }
  readonly concurrency: number
  readonly inputSchema: Record<string, unknown>
  readonly outputSchema: Record<string, unknown>
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/
const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/
const PERIOD = /^(\d+)(ms|s|m|h)$/
const UNIT = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const

export function defineAgent<Input, Output>(definition: AgentDefinition<Input, Output>): Agent<Input, Output> {
  const name = definition.name
  if (typeof name !== 'string' || !NAME.test(name)) {
    refuse(String(name), 'its name must be lower-case words joined by hyphens, like "invoice-reader"')
  }
  if (typeof definition.version !== 'string' || !VERSION.test(definition.version)) {
    refuse(name, `its version must be semantic, like "1.0.0"; it is ${JSON.stringify(definition.version)}`)
  }
  if ((definition.machine === undefined) === (definition.run === undefined)) {
    refuse(name, 'give it either a `machine` (an xstate machine) or a `run` function, not both and not neither')
  }
  if (
    definition.concurrency !== undefined &&
    !(Number.isInteger(definition.concurrency) && definition.concurrency > 0)
  ) {
    refuse(name, `its concurrency must be a whole number above 0; it is ${definition.concurrency}`)
  }
  if (definition.steps !== undefined) checkPolicy(definition.steps)
  if (definition.machine !== undefined) checkMachine(name, definition.machine)
  return {
    ...definition,
    kind: 'troupe.agent',
    concurrency: definition.concurrency ?? 64,
    restartWindow: restartWindow(name, definition.restarts ?? { max: 3, within: '1m' }),
    inputSchema: jsonSchema(name, 'input', definition.input),
    outputSchema: jsonSchema(name, 'output', definition.output),
  }
}

export function isAgent(value: unknown): value is Agent {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'troupe.agent'
}

function restartWindow(agent: string, policy: RestartPolicy): { max: number; withinMs: number } {
  const match = PERIOD.exec(policy.within)
  if (match === null || !Number.isInteger(policy.max) || policy.max < 0) {
    refuse(agent, `its restarts must look like { max: 3, within: '1m' }; they are ${JSON.stringify(policy)}`)
  }
  return { max: policy.max, withinMs: Number(match[1]) * UNIT[match[2] as keyof typeof UNIT] }
}

function jsonSchema(agent: string, side: 'input' | 'output', schema: z.ZodType): Record<string, unknown> {
  if (!(schema instanceof z.ZodType)) refuse(agent, `its ${side} must be a zod 4 schema, like z.object({ … })`)
  try {
    return z.toJSONSchema(schema, { io: side, unrepresentable: 'throw' }) as Record<string, unknown>
  } catch (error) {
    refuse(
      agent,
      `its ${side} schema has no JSON Schema (${(error as Error).message}); tasks cross processes as JSON, so use JSON types`,
    )
  }
}

function refuse(agent: string, why: string): never {
  throw new TroupeError('agent_invalid', `The agent ${agent} cannot be loaded: ${why}.`)
}
