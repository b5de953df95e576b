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

export function usageDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { journal, quotas } = context

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

    app.put(
      '/v1/quotas/:tenant',
      {
        config: { role: 'admin', platform: true, audit: 'quota.set', auditFirst: true },
        schema: {
          tags: ['usage'],
          summary: 'Set what a tenant may use',
          params: z.object({ tenant: z.string().regex(TENANT_NAME) }),
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
