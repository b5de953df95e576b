// Committed events, for who is watching now. A subject and a subscription for each task would cost more than the events:
// tasks share a few buckets by the second in which they were made. What was accepted together mostly ends together, so the
// events of one turn travel in one message, and a reader of one task hears only a part of its tenant.
import type { Msg } from '@nats-io/transport-node'
import type { TaskEvent } from '../../contract/events.ts'
import type { Unsubscribe } from '../bus.ts'
import { afterTurn, inBatches } from './after-turn.ts'
import type { Connection } from './connection.ts'
import type { createFanOut } from './fan-out.ts'
import type { Subjects } from './subjects.ts'

const BUCKETS = 16
/** Of `task_` and ten letters of time: the letter that changes about once a second. */
const SECOND = 'task_'.length + 7
const MAX_BATCH = 500
/** Well below what a server takes by default (1 MB). What is larger is not announced: followers look in the journal. */
const MAX_BYTES = 512 * 1024

/** A subscription outlives its last reader by this: one task after the other would subscribe and unsubscribe each time. */
const LINGER_MS = 2_000

type Handler = (events: TaskEvent[]) => void

export function createLive(connection: Connection, subjects: Subjects, fanOut: ReturnType<typeof createFanOut>) {
  const gathered = new Map<string, string[]>()
  /** Who follows one task, by subject and task. */
  const readers = new Map<string, { tasks: Map<string, Set<Handler>>; unsubscribe: Unsubscribe }>()

  const send = afterTurn(() => {
    for (const [subject, events] of gathered) {
      for (const { payload } of inBatches(events, MAX_BATCH, MAX_BYTES)) {
        // While the connection is down this would pile up in memory; the journal has it all.
        if (connection.connected) connection.nats.publish(subject, payload)
      }
    }
    gathered.clear()
  })

  function hear(tasks: Map<string, Set<Handler>>, message: Msg): void {
    const ours = new Map<string, TaskEvent[]>()
    for (const event of message.json<TaskEvent[]>()) {
      if (!tasks.has(event.task)) continue
      const events = ours.get(event.task)
      if (events === undefined) ours.set(event.task, [event])
      else events.push(event)
    }
    for (const [task, events] of ours) for (const handler of tasks.get(task) ?? []) handler(events)
  }

  return {
    publish(tenant: string, events: TaskEvent[]): void {
      const first = events[0]
      if (first === undefined) return
      const subject = subjects.live(tenant, bucketOf(first.task))
      const waiting = gathered.get(subject) ?? []
      gathered.set(subject, waiting)
      for (const event of events) {
        const json = JSON.stringify(event)
        if (json.length * 3 <= MAX_BYTES) waiting.push(json)
      }
      send()
    },

    follow(tenant: string, task: string | undefined, handler: Handler): Unsubscribe {
      if (task === undefined) {
        return fanOut.follow(subjects.live(tenant, '*'), (message) => handler(message.json<TaskEvent[]>()))
      }
      const subject = subjects.live(tenant, bucketOf(task))
      let reader = readers.get(subject)
      if (reader === undefined) {
        const tasks = new Map<string, Set<Handler>>()
        reader = { tasks, unsubscribe: fanOut.follow(subject, (message) => hear(tasks, message)) }
        readers.set(subject, reader)
      }
      const { tasks, unsubscribe } = reader
      const handlers = tasks.get(task) ?? new Set()
      tasks.set(task, handlers)
      handlers.add(handler)
      return () => {
        handlers.delete(handler)
        if (handlers.size === 0 && tasks.get(task) === handlers) tasks.delete(task)
        if (tasks.size > 0) return
        const linger = setTimeout(() => {
          if (tasks.size > 0 || readers.get(subject)?.tasks !== tasks) return
          readers.delete(subject)
          unsubscribe()
        }, LINGER_MS)
        linger.unref()
      }
    },
  }
}

function bucketOf(task: string): string {
  return String((task.charCodeAt(SECOND) || 0) % BUCKETS)
}
