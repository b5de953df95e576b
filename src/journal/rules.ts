// What both adapters decide alike, in one place.
import type { ErrorRecord } from '../contract/errors.ts'
import type { EventBody, EventType } from '../contract/events.ts'
import type { TaskState } from '../contract/task.ts'
import type { ActorCommit, MessageBody, NewMessage } from './journal.ts'

/** The journal sets this timer at accept, and turns it into `{ kind: 'deadline' }` rather than a timer message. */
export const DEADLINE_TIMER = 'deadline'

/** How long a mailbox remembers the ids of what was read, counted in messages. */
export const REMEMBERED_MESSAGES = 10_000

/** How long an ended lease is remembered, so that a paused host that comes back learns that it has ended. */
export const ENDED_LEASE_KEPT_MS = 24 * 60 * 60 * 1000

/**
 * Released in such a state a task wants a host at once, mail or not: its steps were to go on (drain), or it waits for
 * nothing but a host. Everything else sleeps until mail comes.
 */
export function wantsHost(commit: Pick<ActorCommit, 'state' | 'waitingFor'>): boolean {
  return commit.state === 'queued' || commit.state === 'running' || commit.waitingFor?.kind === 'host'
}

/** A full mailbox refuses events. What ends waiting or stops a task always passes, or P5 and P7 would not hold. */
export function countsAgainstMailbox(body: MessageBody): boolean {
  return body.kind === 'event'
}

/**
 * What shows that a task has come further: no incarnation does it again. A task that kills at one place says neither between
 * two deaths, however much it reports before it comes there.
 */
export const CAME_FURTHER: readonly EventType[] = ['step.completed', 'child.ended']

export function timerMessageBody(timerId: string): MessageBody {
  return timerId === DEADLINE_TIMER ? { kind: 'deadline' } : { kind: 'timer', timerId }
}

export function acceptedEvent(agent: string, version: string): EventBody {
  return { type: 'task.accepted', agent, version }
}

export function poisonedError(taskId: string, deaths: number): ErrorRecord {
  return {
    code: 'task_poisoned',
    message: `${deaths} hosts died while they ran ${taskId}`,
    detail: { taskId, deaths },
  }
}

/** A poisoned task has no actor left that could tell its parent; the journal does. */
export function poisonedReply(child: {
  id: string
  parentTask: string
  parentStep: string
  error: ErrorRecord
}): NewMessage {
  return {
    // The id that the actor's own reply would have: a parent hears of the end of a child once.
    id: `reply:${child.id}`,
    to: child.parentTask,
    from: child.id,
    // The child's id tells the invocation: each invocation asks a new child.
    body: {
      kind: 'reply',
      stepId: child.parentStep,
      invocation: 0,
      childId: child.id,
      outcome: { ok: false, error: child.error },
      state: 'failed' satisfies TaskState,
    },
  }
}
