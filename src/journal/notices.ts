// The tasks that tell a task's callbacks of its news. They are accepted in the commit that makes the news: by the actor,
// and for a poisoned task, which has no actor left, by the journal. Their ids are made of the task and the event's number,
// so that the same news is one delivery, however often it is computed.
import { createHash } from 'node:crypto'
import { type CallbackEvent, callbackEventOf, DELIVERY_LABEL, WEBHOOK_AGENT } from '../contract/callbacks.ts'
import type { ActorCommit, NewTask, TaskRow } from './journal.ts'

/** The input of a delivery. Neither address nor secret: a task's input can be read. */
export interface Notice {
  task: string
  /** The event's number in the task's log. */
  number: number
  event: CallbackEvent
  /** Which of the task's callbacks. */
  callback: number
}

type Told = Pick<TaskRow, 'id' | 'tenant' | 'priority' | 'depth' | 'callbacks' | 'traceparent' | 'state' | 'lastEvent'>

/** The task as it was before the commit. */
export function noticesOf(task: Told, { state, events }: Pick<ActorCommit, 'state' | 'events'>): NewTask[] {
  if (task.callbacks === undefined) return []
  // One that waits for a person may go on with other steps meanwhile; who is in another state asks anew.
  if (state === task.state && !events.some(({ type }) => type === 'state.entered')) return []
  const event = callbackEventOf(state)
  if (event === undefined) return []
  const number = task.lastEvent + events.length
  return task.callbacks.flatMap(({ events: wanted }, callback) => {
    if (wanted !== undefined && !wanted.includes(event)) return []
    const input: Notice = { task: task.id, number, event, callback }
    const notice: NewTask = {
      id: noticeId(task.id, number, callback),
      tenant: task.tenant,
      agent: WEBHOOK_AGENT.name,
      agentVersion: WEBHOOK_AGENT.version,
      input,
      priority: task.priority,
      depth: task.depth + 1,
      labels: { [DELIVERY_LABEL]: task.id },
    }
    if (task.traceparent !== undefined) notice.traceparent = task.traceparent
    return [notice]
  })
}

/** The time of the task's own id, then as much of the hash as has room; Postgres makes the same (postgres/labels.ts). */
function noticeId(task: string, number: number, callback: number): string {
  const hash = createHash('sha256').update(`${task}:${number}:${callback}`).digest('hex')
  return task.slice(0, 15) + hash.slice(0, 16)
}
