// The statements of lone.ts. Each has only the columns that its task or commit has: of what a lone statement costs beside
// its commit, half is for columns and conditions that are not needed. There are as many statements as there are shapes of
// tasks and commits, a handful in practice; each is prepared once on a connection.
import type { firstRow, NewRow, recordRow, turnRow } from './flight-rows.ts'
import type { Statement, Value } from './statement.ts'

/** When the transaction began, which this statement is. A subquery with the moment, joined with everything, costs 10 µs. */
const MOMENT = "(date_part('epoch', now()) * 1000)::bigint"

/** Columns as `column = expression`, with `?` for a value of its own. */
class Columns {
  readonly names: string[] = []
  readonly expressions: string[] = []
  readonly values: Value[] = []

  set(name: string, expression: string, ...values: Value[]): void {
    this.names.push(name)
    this.expressions.push(expression)
    this.values.push(...values)
  }

  /** Nothing for what is absent. */
  value(name: string, type: 'text' | 'integer', value: Value | null | undefined): void {
    if (value !== undefined && value !== null) this.set(name, `?::${type}`, value)
  }
}

const written = new Map<string, Pick<Statement, 'name' | 'text'>>()

/** A text is put together once for all statements that are made of the same parts. */
function statement(parts: string[][], values: Value[], write: () => string): Statement {
  const shape = parts.join()
  let known = written.get(shape)
  if (known === undefined) {
    let place = 0
    known = { name: `lone-${written.size + 1}`, text: write().replaceAll('?', () => `$${++place}`) }
    written.set(shape, known)
  }
  return { ...known, values }
}

/**
 * An accept, and the commit that claims it at once. No row: the host has no lease. The id is used: an error, because ON
 * CONFLICT would cost every accept what only few need.
 */
export function beginStatement(row: NewRow, first: ReturnType<typeof firstRow> | undefined): Statement {
  const columns = new Columns()
  for (const name of ['id', 'tenant', 'agent', 'agent_version', 'priority', 'input'] as const) {
    columns.value(name, 'text', row[name])
  }
  for (const name of ['parent_task', 'parent_step', 'traceparent', 'budget', 'metadata'] as const) {
    columns.value(name, 'text', row[name])
  }
  columns.value('depth', 'integer', row.depth)
  for (const name of ['created_at', 'updated_at']) columns.set(name, MOMENT)
  columns.set('plain', 'true')
  const from: string[] = []
  const host: Value[] = []
  if (first === undefined) {
    columns.set('state', "'queued'")
    columns.set('runnable_at', MOMENT)
  } else {
    columns.set('started_at', MOMENT)
    for (const name of ['epoch', 'version']) columns.set(name, '1')
    columns.value('state', 'text', first.state)
    columns.set('last_event', '1 + ?::integer', first.count)
    columns.value('first_events', 'text', first.events)
    for (const name of ['snapshot', 'waiting_for', 'output', 'error', 'usage'] as const) {
      columns.value(name, 'text', first[name])
    }
    if (!first.released) columns.value('owner', 'text', first.host)
    if (first.ended) columns.set('ended_at', MOMENT)
    else if (first.released && first.wanted) columns.set('runnable_at', MOMENT)
    from.push(`FROM hosts WHERE id = ?::text AND lease_until > ${MOMENT}`)
    host.push(first.host!)
  }
  const { names, expressions, values } = columns
  return statement(
    [names, expressions, from],
    [...values, ...host],
    () => `INSERT INTO tasks (${names.join(', ')}) SELECT ${expressions.join(', ')} ${from.join()}
    RETURNING updated_at`,
  )
}

