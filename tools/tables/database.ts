// Typed columns in a DuckDB of their own, in memory, locked once the tables are in: no files, no network, no settings.
// A query ends at its time limit, at the memory limit, at the row limit or when its signal is aborted.
import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BIGINT,
  BOOLEAN,
  DATE,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBTimestampValue,
  type DuckDBType,
  type DuckDBValue,
  TIMESTAMP,
  VARCHAR,
} from '@duckdb/node-api'
import { TroupeError } from '@troupe/sdk'
import type { Cell, Column, ColumnType, TableIssue } from './infer-types.ts'
import { formatOf, type ParsedTable, parseTable } from './parse.ts'
import { prepareReadOnly, refused } from './read-only.ts'
import { sourceContent, TABLE_LIMITS, type TableSource } from './source.ts'
import { identifier, literal } from './sql-dialect.ts'

const QUERY_LIMITS = {
  memory: '512MB',
  threads: '2',
  time: 10_000,
  rows: 10_000,
  characters: 16 * 1024 * 1024,
} as const

export interface LoadedTable {
  name: string
  format: string
  rowCount: number
  columns: { name: string; type: ColumnType }[]
  issues: TableIssue[]
  issueCount: number
}

export interface QueryResult {
  columns: string[]
  rows: Record<string, Cell>[]
  /** There were more rows than the limit; `rows` are the first. */
  truncated: boolean
}

export interface Tables extends Disposable {
  readonly list: readonly LoadedTable[]
  table(name: string): LoadedTable
  query(sql: string, options?: { rows?: number; time?: number }): Promise<QueryResult>
}

export async function openTables(sources: TableSource[], signal: AbortSignal): Promise<Tables> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: QUERY_LIMITS.memory,
    threads: QUERY_LIMITS.threads,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    temp_directory: '',
  })
  const connection = await instance.connect()
  const close = () => {
    connection.closeSync()
    instance.closeSync()
  }
  try {
    const list: LoadedTable[] = []
    for (const source of sources) list.push(await load(connection, source, signal))
    await connection.run('SET enable_external_access = false; SET lock_configuration = true')
    return {
      list,
      table: (name) => {
        const found = list.find((candidate) => candidate.name === name)
        if (found === undefined) {
          throw new TroupeError(
            'invalid_input',
            `there is no table ${name}; there is ${list.map((one) => one.name).join(', ')}`,
          )
        }
        return found
      },
      query: (sql, options = {}) => query(connection, sql, signal, options),
      [Symbol.dispose]: close,
    }
  } catch (error) {
    close()
    throw error
  }
}

async function load(connection: DuckDBConnection, source: TableSource, signal: AbortSignal): Promise<LoadedTable> {
  signal.throwIfAborted()
  const name = source.name ?? 'data'
  const format = formatOf(source)
  if (format === 'parquet') return await loadParquet(connection, name, source)
  const parsed = await parseTable(source, signal)
  await insert(connection, name, parsed)
  const { rowCount, issues, issueCount } = parsed
  return {
    name,
    format,
    rowCount,
    columns: parsed.columns.map((column) => ({ name: column.name, type: column.type })),
    issues,
    issueCount,
  }
}

const SQL_TYPES: Record<ColumnType, [DuckDBType, string]> = {
  integer: [BIGINT, 'BIGINT'],
  number: [DOUBLE, 'DOUBLE'],
  boolean: [BOOLEAN, 'BOOLEAN'],
  date: [DATE, 'DATE'],
  timestamp: [TIMESTAMP, 'TIMESTAMP'],
  text: [VARCHAR, 'VARCHAR'],
}
const CHUNK = 2048

async function insert(connection: DuckDBConnection, name: string, { columns, rowCount }: ParsedTable): Promise<void> {
  const definitions = columns.map((column) => `${identifier(column.name)} ${SQL_TYPES[column.type][1]}`)
  await connection.run(`CREATE TABLE ${identifier(name)} (${definitions.join(', ')})`)
  const appender = await connection.createAppender(name)
  const types = columns.map((column) => SQL_TYPES[column.type][0])
  for (let start = 0; start < rowCount; start += CHUNK) {
    const size = Math.min(CHUNK, rowCount - start)
    const chunk = DuckDBDataChunk.create(types, size)
    chunk.setColumns(
      columns.map((column) => column.values.slice(start, start + size).map((value) => toDatabase(value, column))),
    )
    appender.appendDataChunk(chunk)
    // A large table goes in over many turns of the event loop, so that the host's heartbeat is not late.
    if (start % (CHUNK * 16) === 0) await new Promise(setImmediate)
  }
  appender.flushSync()
  appender.closeSync()
}

