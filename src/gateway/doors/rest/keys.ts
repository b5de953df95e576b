// API keys: an admin makes and revokes them for the own tenant; the platform's admin for any. A key's secret is in the
// answer that made it and nowhere else.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { TroupeError } from '../../../contract/errors.ts'
import { type Principal, ROLES, TENANT_NAME } from '../../auth/principal.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import type { KeyRow } from '../../store/store.ts'
import { timeSchema } from './task-view.ts'

const newKeySchema = z
  .strictObject({
    name: z.string().min(1).max(200).describe('For people to recognise it by.'),
    role: z.enum(ROLES),
    tenant: z.string().regex(TENANT_NAME).optional().describe('Another one than yours: only for the platform’s admin.'),
    expiresAt: z.iso.datetime({ offset: true }).optional(),
    requestsPerSecond: z.number().positive().max(1_000_000).optional(),
  })
  .meta({ id: 'NewKey' })

const keySchema = z
  .object({
    id: z.string().describe('Also the client id for POST /oauth/token.'),
    tenant: z.string(),
    name: z.string(),
    role: z.enum(ROLES),
    createdAt: timeSchema,
    createdBy: z.string(),
    expiresAt: timeSchema.optional(),
    revokedAt: timeSchema.optional(),
    requestsPerSecond: z.number().optional(),
  })
  .meta({ id: 'Key' })

const tenantQuery = z.object({
  tenant: z.string().regex(TENANT_NAME).optional().describe('Another one than yours: only for the platform’s admin.'),
})

export function keysDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { keys, cursors, config, streams } = context

  /** Another tenant looks as if it did not exist to everyone but the platform's admin. */
  function tenantFor(principal: Principal, wanted: string | undefined): string {
    if (wanted === undefined || wanted === principal.tenant) return principal.tenant
    if (principal.tenant === config.platformTenant) return wanted
    throw new TroupeError('not_found', `There is no tenant ${wanted}.`)
  }

  return async (app) => {
    app.post(
      '/v1/keys',
      {
        config: { role: 'admin', audit: 'key.create', auditFirst: true },
        schema: {
          tags: ['keys'],
          summary: 'Make an API key',
          body: newKeySchema,
          response: {
            201: keySchema.extend({ secret: z.string().describe('Shown once; only its hash is kept.') }),
            ...problems('not_found', 'unsupported_media_type', 'value_too_large'),
          },
        },
      },
      async (request, reply) => {
        const principal = principalOf(request)
        const { name, role, tenant, expiresAt, requestsPerSecond } = request.body
        const { key, secret } = await keys.create({
          tenant: tenantFor(principal, tenant),
          name,
          role,
          createdBy: principal.subject,
          ...(expiresAt === undefined ? {} : { expiresAt: Date.parse(expiresAt) }),
          ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
        })
        request.auditTarget = key.id
        reply.header('cache-control', 'no-store')
        return reply.code(201).send({ ...keyView(key), secret })
      },
    )

    app.get(
      '/v1/keys',
      {
        config: { role: 'admin' },
        schema: {
          tags: ['keys'],
          summary: 'List the keys, newest first',
          querystring: tenantQuery.extend({
            cursor: z.string().max(2_000).optional(),
            limit: z.coerce.number().int().min(1).max(500).default(50),
          }),
          response: {
            200: z.object({ keys: z.array(keySchema), nextCursor: z.string().optional() }),
            ...problems('not_found'),
          },
        },
      },
      async (request) => {
        const { cursor, limit } = request.query
        const tenant = tenantFor(principalOf(request), request.query.tenant)
        const before = cursor === undefined ? {} : { before: cursors.open(tenant, 'keys', cursor) }
        const rows = await keys.list(tenant, { ...before, limit })
        const last = rows.length === limit ? rows.at(-1) : undefined
        const next = last === undefined ? {} : { nextCursor: cursors.seal(tenant, 'keys', last.id) }
        return { keys: rows.map(keyView), ...next }
      },
    )

    app.delete(
      '/v1/keys/:id',
      {
        config: { role: 'admin', audit: 'key.revoke', auditFirst: true },
        schema: {
          tags: ['keys'],
          summary: 'Revoke a key, at once',
          params: z.object({ id: z.string().max(100) }),
          querystring: tenantQuery,
          response: { 204: z.undefined(), ...problems('not_found') },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        await keys.revoke(tenantFor(principalOf(request), request.query.tenant), id)
        // Streams that it opened end with it; on other gateways at their next look.
        void streams.recheck()
        request.auditTarget = id
        return reply.code(204).send()
      },
    )
  }
}

function keyView(row: KeyRow): z.infer<typeof keySchema> {
  const { id, tenant, name, role, createdBy } = row
  const view: z.infer<typeof keySchema> = { id, tenant, name, role, createdBy, createdAt: rfc3339(row.createdAt) }
  if (row.expiresAt !== undefined) view.expiresAt = rfc3339(row.expiresAt)
  if (row.revokedAt !== undefined) view.revokedAt = rfc3339(row.revokedAt)
  if (row.requestsPerSecond !== undefined) view.requestsPerSecond = row.requestsPerSecond
  return view
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString()
}
