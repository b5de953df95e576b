// The pool, transactions, and the schema, which is laid under a lock so that workers may start at the same time.
import pg from 'pg'
import { TroupeError } from '../../../contract/errors.ts'

export type Row = Record<string, unknown>

/** Asks on any connection, or within one transaction. */
export type Query = (sql: string, values?: unknown[]) => Promise<Row[]>

export interface Connection {
  query: Query
  commit<Result>(work: (query: Query) => Promise<Result>): Promise<Result>
  /** Several questions of one transaction that writes nothing. */
  moment<Result>(work: (query: Query) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

const SCHEMA_LOCK = 7_426_101

// ts_rank knows neither how rare a word is nor how long a passage, so it is no BM25. The inverted index is a table:
// each posting carries what BM25 needs, and an index-only scan answers. Vectors have a table for each generation, made
// with it: an index shared by tenants would search the passages of one for another, and find fewer the more there are.
const SCHEMA = `
  CREATE SCHEMA IF NOT EXISTS troupe_retrieval;
  CREATE EXTENSION IF NOT EXISTS vector;
  CREATE TABLE IF NOT EXISTS troupe_retrieval.collections (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    name text COLLATE "C" NOT NULL,
    documents bigint NOT NULL DEFAULT 0,
    passages bigint NOT NULL DEFAULT 0,
    terms bigint NOT NULL DEFAULT 0,
    serving bigint,
    building bigint,
    UNIQUE (tenant, name)
  );
  CREATE TABLE IF NOT EXISTS troupe_retrieval.generations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection bigint NOT NULL,
    model text NOT NULL,
    dimension integer NOT NULL,
    embedded bigint NOT NULL DEFAULT 0,
    UNIQUE (collection, model)
  );
  CREATE TABLE IF NOT EXISTS troupe_retrieval.documents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    hash text NOT NULL,
    title text NOT NULL,
    metadata jsonb NOT NULL,
    UNIQUE (collection, name)
  );
  CREATE TABLE IF NOT EXISTS troupe_retrieval.passages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection bigint NOT NULL,
    document bigint NOT NULL,
    ordinal integer NOT NULL,
    start_at integer NOT NULL,
    end_at integer NOT NULL,
    length integer NOT NULL,
    hash text NOT NULL,
    text text NOT NULL
  );
  CREATE INDEX IF NOT EXISTS passages_of_document ON troupe_retrieval.passages (document);
  CREATE INDEX IF NOT EXISTS passages_by_hash ON troupe_retrieval.passages (collection, hash);
  CREATE TABLE IF NOT EXISTS troupe_retrieval.postings (
    collection bigint NOT NULL,
    term text COLLATE "C" NOT NULL,
    passage bigint NOT NULL,
    frequency integer NOT NULL,
    length integer NOT NULL,
    PRIMARY KEY (collection, term, passage) INCLUDE (frequency, length)
  );
  CREATE INDEX IF NOT EXISTS postings_of_passage ON troupe_retrieval.postings (passage);
  CREATE TABLE IF NOT EXISTS troupe_retrieval.term_counts (
    collection bigint NOT NULL,
    term text COLLATE "C" NOT NULL,
    passages bigint NOT NULL,
    PRIMARY KEY (collection, term)
  );
`

/**
 * How long a statement may go without an answer. A network that keeps answers tells nobody: a connection that waited for
 * ever would be one less, until none is left. Whoever asked has given up by then (client.ts).
 */
export interface Patience {
  readMs: number
  writeMs: number
}

const PATIENCE: Patience = { readMs: 60_000, writeMs: 600_000 }

export async function connect(url: string, connections: number, patience: Patience = PATIENCE): Promise<Connection> {
  const { readMs, writeMs } = patience
  const pool = new pg.Pool({ connectionString: url, max: connections, connectionTimeoutMillis: 10_000 })
  // A connection that breaks is replaced; without listeners it would end the process. The pool hears idle connections,
  // and no one hears those in use.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))

  const transaction = <Result>(work: (query: Query) => Promise<Result>, query_timeout: number): Promise<Result> =>
    coded(async () => {
      const client = await pool.connect()
      const ask: Query = async (text, values) => (await client.query<Row>(statement(text, values, query_timeout))).rows
      let broken: Error | undefined
      try {
        await ask('BEGIN')
        const result = await work(ask)
        await ask('COMMIT')
        return result
      } catch (error) {
        await ask('ROLLBACK').catch((cause: Error) => {
          broken = cause
        })
        throw error
      } finally {
        client.release(broken)
      }
    })

  const connection: Connection = {
    query: (text, values) => coded(async () => (await pool.query<Row>(statement(text, values, readMs))).rows),
    commit: (work) => transaction(work, writeMs),
    moment: (work) => transaction(work, readMs),
    close: () => pool.end(),
  }
  await connection.commit(async (query) => {
    await query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK])
    await query(SCHEMA)
    const [extension] = await query("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
    // Before 0.8 a filtered search of an HNSW index ends with too few passages.
    if (/^0\.[0-7]\./.test(String(extension?.extversion))) {
      throw new TroupeError('configuration_invalid', `pgvector ${extension?.extversion} is too old; 0.8 is needed`)
    }
  })
  return connection
}

function statement(
  text: string,
  values: unknown[] = [],
  query_timeout: number,
): pg.QueryConfig & { query_timeout: number } {
  return { text, values, query_timeout }
}

async function coded<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TroupeError) throw error
    const state = error instanceof pg.DatabaseError ? error.code : undefined
    // 53100 is a full disk; class 08 and 57, and what is no answer of the server at all, mean that it is away.
    if (state === '53100') throw new TroupeError('disk_full', `the retrieval store: ${String(error)}`, { cause: error })
    // A table of a collection that was deleted between two questions.
    if (state === '42P01') throw new TroupeError('collection_not_found', 'the collection was deleted', { cause: error })
    const away = state === undefined || /^(08|53|57)/.test(state)
    throw new TroupeError(away ? 'worker_unavailable' : 'internal', `the retrieval store: ${String(error)}`, {
      cause: error,
    })
  }
}