function toDatabase(value: Cell, column: Column): DuckDBValue {
  if (value === null) return null
  switch (column.type) {
    case 'integer':
      return BigInt(value as number)
    case 'date':
      return new DuckDBDateValue(Date.parse(`${value}T00:00:00Z`) / 86_400_000)
    case 'timestamp':
      return new DuckDBTimestampValue(BigInt(Date.parse(`${String(value).replace(' ', 'T')}Z`)) * 1000n)
    default:
      return value
  }
}

async function loadParquet(connection: DuckDBConnection, name: string, source: TableSource): Promise<LoadedTable> {
  const content = sourceContent(source)
  if (content === undefined || typeof content === 'string') {
    throw new TroupeError('document_unreadable', 'Parquet is binary; send it as base64')
  }
  const path = join(tmpdir(), `table-${randomUUID()}.parquet`)
  try {
    await writeFile(path, content, { mode: 0o600 })
    await connection.run(
      `CREATE TABLE ${identifier(name)} AS SELECT * FROM read_parquet(${literal(path)}) LIMIT ${TABLE_LIMITS.cells}`,
    )
  } catch (cause) {
    throw new TroupeError(
      'document_unreadable',
      `the Parquet file cannot be read: ${(cause as Error).message.split('\n')[0]}`,
      { cause },
    )
  } finally {
    await rm(path, { force: true })
  }
  const described = await connection.runAndReadAll(`DESCRIBE ${identifier(name)}`)
  const columns = described
    .getRows()
    .map(([column, type]) => ({ name: String(column), type: columnType(String(type)) }))
  const [[count] = []] = (await connection.runAndReadAll(`SELECT count(*) FROM ${identifier(name)}`)).getRows()
  return { name, format: 'parquet', rowCount: Number(count), columns, issues: [], issueCount: 0 }
}

function columnType(sqlType: string): ColumnType {
  if (/^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER)/.test(sqlType)) return 'integer'
  if (/^(DOUBLE|FLOAT|DECIMAL)/.test(sqlType)) return 'number'
  if (sqlType === 'BOOLEAN') return 'boolean'
  if (sqlType === 'DATE') return 'date'
  return sqlType.startsWith('TIMESTAMP') ? 'timestamp' : 'text'
}

async function query(
  connection: DuckDBConnection,
  sql: string,
  signal: AbortSignal,
  { rows: mostRows = QUERY_LIMITS.rows, time = QUERY_LIMITS.time }: { rows?: number; time?: number },
): Promise<QueryResult> {
  signal.throwIfAborted()
  const timeout = AbortSignal.timeout(time)
  const stop = AbortSignal.any([signal, timeout])
  // One interrupt can fall between two calls into the engine and be lost, so it is repeated until the query has ended.
  let repeat: NodeJS.Timeout | undefined
  const interrupt = () => {
    connection.interrupt()
    repeat = setInterval(() => connection.interrupt(), 50)
  }
  stop.addEventListener('abort', interrupt, { once: true })
  try {
    const statement = await prepareReadOnly(connection, sql)
    try {
      const reader = await statement.streamAndReadUntil(mostRows + 1)
      const columns = reader.deduplicatedColumnNames()
      const rows: Record<string, Cell>[] = []
      let characters = 0
      for (const values of reader.getRows().slice(0, mostRows)) {
        const row: Record<string, Cell> = {}
        for (const [index, value] of values.entries()) {
          const cell = fromDatabase(value)
          if (typeof cell === 'string') characters += cell.length
          row[columns[index]!] = cell
        }
        if (characters > QUERY_LIMITS.characters) {
          throw new TroupeError('limit_exceeded', `the answer has more than ${QUERY_LIMITS.characters} characters`)
        }
        rows.push(row)
      }
      return { columns, rows, truncated: reader.currentRowCount > mostRows }
    } finally {
      statement.destroySync()
    }
  } catch (cause) {
    if (signal.aborted) throw signal.reason
    if (timeout.aborted) throw new TroupeError('limit_exceeded', `the query ran longer than ${time} ms`, { cause })
    if (cause instanceof TroupeError) throw cause
    const message = (cause as Error).message.split('\n')[0]!
    if (/Out of Memory|string longer/i.test(message)) {
      throw new TroupeError('limit_exceeded', `the query needs more memory than ${QUERY_LIMITS.memory}`, { cause })
    }
    throw refused(message)
  } finally {
    stop.removeEventListener('abort', interrupt)
    clearInterval(repeat)
  }
}

/** Plain values: dates as ISO text, whole numbers as numbers while they fit. */
function fromDatabase(value: DuckDBValue): Cell {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  if (value instanceof DuckDBDecimalValue) return value.toDouble()
  return String(value)
}
