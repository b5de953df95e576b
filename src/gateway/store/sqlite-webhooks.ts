// Webhooks in gateway.db.
import type { DatabaseSync } from 'node:sqlite'
import type { WebhookRow, WebhookStore } from './store.ts'

export const WEBHOOK_TABLE = `
  CREATE TABLE webhook (tenant TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (tenant, id)) STRICT;`

export function sqliteWebhooks(database: DatabaseSync): WebhookStore {
  const insert = database.prepare('INSERT INTO webhook VALUES (?, ?, ?)')
  const select = database.prepare('SELECT body FROM webhook WHERE tenant = ? ORDER BY id')
  const replace = database.prepare('UPDATE webhook SET body = ? WHERE tenant = ? AND id = ? AND body = ?')
  const remove = database.prepare('DELETE FROM webhook WHERE tenant = ? AND id = ?')
  return {
    async addWebhook(webhook) {
      insert.run(webhook.tenant, webhook.id, JSON.stringify(webhook))
    },
    async webhooks(tenant) {
      return select.all(tenant).map(({ body }) => JSON.parse(String(body)) as WebhookRow)
    },
    async replaceWebhook(read, next) {
      return replace.run(JSON.stringify(next), read.tenant, read.id, JSON.stringify(read)).changes > 0
    },
    async removeWebhook(tenant, id) {
      return remove.run(tenant, id).changes > 0
    },
  }
}
