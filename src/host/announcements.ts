// What a host tells others of a task: that it wants a host, and what was committed for it.
import type { TaskEnd } from '../bus/bus.ts'
import type { EventBody, TaskEvent } from '../contract/events.ts'
import { type EndState, hasEnded } from '../contract/task.ts'
import type { ActorCommit, CommitOutcome, TaskRow, Wake } from '../journal/journal.ts'

export type Applied = CommitOutcome & { applied: true }

export function wakeOf({ id, tenant, agent, agentVersion, priority, epoch }: TaskRow): Wake {
  return { taskId: id, tenant, agent, agentVersion, priority, epoch }
}

export function numbered(task: string, bodies: EventBody[], last: number, at: number): TaskEvent[] {
  const first = last - bodies.length + 1
  return bodies.map((body, index) => ({ task, number: first + index, at, body }))
}

/**
 * A commit's events for who follows. Nobody follows what nobody was told of, and most short tasks are over before anybody
 * is: who asks for such a task later reads its journal first, as every follower does.
 */
export function newsOf(task: TaskRow, commit: ActorCommit, outcome: Applied, isUntold: boolean): TaskEvent[] {
  if (isUntold && hasEnded(commit.state)) return []
  return numbered(task.id, commit.events, outcome.lastEvent, outcome.at)
}

/** What the end of a task adds to what was submitted, as the journal will say it. */
export function endOf({ startedAt }: TaskRow, commit: ActorCommit, { lastEvent, at }: Applied): TaskEnd {
  const { output, error, usage } = commit
  const end: TaskEnd = {
    state: commit.state as EndState,
    startedAt: startedAt ?? at,
    updatedAt: at,
    endedAt: at,
    lastEvent,
  }
  if (output !== undefined) end.output = output
  if (error !== undefined) end.error = error
  if (usage !== undefined) end.usage = usage
  return end
}
