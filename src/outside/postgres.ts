// One SELECT on a Postgres that is not ours. Four walls, each enough alone against most of what a query could try: the
// transaction is read-only; the query is what a cursor is declared for, which only a SELECT or VALUES can be; it goes
// through the extended protocol, which takes one statement; and the connection is used once, so that nothing a query
// set stays. The role should be one that may only read, all the same: a function may do what its owner can.
import { Socket } from 'node:net'
import pg from 'pg'
import { TroupeError } from '../contract/errors.ts'
import type { SourceRows } from '../sdk/index.ts'
import { cellTypes } from './postgres-rows.ts'
import type { SourceSettings } from './sources.ts'

const CONNECT_MS = 5_000
/** The server gathers all of a fetch before it sends any, so a fetch asks for about so many bytes. */
const FETCHED_BYTES = 512 * 1024
const FETCHED_ROWS = { first: 20, most: 5_000 }
const LONGEST_SQL = 100_000
/** How often a result is weighed that is still on its way. */
const WEIGHED_MS = 20

export async function queryPostgres(
  name: string,
  settings: SourceSettings,
  sql: string,
  signal: AbortSignal,
): Promise<SourceRows> {
  signal.throwIfAborted()
  if (sql.length > LONGEST_SQL) throw refused(`the SQL has ${sql.length} characters; the limit is ${LONGEST_SQL}`)
  const socket = new Socket()
  const client = new pg.Client({
    connectionString: settings.url,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'troupe-source',
    stream: () => socket,
    types: cellTypes,
  })
  // An error of a connection that nobody waits on would end the process.
  client.on('error', () => {})
  let ended: TroupeError | undefined
  const end = (reason: TroupeError) => {
    ended ??= reason
    void cancel(client, settings)
    socket.destroy()
  }
  const milliseconds = settings.seconds * 1_000
  const tooLong = () =>
    end(new TroupeError('limit_exceeded', `The query on ${name} ran longer than ${settings.seconds} s.`))
  const tooMuch = () =>
    new TroupeError('limit_exceeded', `The query on ${name} answers more than ${settings.megabytes} MB.`)
  const aborted = () => end(new TroupeError('cancelled', `The query on ${name} was given up.`))
  // The server ends a long query itself; this is for a server that does not.
  const timer = setTimeout(tooLong, milliseconds + 2_000)
  const weigher = setInterval(() => {
    if (socket.bytesRead > settings.megabytes * 1024 * 1024 && ended === undefined) end(tooMuch())
  }, WEIGHED_MS)
  signal.addEventListener('abort', aborted, { once: true })
  try {
    await client.connect()
    return await read(client, () => socket.bytesRead, name, settings, sql)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw ended ?? asFailure(error, name, settings)
  } finally {
    clearTimeout(timer)
    clearInterval(weigher)
    signal.removeEventListener('abort', aborted)
    // Not awaited: a server that is silent must not keep the step.
    void client.end().catch(() => {})
  }
}

async function read(
  client: pg.Client,
  bytesRead: () => number,
  name: string,
  settings: SourceSettings,
  sql: string,
): Promise<SourceRows> {
  await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
  await client.query(`SET LOCAL statement_timeout = ${Math.ceil(settings.seconds * 1_000)}`)
  await client.query("SET LOCAL datestyle = 'ISO'")
  await client.query("SET LOCAL timezone = 'UTC'")
  // One statement: the extended protocol refuses a second one behind a semicolon.
  await client.query({ text: `DECLARE wanted NO SCROLL CURSOR FOR ${sql}`, queryMode: 'extended' } as pg.QueryConfig)
  const rows: SourceRows['rows'] = []
  let columns: string[] = []
  const before = bytesRead()
  for (let wanted = FETCHED_ROWS.first; ; ) {
    const fetched = await client.query<unknown[]>({ text: `FETCH ${wanted} FROM wanted`, rowMode: 'array' })
    columns = distinct(fetched.fields.map((field) => field.name))
    if (rows.length + fetched.rows.length > settings.rows) {
      const message = `The query on ${name} answers more than ${settings.rows} rows; add up or filter in the SQL.`
      throw new TroupeError('limit_exceeded', message)
    }
    for (const values of fetched.rows) {
      rows.push(Object.fromEntries(columns.map((column, index) => [column, (values[index] ?? null) as never])))
    }
    if (fetched.rows.length < wanted) break
    const bytesPerRow = (bytesRead() - before) / rows.length
    wanted = Math.max(1, Math.min(FETCHED_ROWS.most, Math.floor(FETCHED_BYTES / bytesPerRow)))
  }
  await client.query('ROLLBACK')
  return { columns, rows }
}

/** SELECT a.id, b.id: each value is kept, under a name of its own. */
function distinct(names: string[]): string[] {
  const seen = new Map<string, number>()
  return names.map((name) => {
    const times = (seen.get(name) ?? 0) + 1
    seen.set(name, times)
    return times === 1 ? name : `${name}_${times}`
  })
}

/** A closed socket alone would let the server go on until it wants to answer. */
async function cancel(client: pg.Client, settings: SourceSettings): Promise<void> {
  // The driver keeps it, and its types do not say so.
  const { processID } = client as unknown as { processID: number | null }
  if (typeof processID !== 'number') return
  const other = new pg.Client({ connectionString: settings.url, connectionTimeoutMillis: CONNECT_MS })
  other.on('error', () => {})
  try {
    await other.connect()
    await other.query('SELECT pg_cancel_backend($1)', [processID])
  } catch {
    // Then its own statement_timeout ends it.
  } finally {
    await other.end().catch(() => {})
  }
}

function asFailure(error: unknown, name: string, settings: SourceSettings): TroupeError {
  if (error instanceof TroupeError) return error
  const { code = '', message } = error as { code?: string; message: string }
  // Classes of SQLSTATE. What the server says may hold the role's name, never the password.
  if (/^28/.test(code) || code === '3D000') {
    return new TroupeError('configuration_invalid', `The source ${name} refuses its credentials or its database.`)
  }
  if (code === '57014') {
    return new TroupeError('limit_exceeded', `The query on ${name} ran longer than ${settings.seconds} s.`)
  }
  if (code === '53200' || code === '54000')
    return new TroupeError('limit_exceeded', `The query on ${name}: ${message}.`)
  if (/^(42|22|25|0A|34|23|2F|P0|XX)/.test(code)) return refused(message)
  return new TroupeError('unavailable', `The source ${name} does not answer: ${message}.`, { cause: error })
}

function refused(why: string): TroupeError {
  return new TroupeError('query_refused', `The query is refused: ${why}.`)
}
