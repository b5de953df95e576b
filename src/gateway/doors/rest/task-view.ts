// A task and its events as the API shows them: times in RFC 3339, links, nothing of the journal's inner columns.
import { z } from 'zod'
import { CALLBACK_EVENTS, type Callback } from '../../../contract/callbacks.ts'
import { ERROR_CODES, type ErrorCode, type ErrorRecord, TroupeError } from '../../../contract/errors.ts'
import type { TaskEvent } from '../../../contract/events.ts'
import { isId } from '../../../contract/ids.ts'
import { LANES, TASK_STATES, type Task, type TaskState } from '../../../contract/task.ts'
import type { Principal } from '../../auth/principal.ts'
import type { Policy } from '../../screening/policy.ts'
import { createScreening, type Screening } from '../../screening/screening.ts'

export const agentName = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)
  .max(100)
/** Anything may be asked for; what is not an id is simply not found. */
export const taskParams = z.object({ id: z.string().max(100) })

export function knownForm(id: string): string {
  if (isId(id, 'task')) return id
  throw new TroupeError('not_found', `There is no task ${id}.`)
}

export const labelFilter = z
  .string()
  .max(300)
  .regex(/^[^:]+:/, 'must be key:value')

export const timeSchema = z.iso.datetime().describe('RFC 3339, UTC')
const json = z.unknown().describe('Any JSON value.')

export const errorSchema = z
  .object({
    code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
    message: z.string(),
    fix: z.string().optional().describe('What to do about it.'),
    detail: z.record(z.string(), z.unknown()).optional(),
    cause: z.unknown().optional().describe('The error behind this one, of the same shape.'),
  })
  .meta({ id: 'TaskError' })

export const budgetSchema = z
  .strictObject({
    costMicros: z.int().min(0).optional().describe('Millionths of the configured currency.'),
    tokens: z.int().min(0).optional(),
  })
  .meta({ id: 'Budget' })

export const usageSchema = z
  .object({ inputTokens: z.int(), outputTokens: z.int(), costMicros: z.int() })
  .meta({ id: 'Usage', description: 'What was spent; cost in millionths of the configured currency.' })

export const taskStateSchema = z.enum(TASK_STATES as [TaskState, ...TaskState[]]).meta({ id: 'TaskState' })

export const callbackViewSchema = z.object({
  to: z.string().describe('The origin of an address, or the id of a webhook.'),
  events: z.array(z.enum(CALLBACK_EVENTS)).optional().describe('Absent: all.'),
})

/** An address can hold a token in its path, so only its origin is shown; its secret never is. */
export function callbackView(callback: Callback): z.infer<typeof callbackViewSchema> {
  const to = 'url' in callback ? new URL(callback.url).origin : callback.webhook
  return callback.events === undefined ? { to } : { to, events: callback.events }
}

export const taskSchema = z
  .object({
    id: z.string(),
    agent: z.string(),
    agentVersion: z.string(),
    state: taskStateSchema,
    priority: z.enum(LANES),
    input: json.optional().describe('Left out of lists, and of the answer to its own submission.'),
    output: json.optional(),
    error: errorSchema.optional(),
    waitingFor: z
      .object({
        kind: z.enum(['timer', 'child', 'person', 'message', 'restart', 'host']),
        detail: z.string().optional(),
        messages: z.array(z.string()).optional().describe('Of a person: the messages that go on with the task.'),
        until: timeSchema.optional(),
      })
      .optional(),
    parent: z.object({ taskId: z.string(), stepId: z.string() }).optional(),
    deadline: timeSchema.optional(),
    budget: budgetSchema.optional(),
    usage: usageSchema.optional(),
    metadata: z.record(z.string(), z.string()).optional(),
    labels: z.record(z.string(), z.string()).optional(),
    callbacks: z.array(callbackViewSchema).optional().describe('Who is told of its end.'),
    createdAt: timeSchema,
    startedAt: timeSchema.optional(),
    updatedAt: timeSchema,
    endedAt: timeSchema.optional(),
    lastEvent: z.int().describe('The number of the last event in the task’s log.'),
    links: z.object({ self: z.string(), events: z.string() }),
  })
  .meta({ id: 'Task' })

