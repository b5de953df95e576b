// Webhooks in Postgres: the same table, for many gateways.
import type { WebhookRow, WebhookStore } from './store.ts'

export const WEBHOOK_TABLE = `
  CREATE TABLE webhook (tenant text NOT NULL, id text COLLATE "C" NOT NULL, body text NOT NULL, PRIMARY KEY (tenant, id));`

type Rows = <Row>(sql: string, values: unknown[]) => Promise<Row[]>

export function postgresWebhooks(rows: Rows): WebhookStore {
  return {
    async addWebhook(webhook) {
      await rows('INSERT INTO webhook VALUES ($1, $2, $3)', [webhook.tenant, webhook.id, JSON.stringify(webhook)])
    },
    async webhooks(tenant) {
      const found = await rows<{ body: string }>('SELECT body FROM webhook WHERE tenant = $1 ORDER BY id', [tenant])
      return found.map(({ body }) => JSON.parse(body) as WebhookRow)
    },
    async replaceWebhook(read, next) {
      const sql = 'UPDATE webhook SET body = $1 WHERE tenant = $2 AND id = $3 AND body = $4 RETURNING id'
      return (await rows(sql, [JSON.stringify(next), read.tenant, read.id, JSON.stringify(read)])).length > 0
    },
    async removeWebhook(tenant, id) {
      return (await rows('DELETE FROM webhook WHERE tenant = $1 AND id = $2 RETURNING id', [tenant, id])).length > 0
    },
  }
}
