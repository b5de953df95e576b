// Tasks and commits to test with: only what a test is about is written in it.
import assert from 'node:assert/strict'
import { newId } from '../../../src/contract/ids.ts'
import type {
  ActorCommit,
  CommitOutcome,
  Journal,
  LoadedTask,
  MessageBody,
  NewMessage,
  NewTask,
  TaskRow,
} from '../../../src/journal/journal.ts'

export type Current = () => Journal

/** A tenant of its own keeps each test's lists and sums apart from the others'. */
export function newTenant(): string {
  return `tenant-${newId('key').slice(4)}`
}

export function makeTask(changes: Partial<NewTask> = {}): NewTask {
  return {
    id: newId('task'),
    tenant: 'acme',
    agent: 'greeter',
    agentVersion: '1.0.0',
    input: { name: 'Ada' },
    priority: 'normal',
    depth: 0,
    ...changes,
  }
}

export async function accepted(journal: Journal, changes: Partial<NewTask> = {}): Promise<TaskRow> {
  return (await journal.accept(makeTask(changes))).task
}

export function commitOn(
  task: Pick<TaskRow, 'id' | 'epoch' | 'version' | 'lastEvent'>,
  changes: Partial<ActorCommit> = {},
): ActorCommit {
  return {
    taskId: task.id,
    epoch: task.epoch,
    version: task.version,
    lastEvent: task.lastEvent,
    release: false,
    state: 'running',
    events: [],
    ...changes,
  }
}

export type Applied = Extract<CommitOutcome, { applied: true }>

export async function apply(journal: Journal, commit: ActorCommit): Promise<Applied> {
  const outcome = await journal.commit(commit)
  assert.equal(outcome.applied, true, JSON.stringify(outcome))
  return outcome as Applied
}

/** What the next commit is made from. */
export function basisOf({ epoch, version, lastEvent }: Applied): Pick<TaskRow, 'epoch' | 'version' | 'lastEvent'> {
  return { epoch, version, lastEvent }
}

export async function failed(journal: Journal, task: TaskRow): Promise<void> {
  const error = { code: 'step_failed', message: 'no' } as const
  await apply(
    journal,
    commitOn(task, { state: 'failed', release: true, error, events: [{ type: 'task.failed', error }] }),
  )
}

/** A host may claim only under a lease. */
export async function leased(journal: Journal, hostId: string = newId('host')): Promise<{ hostId: string }> {
  await journal.keepLease({ hostId, info: {}, leaseMs: 600_000 })
  return { hostId }
}

/** Accepts and claims: the task as its owner has it. */
export async function owned(journal: Journal, hostId: string, changes: Partial<NewTask> = {}): Promise<TaskRow> {
  const task = await accepted(journal, changes)
  const outcome = await apply(
    journal,
    commitOn(task, { claim: await leased(journal, hostId), events: [{ type: 'task.started', host: hostId }] }),
  )
  return { ...task, ...basisOf(outcome), owner: hostId }
}

/** A task that sleeps: claimed and released while it waits for a message. */
export async function asleep(journal: Journal, changes: Partial<NewTask> = {}): Promise<TaskRow> {
  const task = await accepted(journal, changes)
  const outcome = await apply(
    journal,
    commitOn(task, {
      claim: await leased(journal),
      release: true,
      state: 'waiting',
      waitingFor: { kind: 'message' },
    }),
  )
  return { ...task, ...basisOf(outcome), state: 'waiting' }
}

export function signal(to: string, name: string, id: string = newId('msg')): NewMessage {
  return { id, to, from: 'tester', body: { kind: 'event', event: { type: name } } }
}

export async function loaded(journal: Journal, taskId: string): Promise<LoadedTask> {
  const task = await journal.load(taskId)
  assert.ok(task, `${taskId} is not in the journal`)
  return task
}

export async function mailOf(journal: Journal, taskId: string): Promise<MessageBody[]> {
  return (await loaded(journal, taskId)).mail.map(({ body }) => body)
}

export async function eventTypes(journal: Journal, taskId: string): Promise<string[]> {
  const events = await journal.events(taskId, 0, 1000)
  assert.deepEqual(
    events.map(({ number }) => number),
    events.map((_, index) => index + 1),
    'event numbers have no gap',
  )
  return events.map(({ body }) => body.type)
}
