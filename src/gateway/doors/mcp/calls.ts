// What every tool does with its task: it waits for it, tells what happens meanwhile, and answers how the task stands.
import { z } from 'zod'
import { TASK_STATES, type Task, type TaskState } from '../../../contract/task.ts'
import { actOf } from '../../audit/trail.ts'
import type { Principal, Role } from '../../auth/principal.ts'
import type { GatewayContext } from '../../parts.ts'
import { codedError, problemOf } from '../../problem.ts'
import { etagOf } from '../rest/preferences.ts'
import { type EventView, errorSchema, eventViewFor, taskViewFor } from '../rest/task-view.ts'

/** Assistants give a call up after a minute, unless they are told otherwise. */
const WAIT_SECONDS = 50

export interface Caller {
  reader: Principal
  requestId: string
  /** Of the request as it came. */
  bytes: number
  traceparent?: string
}

export interface News {
  /** Only ever rises: the number of the event. */
  number: number
  text: string
}

/** News until the task has ended or waits for a person. */
export type Work<Result> = AsyncGenerator<News, Result>

export interface Tool {
  name: string
  description: string
  inputSchema: Record<string, unknown>
  annotations: { readOnlyHint: boolean; destructiveHint?: boolean; idempotentHint?: boolean }
  /** Others do not find it. */
  role: Role
  run(given: Record<string, unknown>, caller: Caller, stop: AbortSignal): Work<Task>
}

/** The same for each tool, whatever its agent answers: a call may end before its task does. */
export const outcomeSchema = z.object({
  taskId: z.string(),
  agent: z.string(),
  state: z.enum(TASK_STATES as [TaskState, ...TaskState[]]),
  output: z.unknown().optional().describe('What the agent answered.'),
  error: errorSchema.optional(),
  messages: z.array(z.string()).optional().describe('The types of message that it waits for.'),
  question: z.string().optional().describe('For task_answer: of the answers to one question the first is taken.'),
  next: z.string().optional().describe('What to do now.'),
})

const NEXT: Partial<Record<TaskState, string>> = {
  queued: 'It works. Call task_get to wait for it.',
  running: 'It works. Call task_get to wait for it.',
  waiting: 'It waits for something and goes on by itself. Call task_get to wait for it.',
  'input-required': 'It waits for a person. Ask the user, then call task_answer with this question.',
}

export type Perform = (tool: Tool, given: Record<string, unknown>, caller: Caller, stop: AbortSignal) => Work<object>

/** Runs a tool. What goes wrong is a result that says so: the assistant may correct itself. */
export function performer({ screening, audit, log }: GatewayContext): Perform {
  return async function* (tool, given, caller, stop) {
    const { reader, requestId } = caller
    try {
      if (!tool.annotations.readOnlyHint) audit.checkRoom()
      const task = yield* tool.run(given, caller, stop)
      const outcome = outcomeOf(taskViewFor(reader, screening, task), etagOf(task))
      const isError = outcome.state === 'failed' || outcome.state === 'rejected'
      return { content: text(outcome), structuredContent: outcome, isError }
    } catch (thrown) {
      const error = codedError(thrown)
      const { code, status } = error
      if (status >= 500) log.error({ err: thrown, code, requestId }, error.message)
      audit.record(actOf(reader, requestId, { action: 'mcp.call', target: tool.name, status, detail: { code } }))
      return { content: text(problemOf(error, requestId)), isError: true }
    }
  }
}

export type WaitFor = (reader: Principal, taskId: string, after: number, stop: AbortSignal) => Work<Task>

/** Follows a task from a number on, until it has ended or needs somebody. */
export function waiter({ desk, screening, config }: GatewayContext): WaitFor {
  const most = Math.min(WAIT_SECONDS, config.maxWaitSeconds) * 1_000
  return async function* (reader, id, after, stop) {
    const enough = AbortSignal.any([stop, AbortSignal.timeout(most)])
    for await (const event of desk.follow(reader.tenant, id, after, enough)) {
      const news = newsOf(eventViewFor(reader, screening, event))
      if (news !== undefined) yield { number: event.number, text: news }
      if (event.body.type === 'task.waiting' && event.body.for.kind === 'person') break
    }
    return await desk.get(reader.tenant, id)
  }
}

/** In words, what is worth a line while one waits. */
function newsOf(event: EventView): string | undefined {
  switch (event.type) {
    case 'task.accepted':
      return `${event.task} is accepted`
    case 'step.started':
      return `${event.src} begins`
    case 'step.retrying':
      return `${event.step} is tried again`
    case 'child.asked':
      return `asks ${event.agent}`
    case 'progress':
      return typeof event.message === 'string' ? event.message : undefined
    default:
      return undefined
  }
}

function outcomeOf(view: ReturnType<typeof taskViewFor>, question: string): z.output<typeof outcomeSchema> {
  const { id: taskId, agent, state, output, error, waitingFor } = view
  const next = NEXT[state]
  return {
    taskId,
    agent,
    state,
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
    ...(waitingFor?.messages === undefined ? {} : { messages: waitingFor.messages }),
    ...(state === 'input-required' ? { question } : {}),
    ...(next === undefined ? {} : { next }),
  }
}

/** For assistants that read text only. */
function text(content: object) {
  return [{ type: 'text', text: JSON.stringify(content) }]
}
