// What a tenant has used, and what it may use.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { TENANT_NAME } from '../../auth/principal.ts'
import { beginOf } from '../../limits/quotas.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import type { Quota } from '../../store/store.ts'
import { timeSchema, usageSchema } from './task-view.ts'

const quotaSchema = z
  .strictObject({
    tasksPerDay: z.int().min(0).optional(),
    tokensPerMonth: z.int().min(0).optional(),
    costMicrosPerMonth: z.int().min(0).optional(),
  })
  .meta({ id: 'Quota', description: 'What is left out has no bound. Days and months are those of UTC.' })

const tenantParams = z.object({ tenant: z.string().regex(TENANT_NAME) })

export function usageDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { journal, quotas, cursors, config } = context

  return async (app) => {
    app.get(
      '/v1/usage',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['usage'],
          summary: 'What the tenant used since a moment',
          querystring: z.object({
            since: z.iso.datetime({ offset: true }).optional().describe('Default: this month.'),
          }),
          response: {
            200: z.object({ since: timeSchema, usage: usageSchema.extend({ tasks: z.int() }), quota: quotaSchema }),
            ...problems(),
          },
        },
      },
      async (request) => {
        const { tenant } = principalOf(request)
        const { since } = request.query
        const from = since === undefined ? beginOf('month', Date.now()) : Date.parse(since)
        const usage = await journal.usage(tenant, from)
        return { since: new Date(from).toISOString(), usage, quota: await quotas.of(tenant) }
      },
    )

    app.get(
      '/v1/quotas',
      {
        config: { role: 'admin', platform: true },
        schema: {
          tags: ['usage'],
          summary: 'List the tenants that have a quota, by name',
          querystring: z.object({
            cursor: z.string().max(2_000).optional(),
            limit: z.coerce.number().int().min(1).max(500).default(50),
          }),
          response: {
            200: z.object({
              quotas: z.array(z.object({ tenant: z.string(), quota: quotaSchema })),
              nextCursor: z.string().optional(),
            }),
            ...problems(),
          },
        },
      },
      async (request) => {
        const { cursor, limit } = request.query
        const after = cursor === undefined ? {} : { after: cursors.open(config.platformTenant, 'quotas', cursor) }
        const found = await quotas.list({ ...after, limit })
        const last = found.length === limit ? found.at(-1) : undefined
        if (last === undefined) return { quotas: found }
        return { quotas: found, nextCursor: cursors.seal(config.platformTenant, 'quotas', last.tenant) }
      },
    )

    app.get(
      '/v1/quotas/:tenant',
      {
        config: { role: 'admin', platform: true },
        schema: {
          tags: ['usage'],
          summary: 'What a tenant may use',
          params: tenantParams,
          response: { 200: quotaSchema, ...problems() },
        },
      },
      async (request) => await quotas.of(request.params.tenant),
    )

    app.put(
      '/v1/quotas/:tenant',
      {
        config: { role: 'admin', platform: true, audit: 'quota.set', auditFirst: true },
        schema: {
          tags: ['usage'],
          summary: 'Set what a tenant may use',
          params: tenantParams,
          body: quotaSchema,
          response: { 200: quotaSchema, ...problems('unsupported_media_type', 'value_too_large') },
        },
      },
      async (request) => {
        const quota = Object.fromEntries(Object.entries(request.body)) as Quota
        await quotas.set(request.params.tenant, quota)
        return quota
      },
    )
  }
}
