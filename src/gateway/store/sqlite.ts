// gateway.db: what only the gateway keeps, on one machine. Statements are synchronous and short; the audit trail, which
// would be the busy one, is written by a thread (sqlite-audit.ts).
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { TroupeError } from '../../contract/errors.ts'
import { storeError } from '../../journal/sqlite/database.ts'
import type { AuditEntry } from '../audit/chain.ts'
import { ADMIN_KEY_FILE } from '../auth/admin-key.ts'
import { auditAppender } from './sqlite-audit.ts'
import { ABANDONED_TABLE, DOCUMENT_TABLE, sqliteDocuments } from './sqlite-documents.ts'
import { SCHEDULE_TABLE, sqliteSchedules } from './sqlite-schedules.ts'
import { sqliteWebhooks, WEBHOOK_TABLE } from './sqlite-webhooks.ts'
import type { GatewayStore, KeyRow, Quota } from './store.ts'

/** Each row of this list runs once, in order; only ever append. */
const MIGRATIONS = [
  `${DOCUMENT_TABLE}
   CREATE TABLE api_key (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
     hash TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL, created_by TEXT NOT NULL, expires_at INTEGER,
     revoked_at INTEGER, requests_per_second REAL) STRICT;
   CREATE INDEX api_key_by_tenant ON api_key (tenant, id DESC);
   CREATE TABLE audit (number INTEGER PRIMARY KEY, tenant TEXT NOT NULL, entry TEXT NOT NULL) STRICT;
   CREATE INDEX audit_by_tenant ON audit (tenant, number);
   CREATE TABLE quota (tenant TEXT PRIMARY KEY, quota TEXT NOT NULL) STRICT;
   CREATE TABLE secret (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;`,
  SCHEDULE_TABLE,
  WEBHOOK_TABLE,
  ABANDONED_TABLE,
]

export function openSqliteGatewayStore(options: { folder: string }): GatewayStore {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 })
  const file = join(options.folder, 'gateway.db')
  try {
    return coded(open(file), file)
  } catch (thrown) {
    throw storeError(thrown, file)
  }
}

/** What SQLite says of a full disk or a damaged file is told by its code, whichever verb meets it. */
function coded(store: GatewayStore, file: string): GatewayStore {
  const verbs = Object.entries(store).map(([name, verb]: [string, (...given: unknown[]) => unknown]) => {
    const ask = async (...given: unknown[]) => {
      try {
        return await verb(...given)
      } catch (thrown) {
        throw storeError(thrown, file)
      }
    }
    return [name, ask]
  })
  return Object.fromEntries(verbs) as GatewayStore
}

