// What a host tells others of a task: that it wants a host, and what was committed for it.
import type { EventBody, TaskEvent } from '../contract/events.ts'
import type { TaskRow, Wake } from '../journal/journal.ts'

export function wakeOf({ id, tenant, agent, agentVersion, priority, epoch }: TaskRow): Wake {
  return { taskId: id, tenant, agent, agentVersion, priority, epoch }
}

export function numbered(task: string, bodies: EventBody[], last: number, at: number): TaskEvent[] {
  const first = last - bodies.length + 1
  return bodies.map((body, index) => ({ task, number: first + index, at, body }))
}
