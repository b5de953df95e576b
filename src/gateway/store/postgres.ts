// The gateway's tables in Postgres, for many gateways. They live in a schema of their own beside the journal's.
import pg from 'pg'
import { TroupeError } from '../../contract/errors.ts'
import { type AuditEntry, CHAIN_START, chainAfter } from '../audit/chain.ts'
import { ABANDONED_TABLE, DOCUMENT_TABLE, postgresDocuments } from './postgres-documents.ts'
import { postgresSchedules, SCHEDULE_TABLE } from './postgres-schedules.ts'
import { postgresWebhooks, WEBHOOK_TABLE } from './postgres-webhooks.ts'
import type { GatewayStore, KeyRow, Quota } from './store.ts'

export interface PostgresGatewayOptions {
  url: string
  schema?: string
  /** Connections. */
  pool?: number
  /** How long a statement may go without an answer, in milliseconds. */
  patienceMs?: number
}

/** Postgres ends a statement itself; where it cannot say so, the network keeps the answer, and nothing else would end the wait. */
const STATEMENT_MS = 10_000
const PATIENCE_MS = 15_000

/** Each runs once, in order, under a lock; only ever append. */
const MIGRATIONS = [
  `${DOCUMENT_TABLE}
   CREATE TABLE api_key (id text PRIMARY KEY, tenant text NOT NULL, name text NOT NULL, role text NOT NULL,
     hash text NOT NULL UNIQUE, created_at bigint NOT NULL, created_by text NOT NULL, expires_at bigint,
     revoked_at bigint, requests_per_second double precision);
   CREATE INDEX api_key_by_tenant ON api_key (tenant, id DESC);
   CREATE TABLE audit (number bigint PRIMARY KEY, tenant text NOT NULL, entry text NOT NULL);
   CREATE INDEX audit_by_tenant ON audit (tenant, number);
   CREATE TABLE quota (tenant text PRIMARY KEY, quota text NOT NULL);
   CREATE TABLE secret (name text PRIMARY KEY, value text NOT NULL);`,
  SCHEDULE_TABLE,
  WEBHOOK_TABLE,
  ABANDONED_TABLE,
]

/** Advisory locks: one for migrations, one for the head of the audit chain. Any two numbers nobody else uses. */
const MIGRATION_LOCK = 7_460_113
const CHAIN_LOCK = 7_460_114

/** Ids compare by their bytes in every language of the database. */
const BEFORE = `id COLLATE "C" < $2 ORDER BY id COLLATE "C" DESC LIMIT $3`
const AFTER_ALL = '~'

const APPEND_AUDIT = `
  INSERT INTO audit SELECT $1::bigint + place - 1, tenant, entry
  FROM unnest($2::text[], string_to_array($3, E'\\n')) WITH ORDINALITY AS line (tenant, entry, place)`