function open(file: string): GatewayStore {
  const lived = existsSync(file) && existsSync(join(dirname(file), ADMIN_KEY_FILE))
  const database = new DatabaseSync(file)
  if (lived) mustHoldSomething(database, file)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000')
  migrate(database)
  const auditing = auditAppender(file)

  const insertKey = database.prepare('INSERT INTO api_key VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const selectKeyByHash = database.prepare('SELECT * FROM api_key WHERE hash = ?')
  const selectKeyById = database.prepare('SELECT * FROM api_key WHERE id = ?')
  const selectKeys = database.prepare('SELECT * FROM api_key WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?')
  const revokeKey = database.prepare(
    'UPDATE api_key SET revoked_at = ? WHERE tenant = ? AND id = ? AND revoked_at IS NULL',
  )
  const prepareAudit = (tenant: string, behind: string) =>
    database.prepare(`SELECT entry FROM audit WHERE ${tenant} number ${behind} LIMIT ?`)
  const selectAudit = {
    asc: prepareAudit('', '> ? ORDER BY number'),
    desc: prepareAudit('', '< ? ORDER BY number DESC'),
  }
  const selectTenantAudit = {
    asc: prepareAudit('tenant = ? AND', '> ? ORDER BY number'),
    desc: prepareAudit('tenant = ? AND', '< ? ORDER BY number DESC'),
  }
  const selectQuota = database.prepare('SELECT quota FROM quota WHERE tenant = ?')
  const selectQuotas = database.prepare(
    `SELECT tenant, quota FROM quota WHERE tenant > ? AND quota <> '{}' ORDER BY tenant LIMIT ?`,
  )
  const upsertQuota = database.prepare('INSERT OR REPLACE INTO quota VALUES (?, ?)')
  const insertSecret = database.prepare('INSERT OR IGNORE INTO secret VALUES (?, ?)')
  const selectSecret = database.prepare('SELECT value FROM secret WHERE name = ?')

  return {
    ...sqliteDocuments(database),
    ...sqliteSchedules(database),
    ...sqliteWebhooks(database),

    async addKey(key) {
      const { id, tenant, name, role, hash, createdAt, createdBy } = key
      const optional = [key.expiresAt ?? null, key.revokedAt ?? null, key.requestsPerSecond ?? null]
      insertKey.run(id, tenant, name, role, hash, createdAt, createdBy, ...optional)
    },
    async keyByHash(hash) {
      return keyOf(selectKeyByHash.get(hash))
    },
    async keyById(id) {
      return keyOf(selectKeyById.get(id))
    },
    async keys(tenant, page) {
      return selectKeys.all(tenant, page.before ?? AFTER_ALL, page.limit).map((row) => keyOf(row)!)
    },
    async revokeKey(tenant, id, at) {
      return revokeKey.run(at, tenant, id).changes > 0
    },

    appendAudit: (drafts, durable) => auditing.append(drafts, durable),
    async audit({ tenant, order, after = order === 'asc' ? 0 : Number.MAX_SAFE_INTEGER, limit }) {
      const rows =
        tenant === undefined ? selectAudit[order].all(after, limit) : selectTenantAudit[order].all(tenant, after, limit)
      return rows.map((row) => JSON.parse((row as { entry: string }).entry) as AuditEntry)
    },

    async quota(tenant) {
      const row = selectQuota.get(tenant) as { quota: string } | undefined
      return row === undefined ? undefined : (JSON.parse(row.quota) as Quota)
    },
    async setQuota(tenant, quota) {
      upsertQuota.run(tenant, JSON.stringify(quota))
    },
    async quotas({ after = '', limit }) {
      return selectQuotas.all(after, limit).map((row) => ({
        tenant: String(row.tenant),
        quota: JSON.parse(String(row.quota)) as Quota,
      }))
    },

    async secret(name, created) {
      insertSecret.run(name, created)
      return (selectSecret.get(name) as { value: string }).value
    },

    async close() {
      await auditing.close()
      database.close()
    },
  }
}

/** Sorts after every id. */
const AFTER_ALL = '~'

function schemaOf(database: DatabaseSync): number {
  return (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
}

/** Cut to nothing, a file looks like a new one. The admin's key is written when there are tables. */
function mustHoldSomething(database: DatabaseSync, file: string): void {
  if (schemaOf(database) > 0) return
  database.close()
  throw new TroupeError(
    'journal_corrupt',
    `${file} is empty, and it was not: there is an ${ADMIN_KEY_FILE} beside it. Restore a backup, or remove the file to begin anew without keys, documents, schedules and audit trail.`,
  )
}

function migrate(database: DatabaseSync): void {
  const done = schemaOf(database)
  if (done > MIGRATIONS.length) {
    throw new TroupeError('journal_newer', `gateway.db has version ${done}; this Troupe knows ${MIGRATIONS.length}.`)
  }
  for (let version = done; version < MIGRATIONS.length; version++) {
    database.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[version]} PRAGMA user_version = ${version + 1}; COMMIT`)
  }
}

type Row = Record<string, unknown> | undefined

function keyOf(row: Row): KeyRow | undefined {
  if (row === undefined) return undefined
  const { id, tenant, name, role, hash, created_at: createdAt, created_by: createdBy } = row
  const key = { id, tenant, name, role, hash, createdAt, createdBy } as KeyRow
  if (row.expires_at !== null) key.expiresAt = row.expires_at as number
  if (row.revoked_at !== null) key.revokedAt = row.revoked_at as number
  if (row.requests_per_second !== null) key.requestsPerSecond = row.requests_per_second as number
  return key
}
