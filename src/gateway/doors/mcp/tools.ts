// The tools: each agent, and three for a task that goes on. An agent's name has no "_", so it cannot be one of the three.
import { z } from 'zod'
import { WEBHOOK_AGENT } from '../../../contract/callbacks.ts'
import { TroupeError } from '../../../contract/errors.ts'
import type { AgentCard } from '../../../desk/directory.ts'
import { createAnswering } from '../../answering.ts'
import { actOf } from '../../audit/trail.ts'
import { mayActAs, type Principal } from '../../auth/principal.ts'
import type { GatewayContext } from '../../parts.ts'
import { createSubmissions } from '../../submissions.ts'
import { messageSchema } from '../rest/task-changes.ts'
import { knownForm } from '../rest/task-view.ts'
import { type Caller, outcomeSchema, type Tool, waiter } from './calls.ts'

const taskId = z.string().max(100).describe('As the tool’s answer named it.')
const getArguments = z.strictObject({ taskId })
const question = z.string().max(200).optional().describe('As the tool’s answer named it: refused once it is answered.')
const answerArguments = z.strictObject({ taskId, message: messageSchema, question })
const cancelArguments = z.strictObject({ taskId, reason: z.string().max(1_000).optional() })

const outputSchema = z.toJSONSchema(outcomeSchema)

export function shownTool({ name, description, inputSchema, annotations }: Tool): object {
  return { name, description, inputSchema, outputSchema, annotations }
}

/** What a reader's role may call. */
export function createTools(context: GatewayContext): (reader: Principal) => Tool[] {
  const { agents, desk, screening, audit } = context
  const submissions = createSubmissions(context)
  const waitFor = waiter(context)
  const answer = createAnswering(context)

  function record(caller: Caller, action: string, target: string, detail?: Record<string, string>): void {
    audit.record(actOf(caller.reader, caller.requestId, { action, target, status: 202, detail }))
  }

  function agentTool({ name, description, inputSchema }: AgentCard): Tool {
    const takesFields = inputSchema.type === 'object'
    const wrapped = { type: 'object', properties: { input: inputSchema }, required: ['input'] }
    return {
      name,
      description,
      inputSchema: takesFields ? inputSchema : wrapped,
      annotations: { readOnlyHint: false },
      role: 'submitter',
      async *run(given, caller, stop) {
        const { tenant } = caller.reader
        const submission = { agent: name, input: takesFields ? given : given.input }
        const flagged = await submissions.admit(tenant, submission, caller.bytes)
        const { traceparent } = caller
        const { task } = await submissions.hand(tenant, submission, { traceparent }, desk.submit)
        record(caller, 'task.submit', task.id, flagged === undefined ? undefined : { screening: flagged })
        return yield* waitFor(caller.reader, task.id, 0, stop)
      },
    }
  }

  const taskTools: Tool[] = [
    {
      name: 'task_get',
      description: 'How a task stands; waits for its end where it goes on by itself.',
      inputSchema: z.toJSONSchema(getArguments),
      annotations: { readOnlyHint: true },
      role: 'viewer',
      async *run(given, { reader }, stop) {
        const task = await desk.get(reader.tenant, knownForm(read(getArguments, given).taskId))
        if (task.state === 'input-required') return task
        return yield* waitFor(reader, task.id, task.lastEvent, stop)
      },
    },
    {
      name: 'task_answer',
      description: 'Gives a task that waits for a person the message it waits for, and waits for what comes of it.',
      inputSchema: z.toJSONSchema(answerArguments),
      annotations: { readOnlyHint: false },
      role: 'submitter',
      async *run(given, caller, stop) {
        const { tenant } = caller.reader
        const { taskId, message, question } = read(answerArguments, given)
        const task = await desk.get(tenant, knownForm(taskId))
        const { id, agent, lastEvent } = task
        screening.input(agent, message, caller.bytes)
        if (question === undefined) await desk.signal(tenant, id, message)
        else await answer(task, question, message)
        record(caller, 'task.message', id)
        return yield* waitFor(caller.reader, id, lastEvent, stop)
      },
    },
    {
      name: 'task_cancel',
      description: 'Cancels a task and all that it asked for.',
      inputSchema: z.toJSONSchema(cancelArguments),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
      role: 'submitter',
      async *run(given, caller, stop) {
        const { tenant } = caller.reader
        const { taskId, reason } = read(cancelArguments, given)
        const task = await desk.get(tenant, knownForm(taskId))
        await desk.cancel(tenant, task.id, reason)
        record(caller, 'task.cancel', task.id)
        return yield* waitFor(caller.reader, task.id, task.lastEvent, stop)
      },
    },
  ]

  return (reader) => {
    const cards = agents.list().filter(({ name }) => name !== WEBHOOK_AGENT.name)
    return [...cards.map(agentTool), ...taskTools].filter(({ role }) => mayActAs(reader, role))
  }
}

function read<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  throw new TroupeError('invalid_request', z.prettifyError(parsed.error))
}
