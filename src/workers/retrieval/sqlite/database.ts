// One connection to the file, its schema, and the statements prepared on it.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { load } from 'sqlite-vec'
import { type ErrorCode, TroupeError } from '../../../contract/errors.ts'

export type Row = Record<string, SQLOutputValue>

const SCHEMA_VERSION = 1
// Words and vectors of a collection have tables of their own (lexicalTable, vectorTable): an index shared by tenants
// would count the words of one in the scores of another.
const SCHEMA = `
  CREATE TABLE collections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    documents INTEGER NOT NULL DEFAULT 0,
    passages INTEGER NOT NULL DEFAULT 0,
    terms INTEGER NOT NULL DEFAULT 0,
    serving INTEGER,
    building INTEGER,
    UNIQUE (tenant, name)
  ) STRICT;
  CREATE TABLE generations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL,
    model TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    embedded INTEGER NOT NULL DEFAULT 0,
    UNIQUE (collection, model)
  ) STRICT;
  CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    title TEXT NOT NULL,
    metadata TEXT NOT NULL,
    UNIQUE (collection, name)
  ) STRICT;
  CREATE TABLE passages (
    id INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL,
    document INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    start_at INTEGER NOT NULL,
    end_at INTEGER NOT NULL,
    length INTEGER NOT NULL,
    hash TEXT NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX passages_of_document ON passages (document);
  CREATE INDEX passages_by_hash ON passages (collection, hash);
  CREATE TABLE embedded (
    generation INTEGER NOT NULL,
    passage INTEGER NOT NULL,
    PRIMARY KEY (generation, passage)
  ) STRICT, WITHOUT ROWID;
`

export const lexicalTable = (collection: number): string => `lexical_${collection}`
export const vocabularyTable = (collection: number): string => `vocabulary_${collection}`
export const vectorTable = (generation: number): string => `vectors_${generation}`

/** Tables come and go with collections, so the number of prepared statements must not follow them. */
const MAX_STATEMENTS = 256

export class Database {
  readonly #connection: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(file: string, readOnly: boolean) {
    mkdirSync(dirname(file), { recursive: true })
    this.#connection = new DatabaseSync(file, { allowExtension: true, readOnly, timeout: 10_000 })
    load(this.#connection)
    this.#connection.enableLoadExtension(false)
    // Mapped pages are shared by all readers and with the kernel's cache: an index of vectors is in memory once.
    this.#connection.exec('PRAGMA mmap_size = 8589934592; PRAGMA cache_size = -65536')
    if (!readOnly) {
      this.#connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
      this.#migrate(file)
    }
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values)
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values)
  }

  run(sql: string, ...values: SQLInputValue[]): { changes: number; id: number } {
    const { changes, lastInsertRowid } = this.#prepare(sql).run(...values)
    return { changes: Number(changes), id: Number(lastInsertRowid) }
  }

  exec(sql: string): void {
    this.#connection.exec(sql)
  }

  commit<Result>(work: () => Result): Result {
    this.#connection.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#connection.exec('COMMIT')
      return result
    } catch (error) {
      // A full disk has rolled back already.
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
      throw error
    }
  }

  /** Several reads of one state: what is committed meanwhile is not seen. */
  moment<Result>(work: () => Result): Result {
    if (this.#connection.isTransaction) return work()
    this.#connection.exec('BEGIN')
    try {
      return work()
    } finally {
      this.#connection.exec('COMMIT')
    }
  }

  close(): void {
    this.#statements.clear()
    this.#connection.close()
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      const oldest = this.#statements.keys().next().value
      if (this.#statements.size >= MAX_STATEMENTS && oldest !== undefined) this.#statements.delete(oldest)
      statement = this.#connection.prepare(sql)
    } else this.#statements.delete(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #migrate(file: string): void {
    this.commit(() => {
      const version = Number(this.get('PRAGMA user_version')?.user_version)
      if (version > SCHEMA_VERSION) {
        throw new TroupeError('journal_newer', `${file} has schema ${version}; this Troupe knows ${SCHEMA_VERSION}`)
      }
      if (version === 0) this.#connection.exec(`${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}`)
    })
  }
}

/** SQLite's result codes that a person can do something about. */
const CODES: Record<number, ErrorCode> = { 11: 'journal_corrupt', 13: 'disk_full', 26: 'journal_corrupt' }

export function coded<Result>(file: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    const result = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0
    const code = CODES[result]
    throw code === undefined ? error : new TroupeError(code, `${file}: ${(error as Error).message}`, { cause: error })
  }
}
