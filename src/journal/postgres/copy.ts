// Whole tables out of a database and into another, as lines of JSON that nobody here parses: numbers, bytes and times
// come back as Postgres wrote them. Out: one snapshot, so that all tables are of the same moment while hosts go on.
// In: one transaction, so that half of a copy never stands.
import pg from 'pg'
import { TroupeError } from '../../contract/errors.ts'
import { storeError } from './errors.ts'

export interface TableCopy {
  schema: string
  table: string
  columns: string[]
}

/** A row may be as large as a piece of a blob, so few at a time. */
const FETCHED = 100
const BATCH_CHARACTERS = 4 * 1024 * 1024

/** Tables of these schemas, those in `skipped` (`schema.table`) left out. */
export async function copyOut(
  url: string,
  options: { schemas: string[]; skipped: string[] },
  write: (table: TableCopy, lines: AsyncIterable<string>) => Promise<void>,
): Promise<void> {
  await withClient(url, async (client) => {
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY')
    for (const copy of await tablesOf(client, options.schemas)) {
      if (!options.skipped.includes(`${copy.schema}.${copy.table}`)) await write(copy, linesOf(client, copy))
    }
    await client.query('COMMIT')
  })
}

/** Refused when one of the tables is missing, lacks a column, or holds rows. */
export async function copyIn<Copy extends TableCopy>(
  url: string,
  tables: Copy[],
  read: (table: Copy) => AsyncIterable<string>,
): Promise<void> {
  await withClient(url, async (client) => {
    await client.query('BEGIN')
    const there = await tablesOf(client, [...new Set(tables.map(({ schema }) => schema))])
    for (const copy of tables) {
      const target = there.find(({ schema, table }) => schema === copy.schema && table === copy.table)
      const unknown = copy.columns.filter((column) => !target?.columns.includes(column))
      if (target === undefined || unknown.length > 0) {
        const what = target === undefined ? nameOf(copy) : `${nameOf(copy)} (${unknown.join(', ')})`
        throw new TroupeError('journal_newer', `The database has no ${what}, which the copy fills.`)
      }
      // Hosts that start meanwhile wait here until the copy stands.
      await client.query(`LOCK TABLE ${nameOf(copy)} IN EXCLUSIVE MODE`)
      const { rowCount } = await client.query(`SELECT 1 FROM ${nameOf(copy)} LIMIT 1`)
      if (rowCount !== 0) throw new TroupeError('wrong_state', `${nameOf(copy)} holds rows; name an empty database.`)
    }
    for (const copy of tables) await fill(client, copy, read(copy))
    await client.query('COMMIT')
  })
}

async function* linesOf(client: pg.Client, copy: TableCopy): AsyncGenerator<string> {
  const columns = copy.columns.map(quoted).join(', ')
  const select = `SELECT row_to_json(r)::text AS line FROM (SELECT ${columns} FROM ${nameOf(copy)}) r`
  await client.query(`DECLARE copied NO SCROLL CURSOR FOR ${select}`)
  for (;;) {
    const { rows } = await client.query<{ line: string }>(`FETCH ${FETCHED} FROM copied`)
    for (const { line } of rows) yield line
    if (rows.length < FETCHED) break
  }
  await client.query('CLOSE copied')
}

async function fill(client: pg.Client, copy: TableCopy, lines: AsyncIterable<string>): Promise<void> {
  const columns = copy.columns.map(quoted).join(', ')
  const insert = `INSERT INTO ${nameOf(copy)} (${columns}) OVERRIDING SYSTEM VALUE
    SELECT ${columns} FROM json_populate_recordset(NULL::${nameOf(copy)}, $1::json)`
  let batch: string[] = []
  let characters = 0
  const flush = async () => {
    if (batch.length > 0) await client.query(insert, [`[${batch.join(',')}]`])
    batch = []
    characters = 0
  }
  for await (const line of lines) {
    batch.push(line)
    characters += line.length
    if (characters >= BATCH_CHARACTERS) await flush()
  }
  await flush()
}

async function tablesOf(client: pg.Client, schemas: string[]): Promise<TableCopy[]> {
  const { rows } = await client.query<TableCopy>(
    `SELECT c.table_schema AS schema, c.table_name AS table, array_agg(c.column_name::text ORDER BY c.ordinal_position) AS columns
     FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
     WHERE c.table_schema = ANY ($1) AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'
     GROUP BY 1, 2 ORDER BY 1, 2`,
    [schemas],
  )
  return rows
}

function nameOf({ schema, table }: TableCopy): string {
  return `${quoted(schema)}.${quoted(table)}`
}

function quoted(name: string): string {
  return pg.escapeIdentifier(name)
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'troupe', connectionTimeoutMillis: 4_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await work(client)
  } catch (thrown) {
    throw storeError(thrown)
  } finally {
    // With the connection ends its transaction: what did not commit never was.
    await client.end().catch(() => {})
  }
}
