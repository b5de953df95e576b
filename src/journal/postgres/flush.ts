// One flight: what was gathered, as the parameters of apply_2. The answer is given back in answers.ts.
import { hasEnded } from '../../contract/task.ts'
import type { Accepted, ActorCommit, CommitOutcome, Delivery } from '../journal.ts'
import type { PreparedCommit, PreparedMessage, PreparedTask } from '../prepare.ts'
import { commitReferences, messageReferences, taskReferences } from '../references.ts'
import { countsAgainstMailbox, wantsHost } from '../rules.ts'
import { type Column, isReference } from '../values.ts'

/** `existing`: the id or the idempotency key was used before; the journal looks up by whom. */
export type AcceptAnswer = Accepted | { existing: true }

export type Op =
  | { kind: 'accept'; prepared: PreparedTask; resolve: (answer: AcceptAnswer) => void; reject: Reject }
  | { kind: 'commit'; prepared: PreparedCommit; resolve: (answer: CommitOutcome) => void; reject: Reject }
  | { kind: 'deliver'; prepared: PreparedMessage; resolve: (answer: Delivery) => void; reject: Reject }
type Reject = (error: unknown) => void

export type FlushValues = (string | number | string[] | null)[]

export interface Flush {
  values: FlushValues
  /** Accepts and the first commits that travel in their row, as places in the flight: accept → commit. */
  firsts: Map<number, number>
}

export function makeFlush(ops: readonly Op[]): Flush {
  const news: NewRow[] = []
  const keys: object[] = []
  const turns: { id: string }[] = []
  const records: { id: string }[] = []
  const children: object[] = []
  const letters: (object & { receiver: string })[] = []
  const outcomes: object[] = []
  const alarms: object[] = []
  const named: object[] = []
  const claimants = new Set<string>()
  const firsts = new Map<number, number>()
  /** Accepts of this flight that a first commit may still join. */
  const open = new Map<string, { row: NewRow; n: number }>()
  for (let n = 0; n < ops.length; n++) {
    const op = ops[n]!
    if (op.kind === 'accept') {
      const { task } = op.prepared
      const row = newRow(op.prepared)
      news.push(row)
      named.push(...taskReferences(op.prepared))
      if (task.idempotencyKey === undefined) open.set(task.id, { row, n })
      else keys.push({ id: task.id, tenant: task.tenant, key: task.idempotencyKey, hash: task.requestHash })
      continue
    }
    if (op.kind === 'deliver') {
      letters.push(letterRow(n, op.prepared))
      named.push(...messageReferences(op.prepared))
      open.delete(op.prepared.message.to)
      continue
    }
    const { commit } = op.prepared
    if (commit.claim !== undefined) claimants.add(commit.claim.hostId)
    const first = open.get(commit.taskId)
    if (first !== undefined && isPlain(op.prepared)) {
      Object.assign(first.row, firstRow(op.prepared))
      firsts.set(first.n, n)
      open.delete(commit.taskId)
    } else if (onlyRecords(op.prepared)) records.push(recordRow(n, op.prepared))
    else {
      turns.push(turnRow(n, op.prepared))
      follow(n, op.prepared)
    }
  }

  function follow(n: number, prepared: PreparedCommit): void {
    const { commit, steps } = prepared
    for (const child of prepared.children) children.push(Object.assign(newRow(child), { c: n }))
    for (const message of prepared.messages) letters.push(Object.assign(letterRow(n, message), { c: n }))
    // The first step's outcome travels in the commit's own row. A completed task keeps none.
    if (commit.state !== 'completed') {
      for (const { id, outcome } of steps.slice(1)) outcomes.push({ c: n, task: commit.taskId, step: id, outcome })
    }
    for (const reference of [
      ...commitReferences(prepared),
      ...prepared.children.flatMap(taskReferences),
      ...prepared.messages.flatMap(messageReferences),
    ]) {
      named.push({ ...reference, c: n })
    }
    if (!hasEnded(commit.state)) alarms.push(...alarmRows(n, prepared))
  }

  const touched =
    letters.length === 0
      ? null
      : [...turns, ...records].map(({ id }) => id).concat(letters.map(({ receiver }) => receiver))
  // In the order of ids, so that flights that touch the same rows lock them in the same order.
  turns.sort(byId)
  records.sort(byId)
  const values = [
    touched,
    claimants.size === 0 ? null : [...claimants],
    rows(keys),
    rows(news),
    news.length,
    rows(turns),
    turns.length,
    rows(records),
    records.length,
    ...[children, letters, outcomes, alarms, named].map(rows),
  ]
  return { values, firsts }
}

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1
}

function rows(list: object[]): string | null {
  return list.length === 0 ? null : JSON.stringify(list)
}

type NewRow = ReturnType<typeof newRow>

function newRow({ task, input, budget, metadata }: PreparedTask) {
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

/** Nothing but the task's own row and its log. */
function isPlain({ commit, steps, messages, children, snapshot, output, error }: PreparedCommit): boolean {
  return (
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

/** A running task that goes on running: its row is narrow, and nothing outside the task changes. */
function onlyRecords({ commit, steps, messages, children, ...columns }: PreparedCommit): boolean {
  return (
    commit.state === 'running' &&
    commit.claim === undefined &&
    !commit.release &&
    steps.length <= 1 &&
    messages.length + children.length === 0 &&
    commit.waitingFor === undefined &&
    commit.mailRead === undefined &&
    commit.timersSet === undefined &&
    commit.timersCleared === undefined &&
    columns.output === undefined &&
    columns.error === undefined &&
    columns.usage === undefined &&
    !hasReference(columns.snapshot, steps[0]?.outcome)
  )
}

function hasReference(...columns: (Column | undefined)[]): boolean {
  return columns.some((column) => column !== undefined && isReference(column))
}

function firstRow(prepared: PreparedCommit) {
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

function turnRow(n: number, prepared: PreparedCommit): { id: string } {
  const { commit, steps } = prepared
  const completed = commit.state === 'completed'
  const step = completed ? undefined : steps[0]
  return Object.assign(firstRow(prepared), {
    n,
    id: commit.taskId,
    epoch: commit.epoch,
    version: commit.version,
    mail_read: commit.mailRead ?? 0,
    step: step?.id,
    outcome: step?.outcome,
    resnap: completed || prepared.snapshot !== undefined,
  })
}

function recordRow(n: number, { commit, events, steps, snapshot }: PreparedCommit): { id: string } {
  const { taskId: id, epoch, version } = commit
  const step = steps[0]
  return {
    n,
    id,
    epoch,
    version,
    count: commit.events.length,
    events,
    step: step?.id,
    outcome: step?.outcome,
    snapshot,
  } as { id: string }
}

function letterRow(n: number, { message, body }: PreparedMessage): { receiver: string; body: Column } {
  return Object.assign(
    { receiver: message.to, body },
    { n, tenant: message.tenant, id: message.id, sender: message.from, event: countsAgainstMailbox(message.body) },
  )
}

function alarmRows(n: number, { commit }: { commit: ActorCommit }): object[] {
  const alarms = new Map<string, number | null>()
  for (const id of commit.timersCleared ?? []) alarms.set(id, null)
  for (const { id, inMs } of commit.timersSet ?? []) alarms.set(id, Math.max(0, Math.ceil(inMs)))
  return [...alarms].map(([id, ms]) => ({ c: n, task: commit.taskId, id, ms }))
}
