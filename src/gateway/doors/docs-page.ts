// The page to read the API and try it. It comes as a module of several megabytes, which would be read at each start of
// the process and kept in memory for nobody: it is loaded when somebody first looks.
import helmet from '@fastify/helmet'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { TroupeError } from '../../contract/errors.ts'

/** The page's script is served from here, and its try-it requests go here: nothing is loaded from elsewhere. */
const PAGE_POLICY = {
  directives: {
    defaultSrc: ["'self'"],
    scriptSrc: ["'self'", "'unsafe-inline'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    // Behind plain HTTP on another host than localhost the page would ask for scripts that nobody serves.
    upgradeInsecureRequests: null,
  },
}

/** Nothing is offered that would send the document, or a question about it, to somebody else's service. */
const PAGE = {
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  mcp: { disabled: true },
  agent: { disabled: true },
}

/** What belongs to the connection, not to the page. */
const NOT_OURS = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding'])

export function addDocsPage(app: FastifyInstance): void {
  let loading: Promise<FastifyInstance> | undefined

  async function show(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    loading ??= load()
    const page = await (await loading).inject({ method: 'GET', url: request.url })
    if (page.statusCode === 404) throw new TroupeError('not_found', `There is no ${request.url.split('?')[0]} here.`)
    for (const [name, value] of Object.entries(page.headers)) {
      if (!NOT_OURS.has(name) && value !== undefined) reply.header(name, value)
    }
    return reply.code(page.statusCode).send(page.rawPayload)
  }

  const hidden = { schema: { hide: true } as object }
  for (const url of ['/docs', '/docs/', '/docs/*']) app.get(url, hidden, show)
  app.addHook('onClose', async () => await (await loading)?.close())
}

async function load(): Promise<FastifyInstance> {
  const { default: scalar } = await import('@scalar/fastify-api-reference')
  const page = Fastify()
  await page.register(helmet, { contentSecurityPolicy: PAGE_POLICY })
  await page.register(scalar, {
    routePrefix: '/docs',
    configuration: PAGE as Record<string, unknown>,
  })
  await page.ready()
  return page
}
