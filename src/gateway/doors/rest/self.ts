// Who a credential is: what a client must know before it offers its user what his role allows.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ROLES } from '../../auth/principal.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'

const selfSchema = z
  .object({
    tenant: z.string(),
    role: z.enum(ROLES),
    subject: z.string().describe('As in the audit trail: the key’s id, or issuer and subject of a token.'),
    platform: z.boolean().describe('Whether its tenant is the platform’s own.'),
  })
  .meta({ id: 'Self' })

export function selfDoor({ config }: GatewayContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/self',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['keys'],
          summary: 'Who the credential of this request is',
          response: { 200: selfSchema, ...problems() },
        },
      },
      async (request) => {
        const { tenant, role, subject } = principalOf(request)
        return { tenant, role, subject, platform: tenant === config.platformTenant }
      },
    )
  }
}
