// What hosts and doors read. The loads of one moment are one query, because a host that starts many tasks loads many.
import { WEBHOOK_AGENT } from '../../contract/callbacks.ts'
import type { EventBody, TaskEvent } from '../../contract/events.ts'
import { MAX_PAGE } from '../../contract/limits.ts'
import type { TaskState, Usage } from '../../contract/task.ts'
import { LABELS_COUNTED } from '../attached.ts'
import type { BlobStore } from '../blobs.ts'
import { fromCursor, toCursor } from '../cursor.ts'
import type { LoadedTask, LogHead, Message, TaskQuery, TaskRow } from '../journal.ts'
import { ALL_COLUMNS, OUTSIDE_COLUMNS, type TaskColumns, toTaskRow, withShownValues, withValues } from '../rows.ts'
import { acceptedEvent } from '../rules.ts'
import { fetchBack } from '../values.ts'
import { Gathered } from './gathered.ts'
import { CURRENT_TASKS, current } from './newest.ts'
import { RECORDED, readOutcomes } from './outcomes.ts'
import type { Readers } from './readers.ts'

interface LoadRow extends TaskColumns {
  mail: [string, number, string, string][] | null
  recorded: string[] | null
}

const LOAD = `
  SELECT ${current(ALL_COLUMNS)},
    CASE WHEN mail_position > mail_read THEN (
      SELECT json_agg(json_build_array(message_id, position, sender, body) ORDER BY position)
      FROM mail WHERE mail.task = tasks.id AND position > mail_read) END AS mail,
    CASE WHEN state <> 'completed' THEN (${RECORDED}) END AS recorded
  FROM ${CURRENT_TASKS} WHERE id = ANY ($1)`

const GET = `SELECT ${current(OUTSIDE_COLUMNS)} FROM ${CURRENT_TASKS} WHERE id = ANY ($1)`

// The row that holds \`after\` may begin before it, so reading starts at the last row that begins at or before it. Before all
// rows of the log there may be events in the task's own row: those of a first commit that came with the acceptance.
const EVENTS = `
  SELECT 2 AS first_number, created_at AS at, first_events AS bodies FROM tasks
  WHERE id = $1 AND first_events IS NOT NULL AND NOT EXISTS (SELECT 1 FROM log WHERE task = $1 AND first_number <= $2)
  UNION ALL
  SELECT first_number, at, bodies FROM log WHERE task = $1 AND first_number >= coalesce(
    (SELECT max(first_number) FROM log WHERE task = $1 AND first_number <= $2), 0)
  ORDER BY first_number LIMIT $3`

const HEADS = `SELECT ${current('id, state, last_event')} FROM ${CURRENT_TASKS} WHERE id = ANY ($1)`

const COUNT_LABELS = `
  SELECT label FROM unnest($2::text[]) AS wanted (label), LATERAL (
    SELECT count(*) AS tasks FROM (
      SELECT 1 FROM labels WHERE whose = $1 AND labels.label = wanted.label LIMIT ${LABELS_COUNTED}) AS few) AS counted
  ORDER BY tasks`

const USAGE = `
  SELECT count(*) AS tasks, coalesce(sum((usage::json ->> 'inputTokens')::bigint), 0) AS input,
    coalesce(sum((usage::json ->> 'outputTokens')::bigint), 0) AS output,
    coalesce(sum((usage::json ->> 'costMicros')::bigint), 0) AS cost
  FROM (
    SELECT usage FROM tasks WHERE tenant = $1 AND created_at >= $2 AND agent <> '${WEBHOOK_AGENT.name}'
    UNION ALL SELECT usage FROM erased WHERE tenant = $1 AND created_at >= $2) AS spent`

