// Webhooks of a tenant: who is told of the end of all its tasks. And how the deliveries about one task went.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { attemptsBefore, CALLBACK_EVENTS, DELIVERY_LABEL } from '../../../contract/callbacks.ts'
import type { Task } from '../../../contract/task.ts'
import type { Notice } from '../../../journal/notices.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import type { WebhookRow } from '../../store/store.ts'
import { callbackSchema } from '../../submissions.ts'
import { errorSchema, knownForm, taskParams, taskStateSchema, timeSchema } from './task-view.ts'

/** What an attempt leaves in its delivery's log: that it began, what it met, that it pauses. */
const LAST_EVENTS = 10

const webhookSchema = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(z.enum(CALLBACK_EVENTS)).optional().describe('Absent: all.'),
    createdAt: timeSchema,
    createdBy: z.string(),
    oldSecretUntil: timeSchema.optional().describe('Until then messages are signed with the secret before as well.'),
  })
  .meta({ id: 'Webhook' })

const deliverySchema = z
  .object({
    id: z.string().describe('The task that delivers: read, follow, cancel or retry it like any other.'),
    event: z.enum(CALLBACK_EVENTS),
    number: z.int().describe('The event’s number in the task’s log.'),
    state: taskStateSchema.describe('`completed`: the receiver took it. `waiting`: another attempt comes.'),
    attempts: z.int().optional().describe('That were made, while it waits and once it has ended.'),
    because: z
      .string()
      .optional()
      .describe('Why nothing was delivered although it completed; while it waits, what the last attempt met.'),
    error: errorSchema.optional(),
    createdAt: timeSchema,
    endedAt: timeSchema.optional(),
    links: z.object({ self: z.string() }),
  })
  .meta({ id: 'Delivery' })

