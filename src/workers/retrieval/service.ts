// The rpcs of retrieval.proto, each a few lines: check, ask, translate.
import { TroupeError } from '../../contract/errors.ts'
import { bidirectional, type GrpcService, loadService, unary } from '../grpc/index.ts'
import { type IngestParts, type IngestRequest, ingest } from './ingest.ts'
import { checkDocumentId, checkName, checkNames, DEFAULT_K, MAX_DELETED_AT_ONCE } from './limits.ts'
import {
  type CollectionMessage,
  conditionOf,
  type HitMessage,
  metadataOf,
  type SearchRequestMessage,
  type SearchResponseMessage,
  toMetadataMessage,
  type UpsertRequestMessage,
  type UpsertResponseMessage,
} from './messages.ts'
import { DEFAULT_VECTOR_SHARE } from './ranking.ts'
import { type Hit, type Mode, type SearchRequest, search } from './search.ts'
import type { CollectionInfo, Store } from './store.ts'

export const SERVICE = 'troupe.retrieval.v1.Retrieval'

interface CollectionRequest {
  tenant: string
  collection: string
}

export function retrievalService(parts: IngestParts): GrpcService {
  const { store } = parts
  return {
    definition: loadService('retrieval.proto', SERVICE),
    methods: {
      Upsert: bidirectional<UpsertRequestMessage, UpsertResponseMessage>(async function* (requests, call) {
        const stop = AbortSignal.any([call.signal, call.draining])
        for await (const { documentId, outcome, passages } of ingest(
          parts,
          ingestRequests(requests, stop),
          call.signal,
        )) {
          yield { document_id: documentId, outcome, passages }
        }
      }),
      DeleteDocuments: unary<CollectionRequest & { document_ids: string[] }, { deleted: number }>(
        async ({ tenant, collection, document_ids: ids }) => {
          checkNames(tenant, collection)
          if (ids.length > MAX_DELETED_AT_ONCE) {
            throw new TroupeError('value_too_large', `${ids.length} ids; the limit is ${MAX_DELETED_AT_ONCE}`)
          }
          ids.forEach(checkDocumentId)
          const { id } = await mustFind(store, tenant, collection)
          return { deleted: await store.remove(id, ids) }
        },
      ),
      Search: unary<SearchRequestMessage, SearchResponseMessage>(async (request, call) => {
        const { hits, model, degraded } = await search(parts, searchRequest(request), call.signal)
        return { hits: hits.map(toHitMessage), model: model ?? '', degraded: degraded ?? '' }
      }),
      ListCollections: unary<{ tenant: string }, { collections: CollectionMessage[] }>(async ({ tenant }) => {
        checkName('tenant', tenant)
        return { collections: (await store.list(tenant)).map(toCollectionMessage) }
      }),
      GetCollection: unary<CollectionRequest, CollectionMessage>(async ({ tenant, collection }) => {
        checkNames(tenant, collection)
        return toCollectionMessage(await mustFind(store, tenant, collection))
      }),
      DeleteCollection: unary<CollectionRequest, { deleted: boolean }>(async ({ tenant, collection }) => {
        checkNames(tenant, collection)
        return { deleted: await store.drop(tenant, collection) }
      }),
    },
  }
}

/**
 * A drain ends the stream after what has arrived: the caller sends the rest to the next worker (P8). Iterated by hand,
 * because leaving a for-await over a stream destroys it, and with it the status that is still to be sent.
 */
async function* ingestRequests(
  requests: AsyncIterable<UpsertRequestMessage>,
  stop: AbortSignal,
): AsyncGenerator<IngestRequest> {
  const arriving = requests[Symbol.asyncIterator]()
  const stopped = Promise.withResolvers<'stopped'>()
  stop.addEventListener('abort', () => stopped.resolve('stopped'), { once: true })
  for (;;) {
    const next = stop.aborted ? 'stopped' : await Promise.race([arriving.next(), stopped.promise])
    if (next === 'stopped') throw new TroupeError('draining', 'the worker is shutting down')
    if (next.done === true) return
    const { tenant, collection, document } = next.value
    if (document === null) throw new TroupeError('invalid_request', 'a request without a document')
    const { id, text, title, metadata } = document
    yield { tenant, collection, document: { id, text, title, metadata: metadataOf(metadata) } }
  }
}

async function mustFind(store: Store, tenant: string, name: string): Promise<CollectionInfo> {
  const found = await store.find(tenant, name)
  if (found !== undefined) return found
  throw new TroupeError('collection_not_found', `tenant ${tenant} has no collection ${name}`)
}

const MODES: Record<string, Mode> = { HYBRID: 'hybrid', LEXICAL: 'lexical', VECTOR: 'vector' }

function searchRequest(message: SearchRequestMessage): SearchRequest {
  const mode = MODES[message.mode]
  if (mode === undefined) throw new TroupeError('invalid_request', `unknown mode ${message.mode}`)
  const request: SearchRequest = {
    tenant: message.tenant,
    collection: message.collection,
    query: message.query,
    k: message.k ?? DEFAULT_K,
    mode,
    filter: message.filter.map(conditionOf),
    diversity: message.diversity,
    vectorShare: message.vector_share ?? DEFAULT_VECTOR_SHARE,
  }
  if (message.vector.length > 0) request.vector = Float32Array.from(message.vector)
  return request
}

function toHitMessage({ passage, score, highlights, lexical, vector, likeness, alsoIn }: Hit): HitMessage {
  return {
    document_id: passage.documentId,
    passage_id: `${passage.documentId}#${passage.ordinal}`,
    title: passage.title,
    text: passage.text,
    start: passage.start,
    end: passage.end,
    score,
    metadata: toMetadataMessage(passage.metadata),
    highlights,
    reason: {
      lexical: lexical ?? null,
      vector: vector ?? null,
      ...(likeness === undefined ? {} : { likeness }),
    },
    also_in: alsoIn,
  }
}

function toCollectionMessage({ name, documents, passages, serving, building }: CollectionInfo): CollectionMessage {
  return {
    name,
    documents,
    passages,
    model: serving?.model ?? '',
    dimension: serving?.dimension ?? 0,
    embedded: serving?.embedded ?? 0,
    rebuild: building === undefined ? null : { model: building.model, embedded: building.embedded },
  }
}
