// One flush: what a lane gathered, as the parameters of apply_2, and its answer given back to each caller.
import { hasEnded } from '../../contract/task.ts'
import type { Accepted, CommitOutcome, Delivery, TaskRow, Wake } from '../journal.ts'
import type { PreparedCommit, PreparedMessage, PreparedTask } from '../prepare.ts'
import { commitReferences, messageReferences, taskReferences } from '../references.ts'
import { acceptedRow, toWake } from '../rows.ts'
import { countsAgainstMailbox, wantsHost } from '../rules.ts'
import type { Column } from '../values.ts'

/** `existing`: the id or the idempotency key was used before; the journal looks up by whom. */
export type AcceptAnswer = Accepted | { existing: true }

export type Op =
  | { kind: 'accept'; prepared: PreparedTask; resolve: (answer: AcceptAnswer) => void; reject: Reject }
  | { kind: 'commit'; prepared: PreparedCommit; resolve: (answer: CommitOutcome) => void; reject: Reject }
  | { kind: 'deliver'; prepared: PreparedMessage; resolve: (answer: Delivery) => void; reject: Reject }
type Reject = (error: unknown) => void

export interface Answer {
  at: number
  /** [op, epoch, version, last event, mail position, runnable] */
  commits: [number, number, number, number, number, boolean][] | null
  refused: [number, 'unknown_task' | 'ended' | 'lease' | 'epoch'][] | null
  created: string[] | null
  letters: Letter[] | null
}

/** [op, verdict, receiver, tenant, agent, version, priority, epoch, owner] */
export type Letter = [
  number,
  'new' | 'duplicate' | 'unknown_task' | 'ended' | 'mailbox_full',
  string,
  string,
  string,
  string,
  Wake['priority'],
  number,
  string | null,
]

export function flushValues(ops: readonly Op[]): (string | string[] | null)[] {
  const news: object[] = []
  const commits: { id: string }[] = []
  const letters: (object & { receiver: string })[] = []
  const outcomes: object[] = []
  const alarms: object[] = []
  const named: object[] = []
  for (let n = 0; n < ops.length; n++) {
    const op = ops[n]!
    if (op.kind === 'accept') {
      news.push(newRow(op.prepared))
      named.push(...taskReferences(op.prepared))
    } else if (op.kind === 'deliver') {
      letters.push(letterRow(n, op.prepared))
      named.push(...messageReferences(op.prepared))
    } else {
      const { commit, steps, children, messages } = op.prepared
      commits.push(commitRow(n, op.prepared))
      for (const child of children) news.push({ ...newRow(child), c: n, key: undefined })
      for (const message of messages) letters.push(Object.assign(letterRow(n, message), { c: n }))
      for (const { id, outcome } of steps) outcomes.push({ c: n, task: commit.taskId, step: id, outcome })
      for (const reference of [
        ...commitReferences(op.prepared),
        ...children.flatMap(taskReferences),
        ...messages.flatMap(messageReferences),
      ]) {
        named.push({ ...reference, c: n })
      }
      if (!hasEnded(commit.state)) alarms.push(...alarmRows(n, op.prepared))
    }
  }
  const touched =
    letters.length === 0 ? null : [...commits.map(({ id }) => id), ...letters.map(({ receiver }) => receiver)]
  // In the order of ids, so that flushes that touch the same rows lock them in the same order.
  commits.sort((a, b) => (a.id < b.id ? -1 : 1))
  return [touched, rows(news), rows(commits), rows(letters), rows(outcomes), rows(alarms), rows(named)]
}

function rows(list: object[]): string | null {
  return list.length === 0 ? null : JSON.stringify(list)
}

function newRow({ task, input, budget, metadata }: PreparedTask): object {
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
    hash: task.requestHash,
    budget,
    metadata,
    input,
  }
}

function commitRow(n: number, prepared: PreparedCommit): { id: string } {
  const { commit } = prepared
  const ended = hasEnded(commit.state)
  const completed = commit.state === 'completed'
  return Object.assign(
    { id: commit.taskId },
    {
      n,
      epoch: commit.epoch,
      version: commit.version,
      host: commit.claim?.hostId,
      released: commit.release || ended,
      ended,
      wanted: wantsHost(commit),
      state: commit.state,
      mail_read: commit.mailRead ?? 0,
      count: commit.events.length,
      events: prepared.events,
      resnap: completed || prepared.snapshot !== undefined,
      snapshot: completed ? undefined : prepared.snapshot,
      waiting_for: prepared.waitingFor,
      output: prepared.output,
      error: prepared.error,
      usage: prepared.usage,
    },
  )
}

function letterRow(n: number, { message, body }: PreparedMessage): { receiver: string; body: Column } {
  return Object.assign(
    { receiver: message.to, body },
    { n, tenant: message.tenant, id: message.id, sender: message.from, event: countsAgainstMailbox(message.body) },
  )
}

function alarmRows(n: number, { commit }: PreparedCommit): object[] {
  const alarms = new Map<string, number | null>()
  for (const id of commit.timersCleared ?? []) alarms.set(id, null)
  for (const { id, inMs } of commit.timersSet ?? []) alarms.set(id, Math.max(0, Math.ceil(inMs)))
  return [...alarms].map(([id, ms]) => ({ c: n, task: commit.taskId, id, ms }))
}

export function settle(ops: readonly Op[], answer: Answer): void {
  const created = new Set(answer.created)
  const commits = new Map(answer.commits?.map((row) => [row[0], row]))
  const refused = new Map(answer.refused)
  const letters = new Map<number, Letter[]>()
  for (const letter of answer.letters ?? []) {
    const of = letters.get(letter[0])
    if (of === undefined) letters.set(letter[0], [letter])
    else of.push(letter)
  }
  for (let n = 0; n < ops.length; n++) {
    const op = ops[n]!
    if (op.kind === 'accept') {
      const { task } = op.prepared
      // Of two accepts of one id in one flush the first made it.
      op.resolve(created.delete(task.id) ? { task: acceptedRow(task, answer.at), created: true } : { existing: true })
    } else if (op.kind === 'deliver') op.resolve(deliveryOf(letters.get(n)![0]!))
    else {
      const row = commits.get(n)
      if (row === undefined) op.resolve({ applied: false, because: refused.get(n) ?? 'epoch' })
      else op.resolve(outcomeOf(op.prepared, row, letters.get(n) ?? [], answer.at))
    }
  }
}

function outcomeOf(
  { commit, children }: PreparedCommit,
  [, epoch, version, lastEvent, mailPosition, runnable]: [number, number, number, number, number, boolean],
  letters: Letter[],
  at: number,
): CommitOutcome {
  const sent = letters.filter(([, verdict]) => verdict === 'new')
  const toItself = sent.filter(([, , receiver]) => receiver === commit.taskId).length
  return {
    applied: true,
    epoch,
    version,
    lastEvent,
    at,
    mailPosition: mailPosition + toItself,
    runnable: runnable || (commit.release && !hasEnded(commit.state) && toItself > 0),
    woken: sent.map(wakeOf),
    children: children.map(({ task }): TaskRow => acceptedRow(task, at)),
  }
}

function deliveryOf(letter: Letter): Delivery {
  const verdict = letter[1]
  if (verdict === 'new' || verdict === 'duplicate') {
    return { delivered: true, duplicate: verdict === 'duplicate', wake: wakeOf(letter) }
  }
  return { delivered: false, because: verdict }
}

export function wakeOf([, , id, tenant, agent, agent_version, priority, epoch, owner]: Letter): Wake {
  return toWake({ id, tenant, agent, agent_version, priority, epoch, owner })
}
