// The Fastify application: what is common to all doors, then the doors.
import cors from '@fastify/cors'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { TroupeError } from '../contract/errors.ts'
import { answerSerializer } from './answers.ts'
import { type Authenticate, WEBSOCKET_PROTOCOL } from './auth/authenticate.ts'
import { addConsole } from './doors/console.ts'
import { addDocumentation } from './doors/documentation.ts'
import { mcpDoor } from './doors/mcp/index.ts'
import { restDoors } from './doors/rest/index.ts'
import { STREAM_PATH, streamDoor } from './doors/ws/index.ts'
import { parseJsonBody } from './json-body.ts'
import type { Rates } from './limits/rates.ts'
import { watchSlowBodies } from './limits/slow-bodies.ts'
import { refuseMalformed, refuseUnservable } from './malformed-http.ts'
import type { GatewayContext } from './parts.ts'
import { sendProblem } from './problem.ts'
import { rememberQueryNames } from './query-names.ts'
import { addRequestFlow, BODY_BYTES, requestId } from './request-flow.ts'
import { rememberRoutes } from './unknown-routes.ts'

/** A control frame of the WebSocket door is small. */
const MAX_FRAME_BYTES = 64 * 1024

export async function buildApp(
  context: GatewayContext,
  guards: { authenticate: Authenticate; rates: Rates; isDraining: () => boolean; isClosing: () => boolean },
): Promise<FastifyInstance> {
  const app = Fastify({
    loggerInstance: forAllRequests(context.log),
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestId,
    bodyLimit: BODY_BYTES,
    requestTimeout: context.config.slowRequestMs,
    trustProxy: context.config.trustedProxies.length > 0 ? context.config.trustedProxies : false,
    forceCloseConnections: 'idle',
    // request-flow.ts answers as what it is.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 200 },
    http: {
      headersTimeout: context.config.slowHeadersMs,
      // How often Node looks for senders that are too slow; a cut comes at most this much late.
      connectionsCheckingInterval: Math.min(1_000, context.config.slowHeadersMs),
      // request-flow.ts refuses it, in our words.
      requireHostHeader: false,
      // Java's client offers HTTP/2 with every request: taken up by nobody, it would wait for its answer for ever. And
      // where no WebSocket is served, an offer of one is a request like others.
      shouldUpgradeCallback: ({ headers, url }) =>
        headers.upgrade?.toLowerCase() === 'websocket' && url?.split('?', 1)[0] === STREAM_PATH,
    },
    clientErrorHandler: refuseMalformed,
    // A HEAD of a stream would stay open for its whole length and say nothing.
    exposeHeadRoutes: false,
    // Malformed URLs fail before any hook: they get a problem like everything else.
    frameworkErrors: (error, request, reply) => void sendProblem(request, reply, error),
  }).withTypeProvider<ZodTypeProvider>()

  refuseUnservable(app.server)
  const slowBodies = watchSlowBodies(context.config.slowBodyMs)
  app.addHook('onClose', async () => slowBodies.close())
  app.setValidatorCompiler(checkedCompiler)
  app.setSerializerCompiler(answerSerializer(context.config.checkAnswers))
  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error))

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      slowBodies.arrived(request.raw)
      request.bodyBytes = body.length
      done(null, parseJsonBody(body as Buffer))
    } catch (error) {
      done(error as TroupeError)
    }
  })

  // First, so that refusals carry its headers as well and a page can read them.
  if (context.config.corsOrigins.length > 0) {
    await app.register(cors, {
      origin: context.config.corsOrigins,
      // Left out, a page may change nothing that is put or deleted.
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
      exposedHeaders: ['location', 'etag', 'retry-after', 'x-request-id', 'idempotency-replayed', 'preference-applied'],
      maxAge: 600,
    })
  }
  const routes = rememberRoutes(app)
  rememberQueryNames(app)
  addRequestFlow(app, context, { ...guards, slowBodies })
  app.setNotFoundHandler((request, reply) => {
    const allowed = routes.methodsOf(request.url)
    if (allowed.length === 0) throw new TroupeError('not_found', `There is no ${request.url.split('?')[0]} here.`)
    reply.header('allow', allowed.join(', '))
    throw new TroupeError('method_not_allowed', `${request.url.split('?')[0]} takes ${allowed.join(', ')}.`)
  })

  await addDocumentation(app)
  addConsole(app as unknown as FastifyInstance, context.config.console)
  await app.register(restDoors(context, guards))
  // In a scope of its own: the plug-in's hooks would be on every request.
  await app.register(async (scope) => {
    await scope.register(websocket, {
      options: {
        maxPayload: MAX_FRAME_BYTES,
        // A credential offered as a subprotocol is never echoed.
        handleProtocols: (offered: Set<string>) => (offered.has(WEBSOCKET_PROTOCOL) ? WEBSOCKET_PROTOCOL : false),
      },
    })
    await scope.register(streamDoor(context, guards))
  })
  await app.register(mcpDoor(context, guards.authenticate))
  await app.ready()
  return app as unknown as FastifyInstance // The type provider is the doors' business, not the caller's.
}

/** Headers are checked and stay as they came: one that is put back makes Fastify copy all of them at each look. */
const checkedCompiler: typeof validatorCompiler = (route) => {
  const validate = validatorCompiler(route)
  if (route.httpPart !== 'headers') return validate
  return (headers) => {
    const checked = validate(headers)
    return typeof checked === 'object' && 'error' in checked ? checked : true
  }
}

/** A logger for each request costs more than it is worth: what is logged of a request names its id. */
function forAllRequests(log: FastifyBaseLogger): FastifyBaseLogger {
  const same: FastifyBaseLogger = Object.create(log)
  same.child = () => same
  return same
}
