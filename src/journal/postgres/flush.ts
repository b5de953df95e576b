// One flight: what was gathered, as the parameters of apply_6. The answer is given back in answers.ts.
import { hasEnded } from '../../contract/task.ts'
import type { Accepted, ActorCommit, CommitOutcome, Delivery } from '../journal.ts'
import type { PreparedCommit, PreparedMessage, PreparedTask } from '../prepare.ts'
import { commitReferences, messageReferences, taskReferences } from '../references.ts'
import { countsAgainstMailbox } from '../rules.ts'
import type { Column } from '../values.ts'
import { beginsOnly, firstRow, type NewRow, newRow, onlyAdds, onlyRecords, recordRow, turnRow } from './flight-rows.ts'
import { outcomesApart } from './outcomes.ts'
import type { Value } from './statement.ts'

/** `existing`: the id or the idempotency key was used before; the journal looks up by whom. */
export type AcceptAnswer = Accepted | { existing: true }

export type Op =
  | { kind: 'accept'; prepared: PreparedTask; resolve: (answer: AcceptAnswer) => void; reject: Reject }
  | { kind: 'commit'; prepared: PreparedCommit; resolve: (answer: CommitOutcome) => void; reject: Reject }
  | { kind: 'deliver'; prepared: PreparedMessage; resolve: (answer: Delivery) => void; reject: Reject }
type Reject = (error: unknown) => void

export interface Flush {
  values: Value[]
  /** Accepts and the first commits that travel in their row, as places in the flight: accept → commit. */
  firsts: Map<number, number>
}

export function makeFlush(ops: readonly Op[]): Flush {
  const news: NewRow[] = []
  const keys: object[] = []
  const turns: { id: string }[] = []
  const records: { id: string }[] = []
  const entries: { id: string }[] = []
  const children: object[] = []
  const letters: (object & { receiver: string })[] = []
  const apart: { c: number; task: string; step: string; outcome: Column }[] = []
  const alarms: { task: string }[] = []
  const named: { c?: number; task: string }[] = []
  const claimants = new Set<string>()
  const labelled = new Set<string>()
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
      if (task.labels !== undefined) labelled.add(task.id)
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
    if (first !== undefined && beginsOnly(op.prepared)) {
      Object.assign(first.row, firstRow(op.prepared))
      firsts.set(first.n, n)
      open.delete(commit.taskId)
    } else if (onlyAdds(op.prepared)) entries.push(recordRow(n, op.prepared))
    else if (onlyRecords(op.prepared)) records.push(recordRow(n, op.prepared))
    else {
      turns.push(turnRow(n, op.prepared))
      follow(n, op.prepared)
    }
  }

  function follow(n: number, prepared: PreparedCommit): void {
    const { commit } = prepared
    for (const child of prepared.children) {
      children.push(Object.assign(newRow(child), { c: n }))
      if (child.task.labels !== undefined) labelled.add(child.task.id)
    }
    for (const message of prepared.messages) letters.push(Object.assign(letterRow(n, message), { c: n }))
    for (const { id, outcome } of outcomesApart(prepared)) apart.push({ c: n, task: commit.taskId, step: id, outcome })
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
      : array([...turns, ...records, ...entries].map(({ id }) => id).concat(letters.map(({ receiver }) => receiver)))
  // In the order of ids, so that flights that touch the same rows lock them in the same order.
  turns.sort(byId)
  records.sort(byId)
  entries.sort(byId)
  const holders = new Set([...apart, ...alarms, ...named].map(({ task }) => task))
  const values = [
    touched,
    list(claimants),
    list(holders),
    rows(keys),
    rows(news),
    news.length,
    rows(turns),
    turns.length,
    rows(records),
    records.length,
    rows(entries),
    entries.length,
    ...[children, letters, apart, alarms, named].map(rows),
    list(labelled),
  ]
  return { values, firsts }
}

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1
}

function rows(list: object[]): string | null {
  return list.length === 0 ? null : JSON.stringify(list)
}

function list(names: Set<string>): string | null {
  return names.size === 0 ? null : array(names)
}

/** As Postgres writes an array of texts. */
function array(names: Iterable<string>): string {
  return `{${Array.from(names, (name) => `"${name.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`
}

function letterRow(n: number, { message, body }: PreparedMessage): { receiver: string; body: Column } {
  return Object.assign(
    { receiver: message.to, body },
    { n, tenant: message.tenant, id: message.id, sender: message.from, event: countsAgainstMailbox(message.body) },
  )
}

function alarmRows(n: number, { commit }: { commit: ActorCommit }): { task: string }[] {
  const alarms = new Map<string, number | null>()
  for (const id of commit.timersCleared ?? []) alarms.set(id, null)
  for (const { id, inMs } of commit.timersSet ?? []) alarms.set(id, Math.max(0, Math.ceil(inMs)))
  return [...alarms].map(([id, ms]) => ({ c: n, task: commit.taskId, id, ms }))
}
