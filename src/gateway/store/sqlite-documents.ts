// Documents in gateway.db, and which contents nobody names any more.
import type { DatabaseSync } from 'node:sqlite'
import type { DocumentRow, DocumentStore } from './store.ts'

export const DOCUMENT_TABLE = `
  CREATE TABLE document (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, mime TEXT NOT NULL,
    bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, created_at INTEGER NOT NULL, created_by TEXT NOT NULL) STRICT;
  CREATE INDEX document_by_tenant ON document (tenant, id DESC);`

export const ABANDONED_TABLE = `
  CREATE TABLE abandoned (sha256 TEXT PRIMARY KEY) STRICT;
  CREATE INDEX document_by_content ON document (sha256);`

/** Sorts after every id. */
const AFTER_ALL = '~'

export function sqliteDocuments(database: DatabaseSync): DocumentStore {
  const insert = database.prepare('INSERT INTO document VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const select = database.prepare('SELECT * FROM document WHERE tenant = ? AND id = ?')
  const selectPage = database.prepare('SELECT * FROM document WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?')
  const remove = database.prepare('DELETE FROM document WHERE tenant = ? AND id = ? RETURNING sha256')
  const abandon = database.prepare(
    'INSERT OR IGNORE INTO abandoned SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM document WHERE sha256 = ?1)',
  )
  const keep = database.prepare('DELETE FROM abandoned WHERE sha256 = ?')
  const nextAbandoned = database.prepare('SELECT sha256 FROM abandoned WHERE sha256 > ? ORDER BY sha256 LIMIT 1')
  /** What is being removed from the blob store now: this process is the only one that does. */
  const removing = new Map<string, Promise<void>>()

  function atOnce<Result>(work: () => Result): Result {
    database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      database.exec('COMMIT')
      return result
    } catch (error) {
      // A full disk has ended the transaction already; a second error would hide the first.
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  return {
    async addDocument(d) {
      for (let busy = removing.get(d.sha256); busy !== undefined; busy = removing.get(d.sha256)) await busy
      atOnce(() => {
        insert.run(d.id, d.tenant, d.name, d.mime, d.bytes, d.sha256, d.createdAt, d.createdBy)
        keep.run(d.sha256)
      })
    },
    async document(tenant, id) {
      const row = select.get(tenant, id)
      return row === undefined ? undefined : documentOf(row)
    },
    async documents(tenant, page) {
      return selectPage.all(tenant, page.before ?? AFTER_ALL, page.limit).map(documentOf)
    },
    async removeDocument(tenant, id) {
      return atOnce(() => {
        const removed = remove.get(tenant, id)
        if (removed === undefined) return false
        abandon.run(String(removed.sha256))
        return true
      })
    },
    async clearContents(clear) {
      for (let row = nextAbandoned.get(''); row !== undefined; ) {
        const sha256 = String(row.sha256)
        if (!removing.has(sha256)) {
          // Not before it stands in the map: whoever adds one meanwhile must find it there.
          const cleared = Promise.resolve(sha256)
            .then(clear)
            .then(() => void keep.run(sha256))
          const ended = cleared.catch(() => {}).finally(() => removing.delete(sha256))
          removing.set(sha256, ended)
          await ended
          await cleared
        }
        row = nextAbandoned.get(sha256)
      }
    },
  }
}

/** Postgres' `bigint` comes as text: it may be larger than a double, ours never are. */
export function documentOf(row: Record<string, unknown>): DocumentRow {
  const { id, tenant, name, mime, sha256, created_by: createdBy } = row
  const numbers = { bytes: Number(row.bytes), createdAt: Number(row.created_at) }
  return { id, tenant, name, mime, sha256, createdBy, ...numbers } as DocumentRow
}
