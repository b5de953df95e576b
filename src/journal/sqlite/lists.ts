// Lists of tasks, newest first. A read here blocks the event loop, so a filter by state must not walk through all that
// ever completed: each class of states has an index of its own, and a list of several classes merges their pages.
import type { DatabaseSync } from 'node:sqlite'
import { MAX_PAGE } from '../../contract/limits.ts'
import type { TaskState } from '../../contract/task.ts'
import { fromCursor, toCursor } from '../cursor.ts'
import type { TaskQuery, TaskRow } from '../journal.ts'
import { OUTSIDE_COLUMNS, type TaskColumns, toTaskRow } from '../rows.ts'
import { NOTICED } from './schema.ts'

interface StateClass {
  states: readonly TaskState[]
  /** What its index is limited to. SQLite uses a partial index only for a condition that it can see. */
  condition: string
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
  { states: ['completed'], condition: 'ended_at IS NOT NULL', tenant: 'tenant' },
]

export function listTasks(db: DatabaseSync, query: TaskQuery): { tasks: TaskRow[]; nextCursor?: string } {
  const limit = Math.max(1, Math.min(query.limit, MAX_PAGE))
  const found = queriesFor(query).flatMap(({ sql, values }) => db.prepare(sql).all(...values, limit + 1))
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
  values: (string | number)[]
}

function queriesFor(query: TaskQuery): Query[] {
  const { states } = query
  if (states === undefined) return [queryFor(query, 'tenant', [])]
  return CLASSES.flatMap(({ states: ofClass, condition, tenant }) => {
    const wanted = ofClass.filter((state) => states.includes(state))
    if (wanted.length === 0) return []
    return [queryFor(query, tenant, [condition, `state IN (${wanted.map((state) => `'${state}'`).join(', ')})`])]
  })
}

function queryFor(query: TaskQuery, tenant: StateClass['tenant'], conditions: string[]): Query {
  const where = [...conditions]
  const values: (string | number)[] = []
  const and = (condition: string, ...bound: (string | number)[]) => {
    where.push(condition)
    values.push(...bound)
  }
  if (query.tenant !== undefined) and(`${tenant} = ?`, query.tenant)
  if (query.agent !== undefined) and('agent = ?', query.agent)
  if (query.parent !== undefined) and('parent_task = ?', query.parent)
  if (query.cursor !== undefined) {
    const { createdAt, id } = fromCursor(query.cursor)
    and('(created_at, id) < (?, ?)', createdAt, id)
  }
  const condition = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`
  return { sql: `SELECT ${OUTSIDE_COLUMNS} FROM tasks ${condition} ORDER BY created_at DESC, id DESC LIMIT ?`, values }
}
