// What hosts and doors read. Nothing here waits for a transaction: WAL gives each read the last committed state.
import type { DatabaseSync } from 'node:sqlite'
import { WEBHOOK_AGENT } from '../../contract/callbacks.ts'
import type { EventBody, TaskEvent } from '../../contract/events.ts'
import type { TaskState, Usage } from '../../contract/task.ts'
import type { BlobStore } from '../blobs.ts'
import type { LoadedTask, LogHead, Message, TaskQuery, TaskRow } from '../journal.ts'
import { ALL_COLUMNS, OUTSIDE_COLUMNS, type TaskColumns, withShownValues, withValues } from '../rows.ts'
import { acceptedEvent } from '../rules.ts'
import { fetchBack } from '../values.ts'
import { listTasks } from './lists.ts'

export function reads(db: DatabaseSync, blobs: BlobStore) {
  const whole = db.prepare(`SELECT ${ALL_COLUMNS}, seq FROM tasks WHERE id = ?`)
  const outside = db.prepare(`SELECT ${OUTSIDE_COLUMNS} FROM tasks WHERE id = ?`)
  const unread = db.prepare(`
    SELECT message_id, position, sender, body FROM mail WHERE task = ? AND position > ? ORDER BY position`)
  const steps = db.prepare('SELECT step, outcome FROM steps WHERE task = ?')
  const logged = db.prepare('SELECT seq, agent, agent_version, created_at FROM tasks WHERE id = ?')
  // The row that holds `after` may begin before it, so reading starts at the last row that begins at or before it.
  const log = db.prepare(`
    SELECT first_number, at, bodies FROM log WHERE task = ?1 AND first_number >= coalesce(
      (SELECT max(first_number) FROM log WHERE task = ?1 AND first_number <= ?2), 0) ORDER BY first_number`)
  const heads = db.prepare(`
    SELECT id, last_event AS lastEvent, state FROM tasks WHERE id IN (SELECT value FROM json_each(?))`)
  const counters = db.prepare('SELECT agent, state, tasks FROM counters WHERE tasks > 0 ORDER BY agent, state')
  const spent = db.prepare(`
    SELECT count(*) AS tasks, coalesce(sum(usage ->> 'inputTokens'), 0) AS input,
      coalesce(sum(usage ->> 'outputTokens'), 0) AS output, coalesce(sum(usage ->> 'costMicros'), 0) AS cost
    FROM (
      SELECT usage FROM tasks WHERE tenant = ?1 AND created_at >= ?2 AND agent <> '${WEBHOOK_AGENT.name}'
      UNION ALL SELECT usage FROM erased WHERE tenant = ?1 AND created_at >= ?2)`)

  return {
    async load(taskId: string): Promise<LoadedTask | undefined> {
      const row = whole.get(taskId)
      if (row === undefined) return undefined
      const columns = row as unknown as TaskColumns
      const mail = columns.mail_position > columns.mail_read ? unread.all(row.seq!, columns.mail_read) : []
      const recorded = steps.all(row.seq!)
      const loaded: LoadedTask = { task: await withValues(columns, blobs), mail: [], steps: {} }
      for (const { message_id, position, sender, body } of mail) {
        const message: Message = {
          id: String(message_id),
          position: Number(position),
          from: String(sender),
          body: JSON.parse(await fetchBack(String(body), blobs)),
        }
        loaded.mail.push(message)
      }
      for (const { step, outcome } of recorded) {
        loaded.steps[String(step)] = JSON.parse(await fetchBack(String(outcome), blobs))
      }
      return loaded
    },

    async get(taskId: string, tenant?: string): Promise<TaskRow | undefined> {
      const row = outside.get(taskId)
      if (row === undefined || (tenant !== undefined && row.tenant !== tenant)) return undefined
      return withShownValues(row as unknown as TaskColumns, blobs)
    },

    list: (query: TaskQuery) => listTasks(db, query),

    events(taskId: string, after: number, limit: number): TaskEvent[] {
      const task = logged.get(taskId)
      if (task === undefined) return []
      const events: TaskEvent[] = []
      if (after < 1 && limit > 0) {
        const body = acceptedEvent(String(task.agent), String(task.agent_version))
        events.push({ task: taskId, number: 1, at: Number(task.created_at), body })
      }
      for (const row of log.iterate(task.seq!, after + 1)) {
        if (events.length >= limit) break
        let number = Number(row.first_number)
        for (const body of JSON.parse(String(row.bodies)) as EventBody[]) {
          if (number > after && events.length < limit) events.push({ task: taskId, number, at: Number(row.at), body })
          number++
        }
      }
      return events
    },

    heads(taskIds: readonly string[]): LogHead[] {
      return heads.all(JSON.stringify(taskIds)) as unknown as LogHead[]
    },

    counts(): { agent: string; state: TaskState; tasks: number }[] {
      return counters.all() as unknown as { agent: string; state: TaskState; tasks: number }[]
    },

    usage(tenant: string, since: number): Usage & { tasks: number } {
      const row = spent.get(tenant, since)!
      return {
        tasks: Number(row.tasks),
        inputTokens: Number(row.input),
        outputTokens: Number(row.output),
        costMicros: Number(row.cost),
      }
    },
  }
}
