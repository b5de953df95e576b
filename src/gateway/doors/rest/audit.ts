// The audit trail: a tenant's admin reads the tenant's entries; the platform's admin has the whole chain checked.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import { timeSchema } from './task-view.ts'

const entrySchema = z
  .object({
    number: z.int(),
    at: timeSchema,
    tenant: z.string(),
    subject: z.string(),
    action: z.string(),
    target: z.string(),
    status: z.int(),
    requestId: z.string(),
    detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
    previousHash: z.string(),
    hash: z.string(),
  })
  .meta({ id: 'AuditEntry' })

const verdictSchema = z
  .object({
    intact: z.boolean(),
    entries: z.int().describe('How many entries were read and found in order.'),
    head: z.string().optional().describe('The hash of the last entry: note it elsewhere, to see a cut-off end later.'),
    because: z.enum(['hash', 'gap', 'link']).optional().describe('What is wrong with the entry after them.'),
  })
  .meta({ id: 'AuditVerdict' })

export function auditDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { audit } = context

  return async (app) => {
    app.get(
      '/v1/audit',
      {
        config: { role: 'admin' },
        schema: {
          tags: ['audit'],
          summary: 'Read the tenant’s audit trail',
          querystring: z.object({
            order: z.enum(['asc', 'desc']).default('asc').describe('`desc`: newest first.'),
            after: z.coerce
              .number()
              .int()
              .min(0)
              .max(Number.MAX_SAFE_INTEGER)
              .optional()
              .describe('Begin behind this number, in that order: the `next` of the page before.'),
            limit: z.coerce.number().int().min(1).max(500).default(100),
          }),
          response: {
            200: z.object({ entries: z.array(entrySchema), next: z.int().optional() }),
            ...problems(),
          },
        },
      },
      async (request) => {
        const { tenant } = principalOf(request)
        const { order, after, limit } = request.query
        const entries = await audit.read({ tenant, order, limit, ...(after === undefined ? {} : { after }) })
        const next = entries.length === limit ? { next: entries.at(-1)!.number } : {}
        return { entries: entries.map((entry) => ({ ...entry, at: new Date(entry.at).toISOString() })), ...next }
      },
    )

    app.get(
      '/v1/audit/verification',
      {
        config: { role: 'admin', platform: true },
        schema: {
          tags: ['audit'],
          summary: 'Check the chain of the whole trail',
          response: { 200: verdictSchema, ...problems() },
        },
      },
      async () => {
        const verdict = await audit.verify()
        if (verdict.intact) return { intact: true, entries: verdict.head.number, head: verdict.head.hash }
        return { intact: false, entries: verdict.brokenAt - 1, because: verdict.because }
      },
    )
  }
}
