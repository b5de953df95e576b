// An agent as data: what a process that does not run its code must know of it, to check what is sent to it.
import { z } from 'zod'
import { TroupeError } from '../contract/errors.ts'
import type { AgentCard } from '../desk/directory.ts'
import type { Agent } from '../sdk/define-agent.ts'

type JsonSchema = Record<string, unknown>

export interface AgentRecord {
  name: string
  version: string
  description: string
  inputSchema: JsonSchema
  outputSchema: JsonSchema
  /** By type; absent: any message. */
  messages?: Record<string, JsonSchema>
  concurrency: number
}

export function recordOf(agent: Agent): AgentRecord {
  const { name, version, description, inputSchema, outputSchema, concurrency } = agent
  const record: AgentRecord = { name, version, description, inputSchema, outputSchema, concurrency }
  return agent.messages === undefined ? record : { ...record, messages: messageSchemas(agent.messages) }
}

/** What JSON Schema cannot say of a message is left open here, and checked where the agent's code is. */
function messageSchemas(messages: Record<string, z.ZodType>): Record<string, JsonSchema> {
  const schemas = Object.entries(messages).map(([type, schema]) => [
    type,
    z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
  ])
  return Object.fromEntries(schemas) as Record<string, JsonSchema>
}

/** Of an agent whose code is loaded here: its own schemas check. */
export function cardOf(agent: Agent): AgentCard {
  const { name, version, description, inputSchema, outputSchema, input, messages } = agent
  const card = { name, version, description, inputSchema, outputSchema, ...checksOf(name, input, messages) }
  return messages === undefined ? card : { ...card, messages: messageSchemas(messages) }
}

/** Of an agent whose code runs elsewhere: its JSON Schemas check. A rule that JSON Schema cannot say is checked there. */
export function cardOfRecord({ concurrency: _, ...record }: AgentRecord): AgentCard {
  const { messages } = record
  const schemas =
    messages === undefined
      ? undefined
      : Object.fromEntries(Object.entries(messages).map(([type, schema]) => [type, z.fromJSONSchema(schema)]))
  return { ...record, ...checksOf(record.name, z.fromJSONSchema(record.inputSchema), schemas) }
}

function checksOf(
  agent: string,
  input: z.ZodType,
  messages: Record<string, z.ZodType> | undefined,
): Pick<AgentCard, 'checkInput' | 'checkMessage'> {
  return {
    checkInput: (value) => check(input, value, `The input for ${agent}`),
    checkMessage(event) {
      if (messages === undefined) return
      const { type, ...body } = event
      const schema = Object.hasOwn(messages, type) ? messages[type] : undefined
      if (schema === undefined) {
        const known = Object.keys(messages).join(', ')
        throw new TroupeError('invalid_input', `${agent} takes no message "${type}"; it takes ${known}.`)
      }
      check(schema, body, `The message "${type}" for ${agent}`)
    },
  }
}

function check(schema: z.ZodType, value: unknown, what: string): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
  throw new TroupeError('invalid_input', `${what} is wrong: ${z.prettifyError(parsed.error)}`, { detail: { issues } })
}