export function reads(readers: Readers, blobs: BlobStore) {
  const loads = new Gathered<LoadRow>((ids) => readers.rows('load', LOAD, [ids]))
  const gets = new Gathered<TaskColumns>((ids) => readers.rows('get', GET, [ids]))

  /** Of labels the one that fewest tasks have leads, as far as a short look can tell. */
  async function rarestFirst({ tenant, labels = [] }: TaskQuery): Promise<string[]> {
    if (tenant === undefined || labels.length < 2) return labels
    const counted = await readers.rows<{ label: string }>('count-labels', COUNT_LABELS, [tenant, labels])
    return counted.map(({ label }) => label)
  }

  return {
    async load(taskId: string): Promise<LoadedTask | undefined> {
      const row = await loads.get(taskId)
      if (row === undefined) return undefined
      const steps = await readOutcomes(row.recorded ?? [], (column) => fetchBack(column, blobs))
      const loaded: LoadedTask = { task: await withValues(row, blobs), mail: [], steps }
      for (const [id, position, from, body] of row.mail ?? []) {
        const message: Message = { id, position, from, body: JSON.parse(await fetchBack(body, blobs)) }
        loaded.mail.push(message)
      }
      return loaded
    },

    async get(taskId: string, tenant?: string): Promise<TaskRow | undefined> {
      const row = await gets.get(taskId)
      if (row === undefined || (tenant !== undefined && row.tenant !== tenant)) return undefined
      return withShownValues(row, blobs)
    },

    async byKey(tenant: string, key: string): Promise<{ taskId: string; requestHash: string | null } | undefined> {
      const sql =
        'SELECT task AS "taskId", request_hash AS "requestHash" FROM idempotency WHERE tenant = $1 AND key = $2'
      const [row] = await readers.rows<{ taskId: string; requestHash: string | null }>('by-key', sql, [tenant, key])
      return row
    },

    async list(query: TaskQuery): Promise<{ tasks: TaskRow[]; nextCursor?: string }> {
      const limit = Math.max(1, Math.min(query.limit, MAX_PAGE))
      const { sql, values } = listing({ ...query, labels: await rarestFirst(query) }, limit + 1)
      const found = await readers.rows<TaskColumns>(undefined, sql, values)
      const page = found.slice(0, limit)
      const last = page.at(-1)
      const tasks = page.map(toTaskRow)
      if (found.length <= limit || last === undefined) return { tasks }
      return { tasks, nextCursor: toCursor({ createdAt: last.created_at, id: last.id }) }
    },

    async events(taskId: string, after: number, limit: number): Promise<TaskEvent[]> {
      const [task, rows] = await Promise.all([
        after < 1 && limit > 0 ? gets.get(taskId) : undefined,
        readers.rows<{ first_number: number; at: number; bodies: string }>('events', EVENTS, [
          taskId,
          after + 1,
          limit,
        ]),
      ])
      const events: TaskEvent[] = []
      if (task !== undefined) {
        events.push({
          task: taskId,
          number: 1,
          at: task.created_at,
          body: acceptedEvent(task.agent, task.agent_version),
        })
      }
      for (const { first_number, at, bodies } of rows) {
        let number = first_number
        for (const body of JSON.parse(bodies) as EventBody[]) {
          if (number > after && events.length < limit) events.push({ task: taskId, number, at, body })
          number++
        }
      }
      return events
    },

    async heads(taskIds: readonly string[]): Promise<LogHead[]> {
      const heads = await readers.rows<Pick<TaskColumns, 'id' | 'state' | 'last_event'>>('heads', HEADS, [taskIds])
      return heads.map(({ id, state, last_event: lastEvent }) => ({ id, lastEvent, state }))
    },

    counts(): Promise<{ agent: string; state: TaskState; tasks: number }[]> {
      const sql = 'SELECT agent, state, count(*) AS tasks FROM tasks GROUP BY agent, state ORDER BY agent, state'
      return readers.rows('counts', sql, [])
    },

    async usage(tenant: string, since: number): Promise<Usage & { tasks: number }> {
      const [row] = await readers.rows<Record<'tasks' | 'input' | 'output' | 'cost', string>>('usage', USAGE, [
        tenant,
        since,
      ])
      return {
        tasks: Number(row!.tasks),
        inputTokens: Number(row!.input),
        outputTokens: Number(row!.output),
        costMicros: Number(row!.cost),
      }
    },
  }
}

type Bound = string | number | string[]

export function listing(query: TaskQuery, limit: number): { sql: string; values: Bound[] } {
  const where: string[] = []
  const values: Bound[] = []
  const bind = (value: Bound) => `$${values.push(value)}`
  const { tenant, labels: [leading, ...others] = [] } = query
  const leads = leading !== undefined && tenant !== undefined
  const [at, id] = leads ? ['labels.accepted_at', 'labels.task'] : ['created_at', 'id']
  if (leads) where.push(`labels.whose = ${bind(tenant)}`, `labels.label = ${bind(leading)}`)
  for (const label of others) {
    where.push(`EXISTS (SELECT 1 FROM labels AS other WHERE other.whose = tenant AND other.label = ${bind(label)}
      AND other.accepted_at = created_at AND other.task = id)`)
  }
  if (tenant !== undefined) where.push(`tenant = ${bind(tenant)}`)
  if (query.agent !== undefined) where.push(`agent = ${bind(query.agent)}`)
  if (query.parent !== undefined) where.push(`parent_task = ${bind(query.parent)}`)
  if (query.states !== undefined) where.push(`state = ANY (${bind(query.states)})`)
  if (query.cursor !== undefined) {
    const place = fromCursor(query.cursor)
    where.push(`(${at}, ${id}) < (${bind(place.createdAt)}, ${bind(place.id)})`)
  }
  const from = leads ? `labels JOIN ${CURRENT_TASKS} ON tasks.id = labels.task` : CURRENT_TASKS
  const condition = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`
  const order = `ORDER BY ${at} DESC, ${id} DESC LIMIT ${bind(limit)}`
  return { sql: `SELECT ${current(OUTSIDE_COLUMNS)} FROM ${from} ${condition} ${order}`, values }
}
