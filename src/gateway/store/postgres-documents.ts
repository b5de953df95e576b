// Documents in Postgres, and which contents nobody names any more: the same tables, for many gateways.
import type pg from 'pg'
import { documentOf } from './sqlite-documents.ts'
import type { DocumentStore } from './store.ts'

export const DOCUMENT_TABLE = `
  CREATE TABLE document (id text PRIMARY KEY, tenant text NOT NULL, name text NOT NULL, mime text NOT NULL,
    bytes bigint NOT NULL, sha256 text NOT NULL, created_at bigint NOT NULL, created_by text NOT NULL);
  CREATE INDEX document_by_tenant ON document (tenant, id DESC);`

export const ABANDONED_TABLE = `
  CREATE TABLE abandoned (sha256 text PRIMARY KEY);
  CREATE INDEX document_by_content ON document (sha256);`

type Rows = <Row>(sql: string, values: unknown[]) => Promise<Row[]>
type Transaction = <Result>(work: (client: pg.PoolClient) => Promise<Result>) => Promise<Result>

/**
 * Whoever adds the first document of a content and whoever removes the last one must see each other: neither sees what
 * the other has not committed yet. The first number is any that nobody else uses, like those of postgres.ts.
 */
const ALONE_WITH_CONTENT = 'SELECT pg_advisory_xact_lock(7460115, hashtext($1))'

export function postgresDocuments(rows: Rows, transaction: Transaction): DocumentStore {
  type Row = Record<string, unknown>
  return {
    async addDocument(d) {
      await transaction(async (client) => {
        await client.query(ALONE_WITH_CONTENT, [d.sha256])
        // Waits for whoever is removing it: the row is locked until then.
        await client.query('DELETE FROM abandoned WHERE sha256 = $1', [d.sha256])
        const values = [d.id, d.tenant, d.name, d.mime, d.bytes, d.sha256, d.createdAt, d.createdBy]
        await client.query('INSERT INTO document VALUES ($1, $2, $3, $4, $5, $6, $7, $8)', values)
      })
    },
    async document(tenant, id) {
      const [row] = await rows<Row>('SELECT * FROM document WHERE tenant = $1 AND id = $2', [tenant, id])
      return row === undefined ? undefined : documentOf(row)
    },
    async documents(tenant, { before = '~', limit }) {
      // Ids compare by their bytes in every language of the database; `~` sorts after all of them.
      const sql = `SELECT * FROM document WHERE tenant = $1 AND id COLLATE "C" < $2 ORDER BY id COLLATE "C" DESC LIMIT $3`
      return (await rows<Row>(sql, [tenant, before, limit])).map(documentOf)
    },
    async removeDocument(tenant, id) {
      return await transaction(async (client) => {
        const sql = 'DELETE FROM document WHERE tenant = $1 AND id = $2 RETURNING sha256'
        const [removed] = (await client.query<{ sha256: string }>(sql, [tenant, id])).rows
        if (removed === undefined) return false
        await client.query(ALONE_WITH_CONTENT, [removed.sha256])
        const abandon = `INSERT INTO abandoned SELECT $1::text WHERE NOT EXISTS (SELECT 1 FROM document WHERE sha256 = $1)
          ON CONFLICT DO NOTHING`
        await client.query(abandon, [removed.sha256])
        return true
      })
    },
    async clearContents(clear) {
      const clearNext = (after: string) =>
        transaction(async (client) => {
          // Another gateway's is skipped; a gateway that dies lets go of its own.
          const sql = 'SELECT sha256 FROM abandoned WHERE sha256 COLLATE "C" > $1 ORDER BY sha256 COLLATE "C" LIMIT 1'
          const [row] = (await client.query<{ sha256: string }>(`${sql} FOR UPDATE SKIP LOCKED`, [after])).rows
          if (row === undefined) return undefined
          await clear(row.sha256)
          await client.query('DELETE FROM abandoned WHERE sha256 = $1', [row.sha256])
          return row.sha256
        })
      for (let last = await clearNext(''); last !== undefined; ) last = await clearNext(last)
    },
  }
}
