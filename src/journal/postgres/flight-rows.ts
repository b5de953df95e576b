// Accepts and commits as the rows that the statements take, and which of the narrow ways a commit may go.
import { hasEnded } from '../../contract/task.ts'
import type { PreparedCommit, PreparedTask } from '../prepare.ts'
import { wantsHost } from '../rules.ts'
import { type Column, isReference } from '../values.ts'
import { outcomesApart, outcomesInLog } from './outcomes.ts'

export type NewRow = ReturnType<typeof newRow>

export function newRow({ task, input, budget, metadata }: PreparedTask) {
  return {
    id: task.id,
    tenant: task.tenant,
    agent: task.agent,
    agent_version: task.agentVersion,
    priority: task.priority,
    deadline: task.deadline,
    depth: task.depth,
    parent_task: task.parent?.taskId,
    parent_step: task.parent?.stepId,
    traceparent: task.traceparent,
    key: task.idempotencyKey,
    budget: budget ?? undefined,
    metadata: metadata ?? undefined,
    input,
  }
}

/** Characters of a first commit's events that are kept in the task's own row. */
const MAX_FIRST_EVENTS = 1_000

/** A first commit that changes nothing but the task's own row and its log: it can be part of the row that accept makes. */
export function beginsOnly(prepared: PreparedCommit): boolean {
  const { commit, events, steps, messages, children, snapshot, output, error } = prepared
  return (
    (events === undefined || events.length <= MAX_FIRST_EVENTS) &&
    steps.length + messages.length + children.length === 0 &&
    commit.claim !== undefined &&
    commit.epoch === 0 &&
    commit.version === 0 &&
    (commit.mailRead ?? 0) === 0 &&
    commit.timersSet === undefined &&
    commit.timersCleared === undefined &&
    !hasReference(snapshot, output, error)
  )
}

/**
 * Nothing but the log grows: the row is an entry there, and the task's own row stays as it is. Its number is the fence, for
 * whoever takes the task over writes under the next number too (ADR 22).
 */
export function onlyAdds(prepared: PreparedCommit): boolean {
  return prepared.events !== undefined && prepared.snapshot === undefined && onlyRecords(prepared)
}

/** A running task that goes on running: its row is narrow, and nothing but the row and the log changes. */
export function onlyRecords(prepared: PreparedCommit): boolean {
  const { commit, steps, messages, children } = prepared
  return (
    commit.state === 'running' &&
    commit.claim === undefined &&
    !commit.release &&
    messages.length + children.length === 0 &&
    commit.waitingFor === undefined &&
    commit.mailRead === undefined &&
    commit.timersSet === undefined &&
    commit.timersCleared === undefined &&
    prepared.output === undefined &&
    prepared.error === undefined &&
    prepared.usage === undefined &&
    outcomesApart(prepared).length === 0 &&
    !hasReference(prepared.snapshot) &&
    !steps.some(({ outcome }) => isReference(outcome))
  )
}

function hasReference(...columns: (Column | undefined)[]): boolean {
  return columns.some((column) => column !== undefined && isReference(column))
}

export function firstRow(prepared: PreparedCommit) {
  const { commit } = prepared
  const ended = hasEnded(commit.state)
  return {
    host: commit.claim?.hostId,
    released: commit.release || ended,
    ended,
    wanted: wantsHost(commit),
    state: commit.state,
    count: commit.events.length,
    events: prepared.events,
    snapshot: commit.state === 'completed' ? undefined : prepared.snapshot,
    waiting_for: prepared.waitingFor,
    output: prepared.output,
    error: prepared.error,
    usage: prepared.usage,
  }
}

export function turnRow(n: number, prepared: PreparedCommit) {
  const { commit } = prepared
  return {
    ...firstRow(prepared),
    n,
    id: commit.taskId,
    epoch: commit.epoch,
    version: commit.version,
    last_event: commit.lastEvent,
    mail_read: commit.mailRead ?? 0,
    outcomes: outcomesInLog(prepared),
    resnap: commit.state === 'completed' || prepared.snapshot !== undefined,
  }
}

export function recordRow(n: number, prepared: PreparedCommit) {
  const { commit, events, snapshot } = prepared
  const { taskId: id, epoch, version, lastEvent: last_event } = commit
  const count = commit.events.length
  return { n, id, epoch, version, last_event, count, events, outcomes: outcomesInLog(prepared), snapshot }
}
