// Collections: put text or stored documents into one, search it, remove it. The retrieval worker does the work.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { platformEvent } from '../../../bus/platform-events.ts'
import { TroupeError } from '../../../contract/errors.ts'
import type { GatewayContext, PassageSource, RetrievalPort } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'

const collectionName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be 1 to 63 of a–z, 0–9, _ and -')
const facts = z.record(z.string().max(100), z.union([z.string().max(1_000), z.number(), z.boolean()]))

const additionSchema = z
  .strictObject({
    documents: z
      .array(
        z.strictObject({
          documentId: z.string().min(1).max(100).describe('A stored document; with `text`, any name of yours.'),
          text: z.string().min(1).optional().describe('Absent: the text of the stored document.'),
          title: z.string().max(1_000).optional(),
          metadata: facts.optional(),
        }),
      )
      .min(1)
      .max(100),
  })
  .meta({ id: 'CollectionAddition' })

const searchSchema = z
  .strictObject({
    query: z.string().min(1).max(10_000),
    limit: z.int().min(1).max(100).default(10),
    mode: z.enum(['hybrid', 'lexical', 'vector']).default('hybrid'),
    filter: facts.optional().describe('Only passages whose metadata equals all of these.'),
  })
  .meta({ id: 'Search' })

const passageSchema = z
  .object({
    documentId: z.string(),
    passageId: z.string(),
    text: z.string(),
    start: z.int().describe('Where the passage stands in its document, in UTF-16 units.'),
    end: z.int(),
    score: z.number(),
    metadata: facts,
    highlights: z.array(z.object({ start: z.int(), end: z.int() })),
  })
  .meta({ id: 'Passage' })

const PLAIN_TEXT = /^text\/|^application\/(json|xml|yaml|x-ndjson)$/
const workerProblems = ['worker_unavailable', 'value_too_large', 'unsupported_media_type', 'overloaded'] as const

export function collectionsDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { documents, screening } = context

  function worker(): RetrievalPort {
    if (context.retrieval !== undefined) return context.retrieval
    throw new TroupeError('worker_unavailable', 'This gateway has no retrieval worker.')
  }

  async function sourceOf(
    tenant: string,
    wanted: z.infer<typeof additionSchema>['documents'][number],
  ): Promise<PassageSource> {
    const { documentId, title, metadata } = wanted
    const about = { ...(title === undefined ? {} : { title }), ...(metadata === undefined ? {} : { metadata }) }
    if (wanted.text !== undefined) return { documentId, text: wanted.text, ...about }
    const { info, content } = await documents.read(tenant, documentId)
    const text = await textOf({ name: info.name, mime: info.mime, content })
    return { documentId, text, title: info.name, ...about }
  }

  async function textOf(document: { name: string; mime: string; content: Uint8Array }): Promise<string> {
    if (PLAIN_TEXT.test(document.mime)) return new TextDecoder().decode(document.content)
    const reader = worker().textOf
    if (reader !== undefined) return await reader(document)
    throw new TroupeError(
      'document_unreadable',
      `A document of the type ${document.mime} has no text here; send \`text\`.`,
    )
  }

  return async (app) => {
    app.get(
      '/v1/collections',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['collections'],
          summary: 'List the collections',
          response: {
            200: z.object({
              collections: z.array(z.object({ name: z.string(), documents: z.int(), passages: z.int() })),
            }),
            ...problems('worker_unavailable'),
          },
        },
      },
      async (request) => ({ collections: await worker().collections(principalOf(request).tenant) }),
    )

    app.post(
      '/v1/collections/:collection/documents',
      {
        config: { role: 'submitter', audit: 'collection.put' },
        bodyLimit: 16 * 1024 * 1024,
        schema: {
          tags: ['collections'],
          summary: 'Put documents into a collection',
          params: z.object({ collection: collectionName }),
          body: additionSchema,
          response: {
            200: z.object({ passages: z.int().describe('How many passages the documents now have.') }),
            ...problems(...workerProblems, 'not_found', 'document_unreadable', 'limit_exceeded'),
          },
        },
      },
      async (request) => {
        const { tenant } = principalOf(request)
        const retrieval = worker()
        const sources: PassageSource[] = []
        const { collection } = request.params
        const begun = performance.now()
        for (const wanted of request.body.documents) sources.push(await sourceOf(tenant, wanted))
        const added = await retrieval.upsert(tenant, collection, sources)
        const told = { state: 'completed', collection, ms: Math.round(performance.now() - begun) } as const
        for (const { documentId: document } of sources) {
          // They are searchable whether or not the event stream can be reached.
          context.bus
            .publishPlatform(platformEvent('document_processed', { document, ...told }, { tenant }))
            .catch(() => {})
        }
        return added
      },
    )

    app.delete(
      '/v1/collections/:collection/documents/:id',
      {
        config: { role: 'submitter', audit: 'collection.remove' },
        schema: {
          tags: ['collections'],
          summary: 'Take a document out of a collection',
          params: z.object({ collection: collectionName, id: z.string().max(100) }),
          response: { 204: z.undefined(), ...problems('worker_unavailable', 'collection_not_found') },
        },
      },
      async (request, reply) => {
        const { collection, id } = request.params
        await worker().remove(principalOf(request).tenant, collection, [id])
        return reply.code(204).send()
      },
    )

    app.delete(
      '/v1/collections/:collection',
      {
        config: { role: 'submitter', audit: 'collection.delete', auditFirst: true },
        schema: {
          tags: ['collections'],
          summary: 'Delete a collection; the documents that were put into it stay',
          params: z.object({ collection: collectionName }),
          response: { 204: z.undefined(), ...problems('worker_unavailable', 'collection_not_found') },
        },
      },
      async (request, reply) => {
        const { collection } = request.params
        if (!(await worker().removeCollection(principalOf(request).tenant, collection))) {
          throw new TroupeError('collection_not_found', `There is no collection ${collection}.`)
        }
        return reply.code(204).send()
      },
    )

    app.post(
      '/v1/collections/:collection/search',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['collections'],
          summary: 'Search a collection',
          params: z.object({ collection: collectionName }),
          body: searchSchema,
          response: {
            200: z.object({ passages: z.array(passageSchema) }),
            ...problems(...workerProblems, 'collection_not_found'),
          },
        },
      },
      async (request) => {
        const reader = principalOf(request)
        const { query, filter, limit, mode } = request.body
        const options = { limit, mode, ...(filter === undefined ? {} : { filter }) }
        const passages = await worker().search(reader.tenant, request.params.collection, query, options)
        if (!screening.masksFor(reader)) return { passages }
        // Masking moves letters, so highlights no longer fit.
        return {
          passages: passages.map((passage) => {
            const { text, metadata } = screening.output(reader, { text: passage.text, metadata: passage.metadata })
            return { ...passage, text, metadata, highlights: [] }
          }),
        }
      },
    )
  }
}
