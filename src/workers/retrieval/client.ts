// The client of troupe.retrieval.v1: what agents (ctx.retrieval) and the gateway call. Everything here may be repeated
// safely, so a call that broke off is, within a budget and behind a breaker.
import { Metadata as CallMetadata, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js'
import { TroupeError } from '../../contract/errors.ts'
import { Breaker, type BreakerOptions, Connection, fromGrpcError, loadService, type TlsFiles } from '../grpc/index.ts'
import { attemptAgain } from './client-attempts.ts'
import { type UpsertDocument, type UpsertStream, type UpsertSummary, upsertAll } from './client-upsert.ts'
import {
  type CollectionMessage,
  type HitMessage,
  metadataOf,
  type SearchResponseMessage,
  toConditionMessage,
  type UpsertRequestMessage,
  type UpsertResponseMessage,
} from './messages.ts'
import { conditionsOf, type Filter, type Metadata } from './metadata.ts'
import { SERVICE } from './service.ts'

export interface CallOptions {
  tenant: string
  signal?: AbortSignal
  /** Milliseconds since 1970. Default: in 30 seconds; for an upsert, in ten minutes. */
  deadline?: number
  /** W3C trace context, sent along. */
  traceparent?: string
}

export interface SearchOptions extends CallOptions {
  k?: number
  mode?: 'hybrid' | 'lexical' | 'vector'
  filter?: Filter
  /** 0 to 1: how much unlike each other the passages should be. */
  diversity?: number
  /** 0 to 1: what the ranking by vectors weighs beside that by words. */
  vectorShare?: number
  /** In place of the query's own embedding. */
  vector?: Float32Array
}

export interface FoundPassage {
  documentId: string
  passageId: string
  title: string
  text: string
  /** Where the passage stands in its document, in UTF-16 units; highlights are offsets into `text`. */
  start: number
  end: number
  score: number
  metadata: Metadata
  highlights: { start: number; end: number }[]
  /** Where the score comes from. */
  reason: NonNullable<HitMessage['reason']>
  /** Other documents with the very same passage. */
  alsoIn: string[]
}

export interface SearchResult {
  passages: FoundPassage[]
  /** The model whose vectors took part. */
  model?: string
  /** Why the answer is poorer than asked for. */
  degraded?: string
}

export interface CollectionSummary {
  name: string
  documents: number
  passages: number
  model?: string
  dimension: number
  /** Passages that have a vector. */
  embedded: number
  /** While the collection is embedded anew. */
  rebuild?: { model: string; embedded: number }
}

export interface RetrievalClient {
  upsert(
    collection: string,
    documents: Iterable<UpsertDocument> | AsyncIterable<UpsertDocument>,
    options: CallOptions,
  ): Promise<UpsertSummary>
  search(collection: string, query: string, options: SearchOptions): Promise<SearchResult>
  /** Says how many were there. */
  delete(collection: string, documentIds: readonly string[], options: CallOptions): Promise<number>
  collections(options: CallOptions): Promise<CollectionSummary[]>
  collection(name: string, options: CallOptions): Promise<CollectionSummary>
  deleteCollection(name: string, options: CallOptions): Promise<boolean>
  close(): void
}

export interface RetrievalClientOptions {
  address: string
  tls?: Partial<TlsFiles>
  timeoutMs?: number
  breaker?: Partial<BreakerOptions>
  /** A worker that says nothing for twice as long is taken for gone. Default 10000; 0: never. */
  silenceMs?: number
}

const UPSERT_TIMEOUT_MS = 600_000
const MESSAGE_BYTES = 16 * 1024 * 1024

export function createRetrievalClient(options: RetrievalClientOptions): RetrievalClient {
  const { address, timeoutMs = 30_000 } = options
  const where = `retrieval worker ${address}`
  const breaker = new Breaker(options.breaker)
  const connection = new Connection({
    address,
    tls: options.tls,
    channel: { 'grpc.max_receive_message_length': MESSAGE_BYTES, 'grpc.max_send_message_length': MESSAGE_BYTES },
    silenceMs: options.silenceMs,
    onSilent: () => breaker.rest(),
  })
  const definition = loadService('retrieval.proto', SERVICE)

  function ask<Response>(method: string, request: object, call: CallOptions): Promise<Response> {
    const deadline = call.deadline ?? Date.now() + timeoutMs
    return attemptAgain({ breaker, where, deadline, signal: call.signal }, () =>
      once<Response>(method, request, deadline, call),
    )
  }

  function once<Response>(method: string, request: object, deadline: number, call: CallOptions): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = definition[method]!
    const { promise, resolve, reject } = Promise.withResolvers<Response>()
    const rpc = connection.client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      traceMetadata(call),
      { deadline },
      (error: ServiceError | null, response: unknown) => {
        call.signal?.removeEventListener('abort', aborted)
        if (error === null) resolve(response as Response)
        else reject(call.signal?.aborted ? call.signal.reason : fromGrpcError(error, where))
      },
    )
    const aborted = (): void => rpc.cancel()
    call.signal?.addEventListener('abort', aborted, { once: true })
    return promise
  }

  function openUpsert(call: CallOptions, deadline: number): UpsertStream {
    const { path, requestSerialize, responseDeserialize } = definition.Upsert!
    const stream = connection.client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      traceMetadata(call),
      {
        deadline,
      },
    )
    return stream as ClientDuplexStream<UpsertRequestMessage, UpsertResponseMessage>
  }

  return {
    upsert(collection, documents, call) {
      const deadline = call.deadline ?? Date.now() + UPSERT_TIMEOUT_MS
      return upsertAll({
        open: () => openUpsert(call, deadline),
        retry: { breaker, where, deadline, signal: call.signal },
        tenant: call.tenant,
        collection,
        documents,
      })
    },
    async search(collection, query, call) {
      const request = {
        tenant: call.tenant,
        collection,
        query,
        mode: checkedMode(call.mode ?? 'hybrid'),
        filter: conditionsOf(call.filter ?? {}).map(toConditionMessage),
        diversity: call.diversity ?? 0,
        vector: call.vector === undefined ? [] : Array.from(call.vector),
        ...(call.k === undefined ? {} : { k: checkedCount(call.k) }),
        ...(call.vectorShare === undefined ? {} : { vector_share: call.vectorShare }),
      }
      const { hits, model, degraded } = await ask<SearchResponseMessage>('Search', request, call)
      return {
        passages: hits.map(toPassage),
        ...(model === '' ? {} : { model }),
        ...(degraded === '' ? {} : { degraded }),
      }
    },
    async delete(collection, documentIds, call) {
      const request = { tenant: call.tenant, collection, document_ids: documentIds }
      return (await ask<{ deleted: number }>('DeleteDocuments', request, call)).deleted
    },
    async collections(call) {
      const request = { tenant: call.tenant }
      return (await ask<{ collections: CollectionMessage[] }>('ListCollections', request, call)).collections.map(
        toSummary,
      )
    },
    collection: async (name, call) =>
      toSummary(await ask<CollectionMessage>('GetCollection', { tenant: call.tenant, collection: name }, call)),
    async deleteCollection(name, call) {
      const request = { tenant: call.tenant, collection: name }
      return (await ask<{ deleted: boolean }>('DeleteCollection', request, call)).deleted
    },
    close: () => connection.close(),
  }
}