export const eventSchema = z
  .looseObject({
    task: z.string(),
    number: z.int().describe('1, 2, 3 … without a gap.'),
    at: timeSchema,
    type: z.string().describe('What happened; the other fields depend on it.'),
  })
  .meta({ id: 'TaskEvent' })

export type TaskView = z.infer<typeof taskSchema>
export type EventView = z.infer<typeof eventSchema>

let lastMs = Number.NaN
let lastTime = ''

/** Most answers of a moment are about the same moment: a commit has one time for all its tasks. */
export function time(ms: number): string {
  if (ms !== lastMs) {
    lastTime = new Date(ms).toISOString()
    lastMs = ms
  }
  return lastTime
}

export function taskView(task: Task, show: { input: boolean; output: boolean }): TaskView {
  const view: TaskView = {
    id: task.id,
    agent: task.agent,
    agentVersion: task.agentVersion,
    state: task.state,
    priority: task.priority,
    createdAt: time(task.createdAt),
    updatedAt: time(task.updatedAt),
    lastEvent: task.lastEvent,
    links: { self: `/v1/tasks/${task.id}`, events: `/v1/tasks/${task.id}/events` },
  }
  if (show.input) view.input = task.input
  if (show.output && task.output !== undefined) view.output = task.output
  if (task.error !== undefined) view.error = withFix(task.error)
  if (task.waitingFor !== undefined) {
    const { until, ...waiting } = task.waitingFor
    view.waitingFor = until === undefined ? waiting : { ...waiting, until: time(until) }
  }
  if (task.parent !== undefined) view.parent = task.parent
  if (task.deadline !== undefined) view.deadline = time(task.deadline)
  if (task.budget !== undefined) view.budget = task.budget
  if (task.usage !== undefined) view.usage = task.usage
  if (task.metadata !== undefined) view.metadata = task.metadata
  if (task.labels !== undefined) view.labels = task.labels
  if (task.callbacks !== undefined) view.callbacks = task.callbacks.map(callbackView)
  if (task.startedAt !== undefined) view.startedAt = time(task.startedAt)
  if (task.endedAt !== undefined) view.endedAt = time(task.endedAt)
  return view
}

/** A newer host may have ended it with a code that this gateway does not know yet. */
function withFix(error: ErrorRecord): z.infer<typeof errorSchema> {
  return Object.hasOwn(ERROR_CODES, error.code) ? { ...error, fix: ERROR_CODES[error.code][2] } : error
}

/** For a reader whose policy masks personal data: only what agents and people wrote, not ids and times. */
export function taskViewFor(
  reader: Principal,
  screening: Screening,
  task: Task,
  show = { input: true, output: true },
): TaskView {
  const view = taskView(task, show)
  if (!screening.masksFor(reader)) return view
  const { input, output, error, metadata, labels } = view
  return { ...view, ...screening.output(reader, dropUndefined({ input, output, error, metadata, labels })) }
}

/** For whoever acts in the name of the one who submitted it. */
export function taskAsSubmitter(policy: Policy): (task: Task) => TaskView {
  const screening = createScreening(policy)
  return (task) => {
    const { tenant } = task
    return taskViewFor({ tenant, role: 'submitter', subject: 'troupe', limitId: tenant }, screening, task)
  }
}

export function eventViewFor(reader: Principal, screening: Screening, event: TaskEvent): EventView {
  const { task, number, at, body } = event
  if (!screening.masksFor(reader)) return { task, number, at: time(at), ...body }
  // A number that streams in digit by digit cannot be recognised: pieces of text are withheld as a whole.
  const shown = body.type === 'tokens' ? { ...body, text: '' } : screening.output(reader, body)
  return { ...shown, task, number, at: time(at), type: body.type }
}

function dropUndefined<Fields extends Record<string, unknown>>(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields
}
