// One table of an SQLite file to a grid. The file comes from anyone: only plain tables are read, never a view, whose
// SQL would run here, and row by row, so that the limits hold and the thread can be ended between two rows.
import { randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { TroupeError } from '@troupe/sdk'
import type { Cell, Grid } from './infer-types.ts'
import { TABLE_LIMITS } from './source.ts'
import { identifier } from './sql-dialect.ts'

/** One value of 256 MB would fit into SQLite, and not into much else. */
const LONGEST_VALUE = 1024 * 1024

export function parseSqliteFile(bytes: Uint8Array, table: string | undefined): Grid {
  const path = join(tmpdir(), `table-${randomUUID()}.sqlite`)
  try {
    writeFileSync(path, bytes, { mode: 0o600 })
    const database = new DatabaseSync(path, { readOnly: true, readBigInts: true })
    try {
      database.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA hard_heap_limit = 268435456')
      return readTable(database, table)
    } finally {
      database.close()
    }
  } catch (cause) {
    if (cause instanceof TroupeError) throw cause
    throw new TroupeError('document_unreadable', `the SQLite file cannot be read: ${(cause as Error).message}`, {
      cause,
    })
  } finally {
    for (const beside of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${beside}`, { force: true })
  }
}

function readTable(database: DatabaseSync, wanted: string | undefined): Grid {
  const found = database
    .prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid",
    )
    .all()
  const names = found.map(({ name }) => String(name))
  const name = wanted ?? (names.length === 1 ? names[0] : undefined)
  if (name === undefined || !names.includes(name)) {
    const there = names.length === 0 ? 'none' : names.slice(0, 30).join(', ')
    const why = wanted === undefined ? 'name one of its tables as sheet' : `it has no table ${wanted}`
    throw new TroupeError('invalid_input', `the SQLite file: ${why}; there is ${there}`)
  }
  const statement = database.prepare(`SELECT * FROM ${identifier(name)}`)
  const columns = statement.columns().map((column) => column.name)
  const rows: Cell[][] = []
  let characters = 0
  for (const row of statement.iterate()) {
    const cells = columns.map((column) => toCell(row[column] ?? null))
    for (const cell of cells) characters += typeof cell === 'string' ? cell.length : 8
    rows.push(cells)
    if (rows.length * columns.length > TABLE_LIMITS.cells || characters > TABLE_LIMITS.bytes * 2) {
      throw new TroupeError('limit_exceeded', `the table ${name} has more than ${rows.length} rows that can be held`)
    }
  }
  return { header: columns, rows, issues: [] }
}

function toCell(value: unknown): Cell {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'string') {
    if (value.length > LONGEST_VALUE)
      throw new TroupeError('limit_exceeded', 'a value is longer than a million letters')
    return value
  }
  return value instanceof Uint8Array ? `${value.length} bytes` : null
}
