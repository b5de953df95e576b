// OAuth2 client credentials (RFC 6749 §4.4): the client is an API key, its secret the key itself; the answer is a short
// token. Errors have the RFC's own form, because its clients expect that.
import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { TroupeError } from '../../../contract/errors.ts'
import { isSecret } from '../../auth/api-keys.ts'
import type { Principal } from '../../auth/principal.ts'
import type { Rates } from '../../limits/rates.ts'
import type { GatewayContext } from '../../parts.ts'
import { problemSchema } from '../../problem.ts'

const grantSchema = z
  .object({
    grant_type: z.string(),
    client_id: z.string().optional().describe('The key’s id. Or HTTP Basic.'),
    client_secret: z.string().optional().describe('The key.'),
    scope: z.string().optional().describe('Ignored: a token has its key’s role.'),
  })
  .meta({ id: 'TokenRequest' })

const oauthErrorSchema = z
  .object({
    error: z.enum(['invalid_request', 'invalid_client', 'unsupported_grant_type']),
    error_description: z.string(),
  })
  .meta({ id: 'OAuthError' })

const limited = { description: 'rate_limited', content: { 'application/problem+json': { schema: problemSchema } } }
const FORM_BYTES = 16 * 1024

export function tokenDoor(context: GatewayContext, rates: Pick<Rates, 'failedLogin'>): FastifyPluginAsyncZod {
  const { keys, tokens } = context

  async function holderOf(secret: string): Promise<Principal | undefined> {
    try {
      return await keys.check(secret)
    } catch (error) {
      if (error instanceof TroupeError && error.code === 'unauthenticated') return undefined
      throw error
    }
  }

  return async (app) => {
    app.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: FORM_BYTES },
      (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body as string))),
    )

    app.post(
      '/oauth/token',
      {
        config: { audit: 'token.issue' },
        bodyLimit: FORM_BYTES,
        schema: {
          tags: ['keys'],
          summary: 'Exchange an API key for a short token',
          security: [],
          consumes: ['application/x-www-form-urlencoded'],
          body: grantSchema,
          response: {
            200: z.object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int() }),
            400: {
              description: 'The request is malformed.',
              content: {
                'application/json': { schema: oauthErrorSchema },
                'application/problem+json': { schema: problemSchema },
              },
            },
            401: oauthErrorSchema,
            408: {
              description: 'request_too_slow',
              content: { 'application/problem+json': { schema: problemSchema } },
            },
            413: { description: 'value_too_large', content: { 'application/problem+json': { schema: problemSchema } } },
            415: {
              description: 'unsupported_media_type',
              content: { 'application/problem+json': { schema: problemSchema } },
            },
            429: limited,
            503: { description: 'unavailable', content: { 'application/problem+json': { schema: problemSchema } } },
          },
        },
      },
      async (request, reply) => {
        reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' })
        if (request.body.grant_type !== 'client_credentials') {
          return refuse(reply, 400, 'unsupported_grant_type', 'Only client_credentials is offered.')
        }
        const client = basicClient(request.headers.authorization) ?? {
          id: request.body.client_id,
          secret: request.body.client_secret,
        }
        if (client.id === undefined || client.secret === undefined) {
          return refuse(reply, 400, 'invalid_request', 'Client id and secret are needed.')
        }
        const principal = isSecret(client.secret) ? await holderOf(client.secret) : undefined
        if (principal === undefined || principal.keyId !== client.id) {
          await rates.failedLogin(request.ip)
          reply.header('www-authenticate', 'Basic realm="troupe"')
          return refuse(reply, 401, 'invalid_client', 'The client is unknown, or its secret is wrong.')
        }
        request.principal = principal
        request.auditTarget = principal.keyId ?? null
        const { token, seconds } = await tokens.issue(principal)
        return reply.send({ access_token: token, token_type: 'Bearer' as const, expires_in: seconds })
      },
    )

    app.get(
      '/.well-known/jwks.json',
      {
        schema: {
          tags: ['keys'],
          summary: 'The public keys of this gateway’s tokens',
          security: [],
          response: { 200: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }) },
        },
      },
      async () => ({ keys: tokens.jwks.keys.map((key) => ({ ...key })) }),
    )
  }
}

function refuse<Status extends 400 | 401>(
  reply: FastifyReply,
  status: Status,
  error: z.infer<typeof oauthErrorSchema>['error'],
  error_description: string,
): FastifyReply {
  return reply.code(status).type('application/json; charset=utf-8').send({ error, error_description })
}

function basicClient(header: string | undefined): { id: string; secret: string } | undefined {
  if (header === undefined || !/^basic /i.test(header)) return undefined
  const pair = Buffer.from(header.slice(6), 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  if (colon < 0) return undefined
  return { id: formDecoded(pair.slice(0, colon)), secret: formDecoded(pair.slice(colon + 1)) }
}

/** RFC 6749 §2.3.1: both are form-encoded before they go into the header. */
function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
