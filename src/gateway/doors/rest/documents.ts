// Documents: a file is streamed into the blob store as it arrives; tasks name it by its id. Deleted, it leaves everything.
import multipart, { type MultipartFile } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { TroupeError } from '../../../contract/errors.ts'
import type { GatewayContext, RetrievalPort } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import type { DocumentRow } from '../../store/store.ts'
import { isUnchanged } from './preferences.ts'
import { type ByteRange, parseRange } from './ranges.ts'
import { timeSchema } from './task-view.ts'

const documentSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    mime: z.string().describe('Found by content where that is possible.'),
    bytes: z.int(),
    sha256: z.string(),
    createdAt: timeSchema,
    links: z.object({ self: z.string(), content: z.string() }),
  })
  .meta({ id: 'Document' })

const documentParams = z.object({ id: z.string().max(100) })

export function documentsDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { documents, abandonedContents, retrieval, cursors, config } = context

  return async (app) => {
    // Here and not for the whole application: its hooks would run, and listen, at each request of every door.
    await app.register(multipart)
    app.post(
      '/v1/documents',
      {
        config: { role: 'submitter', audit: 'document.put' },
        bodyLimit: config.maxDocumentBytes + 64 * 1024,
        // The body is a stream that the handler reads part by part; its schema is for the documentation.
        validatorCompiler: () => (value) => ({ value }),
        schema: {
          tags: ['documents'],
          summary: 'Store a document',
          consumes: ['multipart/form-data'],
          body: z.object({ file: z.any().meta({ type: 'string', format: 'binary' }) }),
          response: {
            201: documentSchema,
            ...problems('value_too_large', 'unsupported_media_type', 'input_refused', 'disk_full'),
          },
        },
      },
      async (request, reply) => {
        const { tenant, subject } = principalOf(request)
        const { file, confirm } = await onlyFile(request, config.maxDocumentBytes)
        const { filename: name, mimetype: mime, file: content } = file
        const row = await documents
          .put({ tenant, name, mime, createdBy: subject, content, confirm })
          .catch((error) => Promise.reject(content.errored === null ? error : malformed(content.errored)))
        request.auditTarget = row.id
        return reply.code(201).header('location', `/v1/documents/${row.id}`).send(documentView(row))
      },
    )

    app.get(
      '/v1/documents',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['documents'],
          summary: 'List documents, newest first',
          querystring: z.object({
            cursor: z.string().max(2_000).optional(),
            limit: z.coerce.number().int().min(1).max(500).default(50),
          }),
          response: {
            200: z.object({ documents: z.array(documentSchema), nextCursor: z.string().optional() }),
            ...problems(),
          },
        },
      },
      async (request) => {
        const { tenant } = principalOf(request)
        const { cursor, limit } = request.query
        const before = cursor === undefined ? {} : { before: cursors.open(tenant, 'documents', cursor) }
        const rows = await documents.list(tenant, { ...before, limit })
        const last = rows.length === limit ? rows.at(-1) : undefined
        const next = last === undefined ? {} : { nextCursor: cursors.seal(tenant, 'documents', last.id) }
        return { documents: rows.map(documentView), ...next }
      },
    )

    app.get(
      '/v1/documents/:id',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['documents'],
          summary: 'Read what is known of a document',
          params: documentParams,
          response: { 200: documentSchema, ...problems('not_found') },
        },
      },
      async (request) => documentView(await documents.info(principalOf(request).tenant, request.params.id)),
    )

    app.delete(
      '/v1/documents/:id',
      {
        config: { role: 'submitter', audit: 'document.delete', auditFirst: true },
        schema: {
          tags: ['documents'],
          summary: 'Delete a document, with its passages',
          description: 'A task that reads it from now on is told `not_found`.',
          params: documentParams,
          response: { 204: z.undefined(), ...problems('not_found', 'worker_unavailable') },
        },
      },
      async (request, reply) => {
        const { tenant } = principalOf(request)
        const { id } = await documents.info(tenant, request.params.id)
        // Passages first: whoever cannot reach the worker can ask again, because the document is still there.
        if (retrieval !== undefined) await withdraw(retrieval, tenant, id)
        await documents.remove(tenant, id)
        abandonedContents.look()
        request.auditTarget = id
        return reply.code(204).send()
      },
    )

    app.get(
      '/v1/documents/:id/content',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['documents'],
          summary: 'Download a document',
          params: documentParams,
          headers: z.object({
            range: z.string().optional().describe('`bytes=0-1023`: one range.'),
            'if-none-match': z.string().optional(),
          }),
          response: {
            200: { description: 'The content.', content: { 'application/octet-stream': { schema: z.any() } } },
            206: { description: 'A part of it.', content: { 'application/octet-stream': { schema: z.any() } } },
            304: z.undefined().describe('Unchanged.'),
            416: z.undefined().describe('The range is outside the content; Content-Range says its size.'),
            ...problems('not_found'),
          },
        },
      },
      async (request, reply) => {
        const { tenant } = principalOf(request)
        const row = await documents.info(tenant, request.params.id)
        const etag = `"${row.sha256}"`
        reply.headers({ etag, 'accept-ranges': 'bytes', 'cache-control': 'private, no-cache' })
        if (isUnchanged(request.headers['if-none-match'], etag)) return reply.code(304).send()
        const range = parseRange(request.headers.range, row.bytes)
        if (range === 'outside') return reply.code(416).header('content-range', `bytes */${row.bytes}`).send()
        reply.headers(downloadHeaders(row, range))
        const content = await documents.stream(tenant, row.id, range)
        return reply.code(range === undefined ? 200 : 206).send(content)
      },
    )
  }
}