export function webhooksDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { callbacks, cursors, desk } = context

  return async (app) => {
    app.post(
      '/v1/webhooks',
      {
        config: { role: 'admin', audit: 'webhook.create', auditFirst: true },
        schema: {
          tags: ['webhooks'],
          summary: 'Tell a receiver of the end of every task submitted from now on',
          body: callbackSchema,
          response: {
            201: webhookSchema.extend({ secret: z.string().describe('To check signatures with. Shown once.') }),
            ...problems('address_refused', 'limit_exceeded', 'unsupported_media_type', 'value_too_large'),
          },
        },
      },
      async (request, reply) => {
        const { tenant, subject } = principalOf(request)
        const { webhook, secret } = await callbacks.create(tenant, { ...request.body, createdBy: subject })
        request.auditTarget = webhook.id
        reply.header('cache-control', 'no-store')
        return reply.code(201).send({ ...webhookView(webhook), secret })
      },
    )

    app.get(
      '/v1/webhooks',
      {
        config: { role: 'admin' },
        schema: {
          tags: ['webhooks'],
          summary: 'List the webhooks, oldest first; there are at most 20',
          response: { 200: z.object({ webhooks: z.array(webhookSchema) }), ...problems() },
        },
      },
      async (request) => ({ webhooks: (await callbacks.list(principalOf(request).tenant)).map(webhookView) }),
    )

    app.post(
      '/v1/webhooks/:id/secret',
      {
        config: { role: 'admin', audit: 'webhook.rotate', auditFirst: true },
        schema: {
          tags: ['webhooks'],
          summary: 'Give a webhook another secret; for a while its messages are signed with both',
          params: z.object({ id: z.string().max(100) }),
          body: z.strictObject({
            secret: z.string().max(200).optional().describe('whsec_…; default: one that is made now.'),
            overlapHours: z.number().min(0).max(168).default(24).describe('How long the secret before is good.'),
          }),
          response: {
            200: webhookSchema.extend({ secret: z.string().describe('Shown once.') }),
            ...problems('not_found', 'wrong_state', 'unsupported_media_type', 'value_too_large'),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const { secret: given, overlapHours } = request.body
        const wanted = { secret: given, overlapMs: overlapHours * 3_600_000 }
        const { webhook, secret } = await callbacks.rotate(principalOf(request).tenant, id, wanted)
        request.auditTarget = id
        reply.header('cache-control', 'no-store')
        return { ...webhookView(webhook), secret }
      },
    )

    app.delete(
      '/v1/webhooks/:id',
      {
        config: { role: 'admin', audit: 'webhook.remove', auditFirst: true },
        schema: {
          tags: ['webhooks'],
          summary: 'Remove a webhook; deliveries under way are given up',
          params: z.object({ id: z.string().max(100) }),
          response: { 204: z.undefined(), ...problems('not_found') },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        await callbacks.remove(principalOf(request).tenant, id)
        request.auditTarget = id
        return reply.code(204).send()
      },
    )

    app.get(
      '/v1/signing-secret',
      {
        config: { role: 'admin', audit: 'webhook.secret', auditFirst: true },
        schema: {
          tags: ['webhooks'],
          summary: 'What callbacks that name no secret are signed with',
          response: { 200: z.object({ secret: z.string() }), ...problems() },
        },
      },
      async (request, reply) => {
        reply.header('cache-control', 'no-store')
        return { secret: await callbacks.signingSecret(principalOf(request).tenant) }
      },
    )

    app.get(
      '/v1/tasks/:id/deliveries',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['webhooks'],
          summary: 'How the deliveries about a task went, newest first',
          params: taskParams,
          querystring: z.object({
            cursor: z.string().max(2_000).optional(),
            limit: z.coerce.number().int().min(1).max(500).default(50),
          }),
          response: {
            200: z.object({ deliveries: z.array(deliverySchema), nextCursor: z.string().optional() }),
            ...problems('not_found'),
          },
        },
      },
      async (request) => {
        const { tenant } = principalOf(request)
        const { cursor, limit } = request.query
        const { id } = await desk.get(tenant, knownForm(request.params.id))
        const query = JSON.stringify(['deliveries', id])
        const labels = [`${DELIVERY_LABEL}:${id}`]
        const from = cursor === undefined ? {} : { cursor: cursors.open(tenant, query, cursor) }
        const page = await desk.list(tenant, { labels, limit, ...from })
        const next = page.nextCursor === undefined ? {} : { nextCursor: cursors.seal(tenant, query, page.nextCursor) }
        return { deliveries: await Promise.all(page.tasks.map(delivered)), ...next }
      },
    )
  }

  /** One that waits has said in its log why it is not over: few are, so the log is read for each of them. */
  async function delivered(task: Task): Promise<z.infer<typeof deliverySchema>> {
    if (task.state !== 'waiting') return deliveryView(task)
    const last = await desk.events(task.tenant, task.id, Math.max(0, task.lastEvent - LAST_EVENTS), LAST_EVENTS)
    const said = last.flatMap(({ body }) => (body.type === 'progress' ? (body.message ?? []) : []))
    return deliveryView(task, said.at(-1))
  }
}

function webhookView({ id, url, events, createdAt, createdBy, old }: WebhookRow): z.infer<typeof webhookSchema> {
  const view: z.infer<typeof webhookSchema> = { id, url, createdAt: new Date(createdAt).toISOString(), createdBy }
  if (events !== undefined) view.events = events
  if (old !== undefined && old.until > Date.now()) view.oldSecretUntil = new Date(old.until).toISOString()
  return view
}

/** Only the journal gives a task its label, so its input is a notice, and its output is the delivering agent's. */
function deliveryView(task: Task, waitsBecause?: string): z.infer<typeof deliverySchema> {
  const { event, number } = task.input as Notice
  const ended = (task.output ?? task.error?.detail ?? {}) as { attempts?: number; because?: string }
  const { attempts = attemptsBefore(task.waitingFor?.detail), because = waitsBecause } = ended
  return {
    id: task.id,
    event,
    number,
    state: task.state,
    ...(attempts === undefined ? {} : { attempts }),
    ...(because === undefined ? {} : { because }),
    ...(task.error === undefined ? {} : { error: task.error }),
    createdAt: new Date(task.createdAt).toISOString(),
    ...(task.endedAt === undefined ? {} : { endedAt: new Date(task.endedAt).toISOString() }),
    links: { self: `/v1/tasks/${task.id}` },
  }
}
