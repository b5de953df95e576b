// troupe webhooks create | ls | rotate | remove | secret, troupe tasks deliveries
import { taskPath } from './client.ts'
import type { Handler } from './context.ts'
import { duration, table } from './table.ts'

interface WebhookView {
  id: string
  url: string
  events?: string[]
  createdAt: string
  secret?: string
  oldSecretUntil?: string
}

export const createWebhook: Handler<{ event?: string[] }> = async (context, [url], { event: events }) => {
  const gateway = await context.connect()
  const webhook = await gateway.post<WebhookView>('/v1/webhooks', { url, events })
  context.show(webhook, ({ secret }) => secret ?? '')
  context.terminal.note(`${webhook.id}: what it gets is signed with this secret, which is shown this once.`)
}

export const listWebhooks: Handler = async (context) => {
  const gateway = await context.connect()
  const { webhooks } = await gateway.get<{ webhooks: WebhookView[] }>('/v1/webhooks')
  context.show(webhooks, (all) =>
    table(
      ['ID', 'URL', 'EVENTS', 'AGE'],
      all.map(({ id, url, events, createdAt }) => [
        id,
        url,
        events?.join(', ') ?? 'all',
        duration(Date.now() - Date.parse(createdAt)),
      ]),
    ),
  )
}

export const rotateWebhook: Handler<{ overlap: string }> = async (context, [id], { overlap }) => {
  const gateway = await context.connect()
  const path = `/v1/webhooks/${encodeURIComponent(id!)}/secret`
  const webhook = await gateway.post<WebhookView>(path, { overlapHours: Number(overlap) })
  context.show(webhook, ({ secret }) => secret ?? '')
  context.terminal.note(
    `What ${id} gets is signed with this secret, which is shown this once, and until ${webhook.oldSecretUntil} with the one before as well.`,
  )
}

export const removeWebhook: Handler = async (context, [id]) => {
  const gateway = await context.connect()
  await gateway.remove(`/v1/webhooks/${encodeURIComponent(id!)}`)
  context.show({ removed: id }, () => `${id} is removed`)
}

export const showSigningSecret: Handler = async (context) => {
  const gateway = await context.connect()
  const answer = await gateway.get<{ secret: string }>('/v1/signing-secret')
  context.show(answer, ({ secret }) => secret)
}

interface DeliveryView {
  id: string
  event: string
  state: string
  attempts?: number
  because?: string
  error?: { code: string; message: string }
}

export const listDeliveries: Handler = async (context, [id]) => {
  const gateway = await context.connect()
  const { deliveries } = await gateway.get<{ deliveries: DeliveryView[] }>(`${taskPath(id!)}/deliveries`, {
    query: { limit: 500 },
  })
  context.show(deliveries, (all) =>
    table(
      ['ID', 'EVENT', 'STATE', 'ATTEMPTS', 'WHY'],
      all.map(({ id, event, state, attempts, because, error }) => [
        id,
        event,
        state,
        attempts,
        error?.message ?? because,
      ]),
    ),
  )
}