/** Protobuf would make another number of what is no uint32: -1 would ask for four thousand million. */
function checkedCount(k: number): number {
  if (Number.isInteger(k) && k >= 0 && k <= 0xffffffff) return k
  throw new TroupeError('invalid_request', `k is ${k}; it must be a whole number`)
}

/** proto-loader would take the first mode for one it does not know. */
function checkedMode(mode: string): string {
  if (mode === 'hybrid' || mode === 'lexical' || mode === 'vector') return mode.toUpperCase()
  throw new TroupeError('invalid_request', `mode is ${mode}; it must be hybrid, lexical or vector`)
}

function traceMetadata({ traceparent }: CallOptions): CallMetadata {
  const metadata = new CallMetadata()
  if (traceparent !== undefined) metadata.set('traceparent', traceparent)
  return metadata
}

function toPassage(hit: HitMessage): FoundPassage {
  return {
    documentId: hit.document_id,
    passageId: hit.passage_id,
    title: hit.title,
    text: hit.text,
    start: hit.start,
    end: hit.end,
    score: hit.score,
    metadata: metadataOf(hit.metadata),
    highlights: hit.highlights,
    reason: hit.reason ?? { lexical: null, vector: null },
    alsoIn: hit.also_in,
  }
}

function toSummary({ name, documents, passages, model, dimension, embedded, rebuild }: CollectionMessage) {
  return {
    name,
    documents,
    passages,
    dimension,
    embedded,
    ...(model === '' ? {} : { model }),
    ...(rebuild === null ? {} : { rebuild }),
  }
}
