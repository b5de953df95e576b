// Lists of tasks, newest first. A read here blocks the event loop, so a filter by state must not walk through all that
// ever completed: each class of states has an index of its own, and a list of several classes merges their pages. A list by
// labels walks through the label that fewest tasks have, unless the states asked for are those that few tasks are in.
import type { DatabaseSync } from 'node:sqlite'
import { MAX_PAGE } from '../../contract/limits.ts'
import type { TaskState } from '../../contract/task.ts'
import { LABELS_COUNTED } from '../attached.ts'
import { fromCursor, toCursor } from '../cursor.ts'
import type { TaskQuery, TaskRow } from '../journal.ts'
import { OUTSIDE_COLUMNS, type TaskColumns, toTaskRow } from '../rows.ts'
import { NOTICED } from './schema.ts'

interface StateClass {
  states: readonly TaskState[]
  /** What its index is limited to. SQLite uses a partial index only for a condition that it can see. */
  condition: string
  /** Most tasks may be in these states: a label leads to fewer. */
  many?: true
  /** A plus keeps SQLite from walking through the tenant instead. */
  tenant: 'tenant' | '+tenant'
}

const CLASSES: StateClass[] = [
  // Queued and running tasks have an owner or want one.
  {
    states: ['queued', 'running'],
    condition: `seq IN (SELECT seq FROM tasks WHERE runnable_at IS NOT NULL
      UNION ALL SELECT seq FROM tasks WHERE owner IS NOT NULL)`,
    tenant: '+tenant',
  },
  {
    states: ['waiting', 'input-required', 'failed', 'cancelled', 'rejected'],
    condition: NOTICED,
    tenant: '+tenant',
  },
  { states: ['completed'], condition: 'ended_at IS NOT NULL', tenant: 'tenant', many: true },
]

export function listTasks(db: DatabaseSync, query: TaskQuery): { tasks: TaskRow[]; nextCursor?: string } {
  const limit = Math.max(1, Math.min(query.limit, MAX_PAGE))
  const found = listQueries(db, query).flatMap(({ sql, values }) => db.prepare(sql).all(...values, limit + 1))
  const rows = (found as unknown as TaskColumns[]).sort(newestFirst)
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const tasks = page.map(toTaskRow)
  if (rows.length <= limit || last === undefined) return { tasks }
  return { tasks, nextCursor: toCursor({ createdAt: last.created_at, id: last.id }) }
}

function newestFirst(one: TaskColumns, other: TaskColumns): number {
  return other.created_at - one.created_at || (one.id < other.id ? 1 : -1)
}

interface Query {
  sql: string
  /** The limit comes last. */
  values: (string | number)[]
}

/** One for each class of states that is asked for. */
export function listQueries(db: DatabaseSync, query: TaskQuery): Query[] {
  const { states } = query
  const labels = rarestFirst(db, query)
  if (states === undefined) return [queryFor(query, labels, { tenant: 'tenant', many: true }, [])]
  return CLASSES.flatMap((one) => {
    const wanted = one.states.filter((state) => states.includes(state))
    if (wanted.length === 0) return []
    const inStates = `state IN (${wanted.map((state) => `'${state}'`).join(', ')})`
    return [queryFor(query, labels, one, [one.condition, inStates])]
  })
}

/** As far as a short look can tell. */
function rarestFirst(db: DatabaseSync, { tenant, labels = [] }: TaskQuery): string[] {
  if (tenant === undefined || labels.length < 2) return labels
  const count = db.prepare(`
    SELECT count(*) AS tasks FROM (SELECT 1 FROM labels WHERE whose = ? AND label = ? LIMIT ${LABELS_COUNTED})`)
  const counted = labels.map((label) => ({ label, tasks: Number(count.get(tenant, label)!.tasks) }))
  return counted.sort((one, other) => one.tasks - other.tasks).map(({ label }) => label)
}

function queryFor(
  query: TaskQuery,
  labels: string[],
  { tenant, many }: Pick<StateClass, 'tenant' | 'many'>,
  conditions: string[],
): Query {
  const leads = many === true && labels.length > 0
  const [at, id] = leads ? ['labels.accepted_at', 'labels.task'] : ['created_at', 'id']
  const where: string[] = []
  const values: (string | number)[] = []
  const and = (condition: string, ...bound: (string | number)[]) => {
    where.push(condition)
    values.push(...bound)
  }
  for (const [place, label] of labels.entries()) {
    if (leads && place === 0) and('labels.whose = ? AND labels.label = ?', query.tenant!, label)
    else and(LABELLED, label)
  }
  where.push(...conditions)
  if (query.tenant !== undefined) and(`${tenant} = ?`, query.tenant)
  if (query.agent !== undefined) and('agent = ?', query.agent)
  if (query.parent !== undefined) and('parent_task = ?', query.parent)
  if (query.cursor !== undefined) {
    const place = fromCursor(query.cursor)
    and(`(${at}, ${id}) < (?, ?)`, place.createdAt, place.id)
  }
  // A cross join is made in the order that is written.
  const from = leads ? 'labels CROSS JOIN tasks ON tasks.id = labels.task' : 'tasks'
  const condition = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`
  const sql = `SELECT ${OUTSIDE_COLUMNS} FROM ${from} ${condition} ORDER BY ${at} DESC, ${id} DESC LIMIT ?`
  return { sql, values }
}

const LABELLED = `EXISTS (SELECT 1 FROM labels AS other WHERE other.whose = tasks.tenant AND other.label = ?
  AND other.accepted_at = tasks.created_at AND other.task = tasks.id)`
