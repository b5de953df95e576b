// The gateway: the doors through which the outside reaches tasks. It knows the desk; it does not know that actors exist.
//   index.ts           this file: puts the parts together, listens, drains
//   app.ts             the Fastify application
//   request-flow.ts    what every request goes through: authenticate, limit, … audit
//   config.ts          what an operator may set
//   parts.ts           what the gateway is given; what its doors may use
//   problem.ts         every failure as problem+json with a stable code (P9)
//   json-body.ts       bytes to JSON that is safe to hand on (P9)
//   answers.ts         answers to text
//   unknown-routes.ts  404 or 405
//   malformed-http.ts  what is no HTTP, or no request for us
//   query-names.ts     query parameters that nobody knows
//   submissions.ts     a submission on its way to the desk, the same for every door
//   answering.ts       of the answers to one question the first is taken
//   cursor.ts          signed cursors, bound to tenant and query
//   schedules/         tasks at a time, or again and again
//   callbacks/         whom a tenant's tasks tell of their end
//   documents.ts       documents: content in the blob store, facts in the gateway's store
//   abandoned-contents.ts  the contents of deleted documents, on their way out
//   streams.ts         the streams that are open now
//   version.ts         which Troupe this is
//   metrics.ts         what is counted
//   bounded-cache.ts   answers remembered for a short time
//   auth/              who asks: API keys, own tokens, a trusted issuer's tokens
//   limits/            how often and how much
//   screening/         what may come in and go out, by policy
//   audit/             the hash-chained trail of changes and refusals
//   store/             the port of what only the gateway keeps, and its adapters
//   doors/             the protocols: rest, ws, mcp, documentation; and the console’s files
//
// Promises kept here: P1 (a task id leaves only after the desk committed it), P6 (every stream resumes from a number),
// P8 (draining tells readers where to resume), P9 (bad input ends as a coded 4xx with nothing half-done).
import { randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { type Logger, pino } from 'pino'
import { readCallbackAddresses } from '../outside/callback-addresses.ts'
import { createAbandonedContents } from './abandoned-contents.ts'
import { buildApp } from './app.ts'
import { createAuditTrail } from './audit/trail.ts'
import { createApiKeys } from './auth/api-keys.ts'
import { createAuthenticate } from './auth/authenticate.ts'
import { createIssuerCheck } from './auth/issuer.ts'
import { createOwnTokens } from './auth/own-tokens.ts'
import { createCallbacks } from './callbacks/callbacks.ts'
import { GATEWAY_DEFAULTS, type GatewayConfig } from './config.ts'
import { createCursors } from './cursor.ts'
import { createDocuments } from './documents.ts'
import { createQuotas } from './limits/quotas.ts'
import { createRates } from './limits/rates.ts'
import { createMetrics } from './metrics.ts'
import type { GatewayContext, GatewayParts } from './parts.ts'
import { createSchedules } from './schedules/schedules.ts'
import { loadPolicy } from './screening/policy.ts'
import { createScreening } from './screening/screening.ts'
import type { PostgresGatewayOptions } from './store/postgres.ts'
import type { GatewayStore } from './store/store.ts'
import { createStreams } from './streams.ts'

export { ADMIN_KEY_FILE, ensureAdminKey } from './auth/admin-key.ts'
export { type Callbacks, createCallbacks } from './callbacks/callbacks.ts'
export type { GatewayConfig, TrustedIssuer } from './config.ts'
export { createDocuments, type Documents } from './documents.ts'
export { taskAsSubmitter } from './doors/rest/task-view.ts'
export type { GatewayParts, RetrievalPort, SupervisionPort, TelemetryPort } from './parts.ts'
export { loadPolicy } from './screening/policy.ts'
export { openS3Blobs, type S3Options } from './store/s3-blobs.ts'
export { openSqliteGatewayStore } from './store/sqlite.ts'
export type { GatewayStore } from './store/store.ts'

/** Loaded on demand: an embedded core starts again without having to read the driver of a database it does not use. */
export async function openPostgresGatewayStore(options: PostgresGatewayOptions): Promise<GatewayStore> {
  const store = await import('./store/postgres.ts')
  return await store.openPostgresGatewayStore(options)
}

export interface Gateway {
  readonly app: FastifyInstance
  listen(host: string, port: number): Promise<{ url: string }>
  /** P8: not ready any more, streams told where to resume, requests in flight end within the grace. Then closed. */
  drain(graceMs: number): Promise<void>
  close(): Promise<void>
}

/** The parts stay the caller's: closing the gateway closes none of them. */
export async function createGateway(parts: GatewayParts): Promise<Gateway> {
  const config: GatewayConfig = { ...GATEWAY_DEFAULTS, ...parts.config }
  const log = createLog(config.logLevel)
  const { store, journal, bus, blobs } = parts
  const keys = createApiKeys(store)
  const tokens = await createOwnTokens(store, keys, config.publicUrl)
  const issuer = config.issuer === undefined ? undefined : createIssuerCheck(config.issuer)
  const trouble = await issuer?.look()
  if (trouble !== undefined) log.warn({ err: trouble }, `${trouble.message} Its tokens are refused until it answers.`)
  const rates = await createRates(config)
  const policy = loadPolicy(config.policyFile)
  const screening = createScreening(policy)
  const callbacks = createCallbacks({ store, addresses: readCallbackAddresses(policy.webhooks.private) })
  const audit = createAuditTrail(store, log)
  const quotas = createQuotas({ store, journal })
  const schedules = createSchedules({ ...parts, audit, callbacks, quotas, screening, log })
  const abandonedContents = createAbandonedContents({ store, blobs, log })
  const context: GatewayContext = {
    ...parts,
    config,
    log,
    keys,
    tokens,
    audit,
    quotas,
    schedules,
    callbacks,
    screening,
    documents: createDocuments({
      blobs,
      store,
      bus,
      maxBytes: config.maxDocumentBytes,
      checkType: (mime) => screening.document(mime),
    }),
    abandonedContents,
    cursors: createCursors(await store.secret('cursor-key', randomBytes(32).toString('hex'))),
    metrics: createMetrics(),
    streams: createStreams(config.maxStreams),
  }
  let draining = false
  const authenticate = createAuthenticate({ keys, tokens, issuer })
  let closing = false
  const app = await buildApp(context, {
    authenticate,
    rates,
    isDraining: () => draining,
    isClosing: () => closing,
  })

  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= closeAll()
    return closed
  }

  async function closeAll(): Promise<void> {
    draining = true
    closing = true
    context.streams.drain()
    await schedules.stop()
    await app.close()
    await abandonedContents.stop()
    await context.audit.close()
    await rates.close()
  }

  return {
    app,
    async listen(host, port) {
      const url = await app.listen({ host, port })
      schedules.start()
      abandonedContents.start()
      return { url }
    },
    async drain(graceMs) {
      draining = true
      context.streams.drain()
      // Load balancers need a moment to see that this gateway is not ready; until then it goes on answering.
      if (config.unreadyMs > 0) await new Promise((resolve) => setTimeout(resolve, config.unreadyMs))
      const ended = close()
      const late = setTimeout(() => app.server.closeAllConnections(), graceMs)
      await ended.finally(() => clearTimeout(late))
    },
    close,
  }
}

function createLog(level: GatewayConfig['logLevel']): Logger {
  // Headers and bodies are never logged; the paths below are a net under that rule.
  const redact = ['*.authorization', '*.secret', '*.password', '*.token', '*["x-api-key"]']
  return pino({ name: 'gateway', level, redact })
}
