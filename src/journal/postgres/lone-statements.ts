// The statements of lone.ts. Each has only the columns that its task or commit has: of what a lone statement costs beside
// its commit, half is for columns and conditions that are not needed. There are as many statements as there are shapes of
// tasks and commits, a handful in practice; each is prepared once on a connection.
import { all, assignments, Draft, expressions, Kind, names } from './draft.ts'
import type { firstRow, NewRow, recordRow, turnRow } from './flight-rows.ts'
import type { Statement } from './statement.ts'

/** When the transaction began, which this statement is. A subquery with the moment, joined with everything, costs 10 µs. */
const MOMENT = "(date_part('epoch', now()) * 1000)::bigint"

/** Of a lease, as the store told it (leases.ts). */
const LIVE = `?::bigint > ${MOMENT}`

const ACCEPT = new Kind(
  ({ columns }) => `INSERT INTO tasks (${names(columns)}) VALUES (${expressions(columns)}) RETURNING updated_at`,
)

const BEGIN = new Kind(
  ({ columns, conditions }) => `INSERT INTO tasks (${names(columns)}) SELECT ${expressions(columns)}
    WHERE ${all(conditions)} RETURNING updated_at`,
)

/** Of a task that ended nothing need be told but when: it had no mail. */
const END = new Kind(
  ({ columns, conditions, log }) => `WITH u AS (
      UPDATE tasks t SET ${assignments(columns)} WHERE ${all(conditions)} RETURNING t.id, t.updated_at
    )
    INSERT INTO log (task, at, ${names(log)}) SELECT id, updated_at, ${expressions(log)} FROM u RETURNING at`,
)

const COMMIT = new Kind(
  ({ columns, conditions, log }) => `WITH u AS (
      UPDATE tasks t SET ${assignments(columns)} WHERE ${all(conditions)}
      RETURNING t.id, t.updated_at, t.mail_position, t.runnable_at
    ), l AS (
      INSERT INTO log (task, at, ${names(log)}) SELECT id, updated_at, ${expressions(log)} FROM u
    )
    SELECT updated_at, mail_position, (runnable_at IS NOT NULL)::integer FROM u`,
)

const UNSEEN_ENTRY = new Kind(
  ({ log }) => `INSERT INTO log (at, ${names(log)}) VALUES (${MOMENT}, ${expressions(log)}) RETURNING at`,
)

const ENTRY = new Kind(
  ({ conditions, log }) => `WITH t AS (
      SELECT id, mail_position FROM tasks WHERE ${all(conditions)}
    ), l AS (
      INSERT INTO log (task, at, ${names(log)}) SELECT id, ${MOMENT}, ${expressions(log)} FROM t
    )
    SELECT ${MOMENT}, mail_position FROM t`,
)

type FirstRow = ReturnType<typeof firstRow>
type TurnRow = ReturnType<typeof turnRow>

/**
 * An accept, and the commit that claims it at once, under a lease until that moment. No row: the lease has ended. The id is
 * used: an error, because ON CONFLICT would cost every accept what few need.
 */
export function beginStatement(row: NewRow, first?: FirstRow, leaseUntil = 0): Statement {
  const draft = new Draft(first === undefined ? ACCEPT : BEGIN)
  draft.text('id', row.id)
  draft.text('tenant', row.tenant)
  draft.text('agent', row.agent)
  draft.text('agent_version', row.agent_version)
  draft.text('input', row.input)
  draft.text('parent_task', row.parent_task)
  draft.text('parent_step', row.parent_step)
  draft.text('traceparent', row.traceparent)
  draft.text('budget', row.budget)
  draft.text('metadata', row.metadata)
  draft.word('priority', row.priority)
  draft.word('depth', row.depth)
  draft.column('plain, created_at, updated_at', `true, ${MOMENT}, ${MOMENT}`)
  if (first === undefined) {
    draft.column('state, runnable_at', `'queued', ${MOMENT}`)
    return draft.statement()
  }
  draft.column('epoch, version, started_at', `1, 1, ${MOMENT}`)
  draft.word('last_event', 1 + first.count)
  draft.word('state', first.state)
  draft.text('first_events', first.events)
  outward(draft, first)
  if (!first.released) draft.text('owner', first.host)
  if (first.ended) draft.column('ended_at', MOMENT)
  else if (first.released && first.wanted) draft.column('runnable_at', MOMENT)
  draft.condition(LIVE, leaseUntil)
  return draft.statement()
}

