// Webhooks in gateway.db.
import type { DatabaseSync } from 'node:sqlite'
import type { WebhookRow, WebhookStore } from './store.ts'

export const WEBHOOK_TABLE = `
  CREATE TABLE webhook (tenant TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (tenant, id)) STRICT;`

export function sqliteWebhooks(database: DatabaseSync): WebhookStore {
  const insert = database.prepare('INSERT INTO webhook VALUES (?, ?, ?)')
  const select = database.prepare('SELECT body FROM webhook WHERE tenant = ? ORDER BY id')
  const remove = database.prepare('DELETE FROM webhook WHERE tenant = ? AND id = ?')
  return {
    async addWebhook(webhook) {
      insert.run(webhook.tenant, webhook.id, JSON.stringify(webhook))
    },
    async webhooks(tenant) {
      return select.all(tenant).map(({ body }) => JSON.parse(String(body)) as WebhookRow)
    },
    async removeWebhook(tenant, id) {
      return remove.run(tenant, id).changes > 0
    },
  }
}
