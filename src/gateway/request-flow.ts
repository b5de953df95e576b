// What every request goes through, in this order:
//
//   authenticate → limit → (Fastify: parse, validate) → the door: screen, desk, filter → respond → audit
//
// A route says who may use it (`config: { role }`) and what it is called in the audit trail. A route under /v1 that
// does not say is a mistake, and refused when the gateway starts.
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, TroupeError } from '../contract/errors.ts'
import { newId } from '../contract/ids.ts'
import type { AuditDraft } from './audit/chain.ts'
import type { Authenticate } from './auth/authenticate.ts'
import { type Principal, type Role, requireRole } from './auth/principal.ts'
import { createBodies } from './limits/bodies.ts'
import type { Rates } from './limits/rates.ts'
import { hasBody, type SlowBodies } from './limits/slow-bodies.ts'
import { watchUnreadAnswers } from './limits/unread-answers.ts'
import type { GatewayContext } from './parts.ts'
import { codedError, refuse } from './problem.ts'
import { refuseUnknownQuery } from './query-names.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `public` needs no credential. */
    role?: Role | 'public'
    /** Only for the platform's own tenant: what this shows or changes belongs to everyone. */
    platform?: boolean
    /** The name of a change in the audit trail: `task.submit`. */
    audit?: string
    /** The answer waits until the audit entry is on disk. */
    auditFirst?: boolean
  }
  interface FastifyRequest {
    route: FastifyRequest['routeOptions'] | null
    principal: Principal | null
    errorCode: ErrorCode | null
    /** What a change was about, when the path does not say. */
    auditTarget: string | null
    auditDetail: Record<string, string | number | boolean> | null
    /** Of the JSON body as it came. */
    bodyBytes: number
  }
}

/**
 * For answers that are data, not pages; the pages of the documentation have helmet's. Written out here because
 * computing them for each answer costs more than checking its key.
 */
const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}

/** Bodies of routes that do not say otherwise. */
export const BODY_BYTES = 1024 * 1024

const GIVEN_ID = /^[A-Za-z0-9_.-]{8,64}$/