/** No row: the fence, or something that the function must clear away when the task ends. */
export function commitStatement(row: ReturnType<typeof turnRow>): Statement {
  const { host, released, ended, mail_read: read } = row
  const columns = new Columns()
  columns.set('version', 't.version + 1')
  columns.value('last_event', 'integer', row.last_event + row.count)
  columns.set('updated_at', MOMENT)
  columns.value('state', 'text', row.state)
  if (row.waiting_for === undefined) columns.set('waiting_for', 'NULL')
  for (const name of ['waiting_for', 'output', 'error', 'usage'] as const) columns.value(name, 'text', row[name])
  if (row.snapshot !== undefined) columns.value('snapshot', 'text', row.snapshot)
  else if (row.resnap) columns.set('snapshot', 'NULL')
  if (read > 0) columns.set('mail_read', 'least(t.mail_position, greatest(t.mail_read, ?::integer))', read)
  if (host !== undefined) {
    columns.set('epoch', 't.epoch + 1')
    columns.set('started_at', `coalesce(t.started_at, ${MOMENT})`)
  }
  if (released) columns.set('owner', 'NULL')
  else columns.value('owner', 'text', host)
  if (ended) columns.set('ended_at', MOMENT)
  if (released && !ended && !row.wanted) {
    const mail = 't.mail_position > greatest(t.mail_read, ?::integer)'
    columns.set('runnable_at', `CASE WHEN ${mail} THEN ${MOMENT} END`, read)
  } else if (released && !ended) columns.set('runnable_at', MOMENT)
  else if (host !== undefined) columns.set('runnable_at', 'NULL')

  const fence = ['t.id = ?::text AND t.epoch = ?::integer AND t.version = ?::integer']
  const fenced: Value[] = [row.id, row.epoch, row.version]
  if (ended) fence.push('t.plain AND t.mail_position = 0')
  if (host === undefined) {
    // Not "owner IS NOT NULL": see apply-function.ts.
    fence.push('CASE WHEN t.owner IS NULL THEN false ELSE true END')
  } else {
    fence.push('t.owner IS NULL AND t.ended_at IS NULL')
    fence.push(`EXISTS (SELECT 1 FROM hosts WHERE hosts.id = ?::text AND hosts.lease_until > ${MOMENT})`)
    fenced.push(host)
  }
  const log = new Columns()
  log.value('first_number', 'integer', row.last_event + 1)
  log.value('bodies', 'text', row.events)
  log.value('outcomes', 'text', row.outcomes)
  return statement(
    [columns.names, columns.expressions, fence, log.names],
    [...columns.values, ...fenced, ...log.values],
    () => `WITH u AS (
      UPDATE tasks t SET ${columns.names.map((name, place) => `${name} = ${columns.expressions[place]}`).join(', ')}
      WHERE ${fence.join(' AND ')}
      RETURNING t.id, t.updated_at, t.mail_position, t.runnable_at
    ), l AS (
      INSERT INTO log (task, at, ${log.names.join(', ')}) SELECT id, updated_at, ${log.expressions.join(', ')} FROM u
    )
    SELECT updated_at, mail_position, (runnable_at IS NOT NULL)::integer FROM u`,
  )
}

/**
 * The task's row is only looked at: a plain INSERT costs little more than any other. No row: the fence, or the task is not
 * in the state `running`. The number is taken (an error, and the function judges it): the task was taken over since.
 */
export function entryStatement(row: ReturnType<typeof recordRow>): Statement {
  const log = new Columns()
  log.set('task', 'id')
  log.set('at', MOMENT)
  log.value('first_number', 'integer', row.last_event + 1)
  log.value('bodies', 'text', row.events)
  log.value('outcomes', 'text', row.outcomes)
  return statement(
    [log.names],
    [row.id, row.epoch, row.version, ...log.values],
    () => `WITH t AS (
      SELECT id, mail_position FROM tasks WHERE id = ?::text AND epoch = ?::integer AND version = ?::integer
        AND CASE WHEN owner IS NULL THEN false ELSE state = 'running' AND waiting_for IS NULL END
    ), l AS (
      INSERT INTO log (${log.names.join(', ')}) SELECT ${log.expressions.join(', ')} FROM t
    )
    SELECT ${MOMENT}, mail_position FROM t`,
  )
}