/** No row: the fence, the lease, or something that the function must clear away when the task ends. */
export function commitStatement(row: TurnRow, leaseUntil = 0): Statement {
  const { host, released, ended, mail_read: read } = row
  const draft = new Draft(ended ? END : COMMIT)
  draft.word('state', row.state)
  draft.column('version', 't.version + 1')
  draft.column('last_event', '?::integer', row.last_event + row.count)
  draft.column('updated_at', MOMENT)
  if (row.waiting_for === undefined) draft.column('waiting_for', 'NULL')
  outward(draft, row)
  if (row.snapshot === undefined && row.resnap) draft.column('snapshot', 'NULL')
  if (read > 0) draft.column('mail_read', 'least(t.mail_position, greatest(t.mail_read, ?::integer))', read)
  if (host !== undefined) {
    draft.column('epoch', 't.epoch + 1')
    draft.column('started_at', `coalesce(t.started_at, ${MOMENT})`)
  }
  if (released) draft.column('owner', 'NULL')
  else if (host !== undefined) draft.column('owner', '?::text', host)
  if (ended) draft.column('ended_at', MOMENT)
  if (released && !ended && !row.wanted) {
    const mail = 't.mail_position > greatest(t.mail_read, ?::integer)'
    draft.column('runnable_at', `CASE WHEN ${mail} THEN ${MOMENT} END`, read)
  } else if (released && !ended) draft.column('runnable_at', MOMENT)
  else if (host !== undefined) draft.column('runnable_at', 'NULL')

  draft.condition('t.id = ?::text', row.id)
  draft.condition('t.epoch = ?::integer', row.epoch)
  draft.condition('t.version = ?::integer', row.version)
  if (ended) draft.condition('t.plain AND t.mail_position = 0')
  if (host === undefined) {
    // Not "owner IS NOT NULL": see apply-function.ts.
    draft.condition('CASE WHEN t.owner IS NULL THEN false ELSE true END')
  } else {
    draft.condition('t.owner IS NULL AND t.ended_at IS NULL')
    draft.condition(LIVE, leaseUntil)
  }
  logged(draft, row)
  return draft.statement()
}

/**
 * The task's row is only looked at: a plain INSERT costs little more than any other. No row: the fence, or the task is not
 * in the state `running`. The number is taken (an error, and the function judges it): the task was taken over since.
 * For who knows what there is to see not even that is done (`mailKnown`). The number is fence enough: a task never changes its
 * owner before the next one is taken, by whoever takes it over, or by the owner, who says why he lets it go.
 */
export function entryStatement(row: ReturnType<typeof recordRow>, unseen: boolean): Statement {
  const draft = new Draft(unseen ? UNSEEN_ENTRY : ENTRY)
  if (unseen) {
    draft.log('task', '?::text', row.id)
    logged(draft, row)
    return draft.statement()
  }
  draft.condition('id = ?::text', row.id)
  draft.condition('epoch = ?::integer', row.epoch)
  draft.condition('version = ?::integer', row.version)
  draft.condition("CASE WHEN owner IS NULL THEN false ELSE state = 'running' AND waiting_for IS NULL END")
  logged(draft, row)
  return draft.statement()
}

function outward(draft: Draft, row: FirstRow): void {
  draft.text('snapshot', row.snapshot)
  draft.text('waiting_for', row.waiting_for)
  draft.text('output', row.output)
  draft.text('error', row.error)
  draft.text('usage', row.usage)
}

function logged(draft: Draft, row: ReturnType<typeof recordRow> | TurnRow): void {
  draft.log('first_number', '?::integer', row.last_event + 1)
  draft.log('bodies', '?::text', row.events!)
  if (row.outcomes !== undefined) draft.log('outcomes', '?::text', row.outcomes)
}