/** The caller's own id, when it is harmless in a log line; a new one otherwise. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && GIVEN_ID.test(given) ? given : newId('req')
}

export function addRequestFlow(
  app: FastifyInstance,
  context: GatewayContext,
  guards: { authenticate: Authenticate; rates: Rates; isClosing: () => boolean; slowBodies: SlowBodies },
): void {
  const { authenticate, rates, isClosing, slowBodies } = guards
  const { audit, metrics, config } = context
  const bodies = createBodies(config.maxHeldBodyBytes)
  const watchAnswer = watchUnreadAnswers(bodies, config.slowReaderMs)
  app.decorateRequest('route', null)
  app.decorateRequest('principal', null)
  app.decorateRequest('errorCode', null)
  app.decorateRequest('auditTarget', null)
  app.decorateRequest('auditDetail', null)
  app.decorateRequest('bodyBytes', 0)

  app.addHook('onRoute', (route) => {
    if (route.url.startsWith('/v1') && route.config?.role === undefined) {
      throw new TroupeError(
        'configuration_invalid',
        `The route ${route.method} ${route.url} does not say who may use it.`,
      )
    }
  })

  app.addHook('onRequest', async (request, reply) => {
    const { url = '', config: route, bodyLimit } = routeOf(request)
    // The documentation is a page with scripts; it has helmet's headers, which these would overwrite.
    if (!url.startsWith('/docs')) reply.headers(SECURITY_HEADERS)
    reply.header('x-request-id', request.id)
    slowBodies.watch(request, reply)
    checkHost(request)
    refuseCoding(request, reply)
    const needed = route.role ?? 'public'
    if (needed === 'public') return
    if (isClosing()) throw new TroupeError('draining', 'This gateway is shutting down; ask again.')
    // What is known is not waited for: promises for each of these are felt at thousands of requests a second.
    const identity = identify(request)
    const principal = identity instanceof Promise ? await identity : identity
    request.principal = principal
    const counted = rates.take(principal)
    if (counted !== undefined) await counted
    requireRole(principal, needed)
    if (route.platform === true) requirePlatform(principal)
    refuseUnknownQuery(request, route.query)
    if (route.audit !== undefined) audit.checkRoom()
    holdBody(request, reply, bodyLimit)
  })

  function checkHost({ headers, raw }: FastifyRequest): void {
    // HTTP/1.0 has none.
    if (headers.host === undefined && raw.httpVersion === '1.1') {
      throw new TroupeError('invalid_request', 'The request has no Host header.')
    }
  }

  /** Taken for what it is not, a compressed body is only "not JSON". */
  function refuseCoding({ headers, raw }: FastifyRequest, reply: FastifyReply): void {
    const coding = headers['content-encoding']
    if (coding === undefined || coding.toLowerCase() === 'identity' || !hasBody(raw)) return
    reply.header('accept-encoding', 'identity')
    const message = `The body has the content coding ${coding.slice(0, 100)}; send it as it is.`
    throw new TroupeError('unsupported_media_type', message)
  }

  function holdBody({ headers }: FastifyRequest, reply: FastifyReply, limit: number): void {
    if (headers['content-type']?.startsWith('multipart/') === true) return
    const release = bodies.hold(headers, limit)
    // Also when the caller hangs up half-way.
    if (release !== undefined) reply.raw.once('close', release)
  }

  function identify(request: FastifyRequest): Principal | Promise<Principal> {
    try {
      const identity = authenticate(request.headers)
      return identity instanceof Promise ? identity.catch((error) => refuseLogin(request, error)) : identity
    } catch (error) {
      return refuseLogin(request, error)
    }
  }

  async function refuseLogin(request: FastifyRequest, error: unknown): Promise<never> {
    // Counted only on failure: a valid key is never slowed down by somebody else's guesses from the same address.
    if (codedError(error).code === 'unauthenticated') await rates.failedLogin(request.ip)
    throw error
  }

  function requirePlatform(principal: Principal): void {
    if (principal.tenant === config.platformTenant) return
    throw new TroupeError('forbidden', 'This belongs to the platform, not to a tenant; use a key of its own tenant.')
  }

  // Hooks that need not wait call back: a promise for each of them is felt at thousands of requests a second.
  app.addHook('onSend', (request, reply, answer, done) => {
    const payload = watchAnswer(request, reply, answer)
    const { url = 'unknown', config: route } = routeOf(request)
    // Reads that happen to be POSTs (a search) say that they change nothing by having no audit name.
    if (route.audit !== undefined || refused(request)) {
      const entry: AuditDraft = {
        at: Date.now(),
        tenant: request.principal?.tenant ?? config.platformTenant,
        subject: request.principal?.subject ?? 'anonymous',
        action: route.audit ?? `${request.method} ${url}`,
        target: request.auditTarget ?? pathOf(request),
        status: reply.statusCode,
        requestId: request.id,
      }
      const detail = detailOf(request)
      if (detail !== undefined) entry.detail = detail
      audit.record(entry)
      if (route.auditFirst === true) {
        audit.flush().then(
          () => done(null, payload),
          // What was refused stays refused for its own reason.
          (error) => done(null, reply.statusCode >= 400 ? payload : JSON.stringify(refuse(request, reply, error))),
        )
        return
      }
    }
    done(null, payload)
  })

  app.addHook('onResponse', (request, reply, done) => {
    // The pattern, not the path: a label for each id would be a leak of memory.
    const { url: route = 'unknown' } = routeOf(request)
    metrics.answered(request.method, route, reply.statusCode, reply.elapsedTime / 1_000)
    if (request.errorCode === 'unauthenticated') metrics.count('troupe_gateway_refused_logins_total')
    if (request.errorCode === 'input_refused') metrics.count('troupe_gateway_screened_total')
    if (reply.statusCode === 429) metrics.count('troupe_gateway_rate_limited_total')
    if (context.log.isLevelEnabled('debug')) {
      const { method, id } = request
      context.log.debug({ requestId: id, method, route, status: reply.statusCode, ms: reply.elapsedTime }, 'answered')
    }
    done()
  })
}

/** The principal of a route that needs one. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new TroupeError('unauthenticated', 'This route needs a credential.')
  return request.principal
}

/** Asked for once a request: Fastify puts it together anew at each look. */
function routeOf(request: FastifyRequest): FastifyRequest['routeOptions'] {
  request.route ??= request.routeOptions
  return request.route
}

function refused(request: FastifyRequest): boolean {
  return request.errorCode === 'unauthenticated' || request.errorCode === 'forbidden'
}

/** Without the query: it may hold what should not be kept. */
function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0]!.slice(0, 200)
}

function detailOf({ errorCode, auditDetail }: FastifyRequest): AuditDraft['detail'] {
  if (errorCode === null) return auditDetail ?? undefined
  return { ...auditDetail, code: errorCode }
}
