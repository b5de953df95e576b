// A turn as the journal takes it: only what the turn really holds, so that a commit costs what it changes.
import type { Usage } from '../contract/task.ts'
import type { ActorCommit, TaskRow } from '../journal/journal.ts'
import { noticesOf } from '../journal/notices.ts'
import type { outwardState } from './settle.ts'
import type { Turn } from './turn.ts'

export function composeCommit(
  turn: Turn,
  actor: {
    task: TaskRow
    release: boolean
    claim?: { hostId: string }
    outward: ReturnType<typeof outwardState>
    usage: Usage | undefined
    mailKnown: number | undefined
  },
): ActorCommit {
  const commit: ActorCommit = {
    taskId: actor.task.id,
    epoch: actor.task.epoch,
    version: actor.task.version,
    lastEvent: actor.task.lastEvent,
    release: actor.release,
    ...actor.outward,
    events: turn.events,
  }
  if (actor.claim !== undefined) commit.claim = actor.claim
  if (turn.mailRead !== undefined) commit.mailRead = turn.mailRead
  if (actor.mailKnown !== undefined) commit.mailKnown = actor.mailKnown
  if (Object.keys(turn.recorded).length > 0) commit.steps = turn.recorded
  if (turn.timersSet.length > 0) commit.timersSet = turn.timersSet
  if (turn.timersCleared.length > 0) commit.timersCleared = turn.timersCleared
  if (turn.messages.length > 0) commit.messages = turn.messages
  const { callbacks } = actor.task
  const children = callbacks === undefined ? turn.children : [...turn.children, ...noticesOf(actor.task, commit)]
  if (children.length > 0) commit.children = children
  if (actor.usage !== undefined) commit.usage = actor.usage
  return commit
}

/** The task is the host's, and is otherwise as it was; who dies as its owner shall not be taken for one who let it go. */
export function claimOf(task: TaskRow, hostId: string): ActorCommit {
  const { id: taskId, epoch, version, lastEvent, state, waitingFor } = task
  const commit = { taskId, epoch, version, lastEvent, claim: { hostId }, release: false, events: [] }
  // What it waited for was a host.
  if (state === 'queued') return { ...commit, state: 'running' }
  return waitingFor === undefined ? { ...commit, state } : { ...commit, state, waitingFor }
}