export async function openPostgresGatewayStore(options: PostgresGatewayOptions): Promise<GatewayStore> {
  const schema = options.schema ?? 'troupe_gateway'
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.pool ?? 4,
    connectionTimeoutMillis: 5_000,
    statement_timeout: STATEMENT_MS,
    query_timeout: options.patienceMs ?? PATIENCE_MS,
    options: `-c search_path=${schema}`,
  })
  // A connection that breaks is replaced at its next use. The listeners keep the process alive: the pool hears idle
  // connections, and no one hears those in use.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  await migrate(pool, schema)

  async function rows<Row>(sql: string, values: unknown[]): Promise<Row[]> {
    try {
      return (await pool.query(sql, values)).rows as Row[]
    } catch (error) {
      throw unavailable(error)
    }
  }

  return {
    ...postgresDocuments(rows, (work) => transaction(pool, work)),
    ...postgresSchedules(rows),
    ...postgresWebhooks(rows),

    async addKey(key) {
      const { id, tenant, name, role, hash, createdAt, createdBy } = key
      const optional = [key.expiresAt ?? null, key.revokedAt ?? null, key.requestsPerSecond ?? null]
      const sql = 'INSERT INTO api_key VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)'
      await rows(sql, [id, tenant, name, role, hash, createdAt, createdBy, ...optional])
    },
    async keyByHash(hash) {
      const [row] = await rows<Row>('SELECT * FROM api_key WHERE hash = $1', [hash])
      return row === undefined ? undefined : keyOf(row)
    },
    async keyById(id) {
      const [row] = await rows<Row>('SELECT * FROM api_key WHERE id = $1', [id])
      return row === undefined ? undefined : keyOf(row)
    },
    async keys(tenant, { before = AFTER_ALL, limit }) {
      const sql = `SELECT * FROM api_key WHERE tenant = $1 AND ${BEFORE}`
      return (await rows<Row>(sql, [tenant, before, limit])).map(keyOf)
    },
    async revokeKey(tenant, id, at) {
      const sql = 'UPDATE api_key SET revoked_at = $3 WHERE tenant = $1 AND id = $2 AND revoked_at IS NULL RETURNING id'
      return (await rows(sql, [tenant, id, at])).length > 0
    },

    async appendAudit(drafts, durable) {
      await transaction(pool, async (client) => {
        if (!durable) await client.query('SET LOCAL synchronous_commit = off')
        // One writer at a time across all gateways: each entry must know the hash of the one before it.
        await client.query('SELECT pg_advisory_xact_lock($1)', [CHAIN_LOCK])
        const last = await client.query('SELECT entry FROM audit ORDER BY number DESC LIMIT 1')
        let head =
          last.rows.length === 0 ? { number: 0, hash: CHAIN_START } : (JSON.parse(last.rows[0].entry) as AuditEntry)
        const entries = drafts.map((draft) => {
          const entry = chainAfter(head, draft)
          head = entry
          return entry
        })
        // One text: a list of texts would be escaped here and unescaped there. JSON holds no line feed of its own.
        await client.query(APPEND_AUDIT, [
          entries[0]?.number,
          entries.map(({ tenant }) => tenant),
          entries.map((entry) => JSON.stringify(entry)).join('\n'),
        ])
      })
    },
    async audit({ tenant, order, after = order === 'asc' ? 0 : Number.MAX_SAFE_INTEGER, limit }) {
      const behind = order === 'asc' ? ['>', 'ASC'] : ['<', 'DESC']
      const sql = `SELECT entry FROM audit WHERE number ${behind[0]} $1 AND ($2::text IS NULL OR tenant = $2)
        ORDER BY number ${behind[1]} LIMIT $3`
      const found = await rows<{ entry: string }>(sql, [after, tenant ?? null, limit])
      return found.map((row) => JSON.parse(row.entry) as AuditEntry)
    },

    async quota(tenant) {
      const [row] = await rows<{ quota: string }>('SELECT quota FROM quota WHERE tenant = $1', [tenant])
      return row === undefined ? undefined : (JSON.parse(row.quota) as Quota)
    },
    async setQuota(tenant, quota) {
      const sql = 'INSERT INTO quota VALUES ($1, $2) ON CONFLICT (tenant) DO UPDATE SET quota = excluded.quota'
      await rows(sql, [tenant, JSON.stringify(quota)])
    },
    async quotas({ after = '', limit }) {
      const sql = `SELECT tenant, quota FROM quota WHERE tenant COLLATE "C" > $1 AND quota <> '{}'
        ORDER BY tenant COLLATE "C" LIMIT $2`
      const found = await rows<{ tenant: string; quota: string }>(sql, [after, limit])
      return found.map(({ tenant, quota }) => ({ tenant, quota: JSON.parse(quota) as Quota }))
    },

    async secret(name, created) {
      await rows('INSERT INTO secret VALUES ($1, $2) ON CONFLICT DO NOTHING', [name, created])
      const [row] = await rows<{ value: string }>('SELECT value FROM secret WHERE name = $1', [name])
      return row!.value
    },

    async close() {
      await pool.end()
    },
  }
}

async function migrate(pool: pg.Pool, schema: string): Promise<void> {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new TroupeError('configuration_invalid', `${JSON.stringify(schema)} is not the name of a schema.`)
  }
  await transaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK])
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
    await client.query('CREATE TABLE IF NOT EXISTS migration (version int PRIMARY KEY)')
    const done = await client.query('SELECT coalesce(max(version), 0) AS version FROM migration')
    const version = Number(done.rows[0].version)
    if (version > MIGRATIONS.length) throw newer(schema, version)
    for (let next = version; next < MIGRATIONS.length; next++) {
      await client.query(MIGRATIONS[next]!)
      await client.query('INSERT INTO migration VALUES ($1)', [next + 1])
    }
  })
}

function newer(where: string, version: number): TroupeError {
  return new TroupeError('journal_newer', `${where} has version ${version}; this Troupe knows ${MIGRATIONS.length}.`)
}

async function transaction<Result>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
  const client = await pool.connect().catch((error) => Promise.reject(unavailable(error)))
  let broken: Error | undefined
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    broken = error as Error
    throw unavailable(error)
  } finally {
    // A connection on which something failed is closed, which also rolls back: the question might not be answered either.
    client.release(broken)
  }
}

function unavailable(error: unknown): TroupeError {
  if (error instanceof TroupeError) return error
  return new TroupeError('unavailable', `The gateway’s database fails: ${(error as Error).message}`, { cause: error })
}

type Row = Record<string, unknown>

function keyOf(row: Row): KeyRow {
  const { id, tenant, name, role, hash, created_by: createdBy } = row
  const key = { id, tenant, name, role, hash, createdBy, createdAt: Number(row.created_at) } as KeyRow
  if (row.expires_at !== null) key.expiresAt = Number(row.expires_at)
  if (row.revoked_at !== null) key.revokedAt = Number(row.revoked_at)
  if (row.requests_per_second !== null) key.requestsPerSecond = Number(row.requests_per_second)
  return key
}
