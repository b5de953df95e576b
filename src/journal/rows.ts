// A task as its table holds it, and back. Both adapters name their columns alike, so both read through here.
import type { ErrorRecord } from '../contract/errors.ts'
import type { Priority, TaskState } from '../contract/task.ts'
import { readAttached } from './attached.ts'
import type { BlobStore } from './blobs.ts'
import type { NewTask, TaskRow, Wake } from './journal.ts'
import { type Column, decodeValue, fetchBack, isReference, showBack } from './values.ts'

export interface TaskColumns {
  id: string
  tenant: string
  agent: string
  agent_version: string
  state: TaskState
  priority: Priority
  input: Column
  output: Column | null
  error: Column | null
  snapshot: Column | null
  waiting_for: Column | null
  usage: Column | null
  budget: Column | null
  metadata: Column | null
  traceparent: string | null
  parent_task: string | null
  parent_step: string | null
  depth: number
  deadline: number | null
  created_at: number
  started_at: number | null
  updated_at: number
  ended_at: number | null
  epoch: number
  version: number
  owner: string | null
  owner_deaths: number
  last_event: number
  mail_position: number
  mail_read: number
}

/** The columns, for SELECT lists; the snapshot is left out where only the outside looks. */
export const OUTSIDE_COLUMNS = `id, tenant, agent, agent_version, state, priority, input, output, error, waiting_for,
  usage, budget, metadata, traceparent, parent_task, parent_step, depth, deadline, created_at, started_at, updated_at,
  ended_at, epoch, version, owner, owner_deaths, last_event, mail_position, mail_read`
export const ALL_COLUMNS = `${OUTSIDE_COLUMNS}, snapshot`

/** What `accept` returns, without asking the store again. */
export function acceptedRow(task: NewTask, at: number): TaskRow {
  const row: TaskRow = {
    id: task.id,
    tenant: task.tenant,
    agent: task.agent,
    agentVersion: task.agentVersion,
    state: 'queued',
    priority: task.priority,
    input: task.input,
    createdAt: at,
    updatedAt: at,
    lastEvent: 1,
    epoch: 0,
    version: 0,
    ownerDeaths: 0,
    depth: task.depth,
    mailPosition: 0,
    mailRead: 0,
  }
  if (task.deadline !== undefined) row.deadline = task.deadline
  if (task.budget !== undefined) row.budget = task.budget
  if (task.metadata !== undefined) row.metadata = task.metadata
  if (task.labels !== undefined) row.labels = task.labels
  if (task.callbacks !== undefined) row.callbacks = task.callbacks
  if (task.parent !== undefined) row.parent = task.parent
  if (task.traceparent !== undefined) row.traceparent = task.traceparent
  return row
}

export function toTaskRow(columns: TaskColumns): TaskRow {
  const row: TaskRow = {
    id: columns.id,
    tenant: columns.tenant,
    agent: columns.agent,
    agentVersion: columns.agent_version,
    state: columns.state,
    priority: columns.priority,
    input: decodeValue(columns.input),
    createdAt: columns.created_at,
    updatedAt: columns.updated_at,
    lastEvent: columns.last_event,
    epoch: columns.epoch,
    version: columns.version,
    ownerDeaths: columns.owner_deaths,
    depth: columns.depth,
    mailPosition: columns.mail_position,
    mailRead: columns.mail_read,
  }
  if (columns.output !== null) row.output = decodeValue(columns.output)
  if (columns.error !== null) row.error = decodeValue(columns.error) as ErrorRecord
  if (columns.snapshot !== null && columns.snapshot !== undefined) row.snapshot = decodeValue(columns.snapshot)
  if (columns.waiting_for !== null) row.waitingFor = JSON.parse(columns.waiting_for)
  if (columns.usage !== null) row.usage = JSON.parse(columns.usage)
  if (columns.budget !== null) row.budget = JSON.parse(columns.budget)
  if (columns.metadata !== null) readAttached(columns.metadata, row)
  if (columns.traceparent !== null) row.traceparent = columns.traceparent
  if (columns.parent_task !== null) row.parent = { taskId: columns.parent_task, stepId: columns.parent_step ?? '' }
  if (columns.deadline !== null) row.deadline = columns.deadline
  if (columns.started_at !== null) row.startedAt = columns.started_at
  if (columns.ended_at !== null) row.endedAt = columns.ended_at
  if (columns.owner !== null) row.owner = columns.owner
  return row
}

/** The task with its large values fetched back from the blob store: all of them, or it cannot run. */
export async function withValues(columns: TaskColumns, blobs: BlobStore): Promise<TaskRow> {
  for (const field of ['input', 'output', 'error', 'snapshot'] as const) {
    const column = columns[field]
    if (column !== null && column !== undefined && isReference(column)) columns[field] = await fetchBack(column, blobs)
  }
  return toTaskRow(columns)
}

/** As the outside sees it. A value that is lost is shown as a list shows it, with its error; of a lost error there is only that. */
export async function withShownValues(columns: TaskColumns, blobs: BlobStore): Promise<TaskRow> {
  for (const field of ['input', 'output', 'error'] as const) {
    const column = columns[field]
    if (column === null || !isReference(column)) continue
    const shown = await showBack(column, blobs)
    if ('column' in shown) columns[field] = shown.column
    else {
      const error = shown.lost
      columns[field] = JSON.stringify(field === 'error' ? error : { ...(decodeValue(column) as object), error })
    }
  }
  return toTaskRow(columns)
}

export interface WakeColumns {
  id: string
  tenant: string
  agent: string
  agent_version: string
  priority: Priority
  epoch: number
  owner: string | null
}

export const WAKE_COLUMNS = 'id, tenant, agent, agent_version, priority, epoch, owner'

export function toWake(columns: WakeColumns): Wake {
  const wake: Wake = {
    taskId: columns.id,
    tenant: columns.tenant,
    agent: columns.agent,
    agentVersion: columns.agent_version,
    priority: columns.priority,
    epoch: columns.epoch,
  }
  if (columns.owner !== null) wake.owner = columns.owner
  return wake
}
