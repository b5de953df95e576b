// The console: the files of web/, sent as they lie there. They are public and hold nothing; what they show they ask the
// API for, with the key that their reader signs in with.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { TroupeError } from '../../contract/errors.ts'
import { isUnchanged } from './rest/preferences.ts'

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'web')

const MEDIA_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Nothing from elsewhere, nothing inline; and where a browser knows trusted types, text cannot become markup at all. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

interface File {
  type: string
  content: Buffer
  etag: string
}

export function addConsole(app: FastifyInstance, on: boolean): void {
  const hidden = { schema: { hide: true } as object }
  // Whoever opens the printed address in a browser wants to see something. Relative: a proxy may have put a path before.
  app.get('/', hidden, async (_request, reply) => reply.redirect(on ? 'console/' : 'docs', 302))
  if (!on) return
  let reading: Promise<Map<string, File>> | undefined

  async function show(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    reading ??= readFiles().catch((error) => {
      reading = undefined
      throw error
    })
    const name = (request.params as { '*'?: string })['*'] || 'index.html'
    const file = (await reading).get(name)
    if (file === undefined) throw new TroupeError('not_found', `There is no ${request.url.split('?')[0]} here.`)
    reply.header('content-security-policy', PAGE_POLICY).header('etag', file.etag)
    // Asked again each time and answered from memory: a new version is seen at once.
    reply.header('cache-control', 'no-cache')
    if (isUnchanged(request.headers['if-none-match'], file.etag)) return reply.code(304).send()
    return reply.type(file.type).send(file.content)
  }

  app.get('/console', hidden, async (_request, reply) => reply.redirect('console/', 302))
  app.get('/console/', hidden, show)
  app.get('/console/*', hidden, show)
}

async function readFiles(): Promise<Map<string, File>> {
  const names = (await readdir(FOLDER)).filter((name) => MEDIA_TYPES[extname(name)] !== undefined)
  const files = names.map(async (name): Promise<[string, File]> => {
    const content = await readFile(join(FOLDER, name))
    const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`
    return [name, { type: MEDIA_TYPES[extname(name)]!, content, etag }]
  })
  return new Map(await Promise.all(files))
}