/** Out of every collection of the tenant: a task may have put it where no request said. */
async function withdraw(retrieval: RetrievalPort, tenant: string, id: string): Promise<void> {
  for (const { name } of await retrieval.collections(tenant)) {
    await retrieval.remove(tenant, name, [id]).catch((error: unknown) => {
      // Somebody has removed the whole collection since.
      if (!(error instanceof TroupeError) || error.code !== 'collection_not_found') throw error
    })
  }
}

/** The one file of the form, and a check, for when it is read, that nothing follows it. */
async function onlyFile(
  request: FastifyRequest,
  maxBytes: number,
): Promise<{ file: MultipartFile; confirm: () => Promise<void> }> {
  if (!request.isMultipart()) {
    throw new TroupeError('unsupported_media_type', 'Send the document as multipart/form-data, in one file part.')
  }
  const limits = { files: 1, fields: 0, headerPairs: 50, fileSize: maxBytes + 1 }
  const parts = request.parts({ limits })
  const next = () => parts.next().catch((error) => Promise.reject(malformed(error)))
  const first = await next()
  if (first.done === true || first.value.type !== 'file') {
    throw new TroupeError('invalid_request', 'The form holds no file part.')
  }
  return {
    file: first.value,
    async confirm() {
      const more = await next()
      if (more.done !== true) throw new TroupeError('invalid_request', 'The form holds more than one part.')
    },
  }
}

const PARTS_LIMITS = new Set(['FST_FILES_LIMIT', 'FST_FIELDS_LIMIT', 'FST_PARTS_LIMIT'])

/** The parser's own errors carry no status: what is wrong with the form is the caller's. */
function malformed(error: Error & { statusCode?: number; code?: string }): Error {
  if (PARTS_LIMITS.has(error.code ?? '')) {
    return new TroupeError('invalid_request', 'The form must hold one file part and nothing else.', { cause: error })
  }
  if (error.statusCode !== undefined) return error
  return new TroupeError('invalid_request', `The form is malformed: ${error.message}`, { cause: error })
}

function documentView(row: DocumentRow): z.infer<typeof documentSchema> {
  const { id, name, mime, bytes, sha256, createdAt } = row
  const links = { self: `/v1/documents/${id}`, content: `/v1/documents/${id}/content` }
  return { id, name, mime, bytes, sha256, createdAt: new Date(createdAt).toISOString(), links }
}

function downloadHeaders(row: DocumentRow, range: ByteRange | undefined): Record<string, string> {
  const bytes = range === undefined ? row.bytes : range.end - range.start + 1
  return {
    'content-type': row.mime,
    'content-length': String(bytes),
    ...(range === undefined ? {} : { 'content-range': `bytes ${range.start}-${range.end}/${row.bytes}` }),
    // Saved, never shown as a page of this origin: an uploaded HTML file must not run with the console's rights.
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(row.name).replace(/['()*]/g, percent)}`,
    'content-security-policy': "default-src 'none'; sandbox",
  }
}

function percent(letter: string): string {
  return `%${letter.charCodeAt(0).toString(16).toUpperCase()}`
}
