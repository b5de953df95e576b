// Documents arrive one by one and are stored in batches: one call of the embedder and one commit for many. Whoever
// sends faster than that is stored is held back by the stream's own flow control, so memory stays bounded.
import { setTimeout as wait } from 'node:timers/promises'
import { TroupeError, toTroupeError } from '../../contract/errors.ts'
import { type Embedder, type Embedders, embedChecked } from './embedder.ts'
import { checkDocument, checkNames } from './limits.ts'
import { type DocumentInput, documentHash, embeddedText } from './prepare.ts'
import type { Preparing } from './preparing-thread.ts'
import type { CollectionInfo, DocumentDraft, Store } from './store.ts'
import type { Remote } from './thread.ts'

export interface IngestRequest {
  tenant: string
  collection: string
  document: DocumentInput
}

export interface IngestResult {
  documentId: string
  outcome: 'STORED' | 'REPLACED' | 'UNCHANGED'
  passages: number
}

export interface IngestParts {
  store: Store
  embedders: Embedders
  preparing: Remote<Preparing>
  /** Called when passages were stored without vectors. */
  onLacking(): void
}

const MAX_BATCH = 64
const MAX_BATCH_CHARACTERS = 512 * 1024
const COMPANY_MS = 2

/** Answers each document in order, after it is durable. */
export async function* ingest(
  parts: IngestParts,
  requests: AsyncIterable<IngestRequest>,
  signal: AbortSignal,
): AsyncGenerator<IngestResult> {
  for await (const { batch, failure } of batches(requests)) {
    if (batch.length > 0) yield* await storeBatch(parts, batch, signal)
    // What came before the bad document is stored and answered.
    if (failure !== undefined) throw failure
  }
}

interface Batch {
  batch: IngestRequest[]
  failure?: unknown
}

// A batch is whatever has arrived while the last one was stored: a lone document waits 2 ms for company.
async function* batches(requests: AsyncIterable<IngestRequest>): AsyncGenerator<Batch> {
  const arriving = requests[Symbol.asyncIterator]()
  let next = take(arriving)
  for (;;) {
    const first = await next
    if (first === undefined) return
    if (first instanceof Failure) {
      yield { batch: [], failure: first.cause }
      return
    }
    const batch = [first]
    let characters = first.document.text.length
    next = take(arriving)
    while (batch.length < MAX_BATCH && characters < MAX_BATCH_CHARACTERS) {
      const more = await Promise.race([next, wait(COMPANY_MS, undefined)])
      if (more === undefined || more instanceof Failure || !fits(batch, more)) break
      batch.push(more)
      characters += more.document.text.length
      next = take(arriving)
    }
    yield { batch }
  }
}

class Failure {
  readonly cause: unknown
  constructor(cause: unknown) {
    this.cause = cause
  }
}

async function take(arriving: AsyncIterator<IngestRequest>): Promise<IngestRequest | Failure | undefined> {
  try {
    const { done, value } = await arriving.next()
    if (done === true) return undefined
    checkNames(value.tenant, value.collection)
    checkDocument(value.document)
    return value
  } catch (cause) {
    return new Failure(cause)
  }
}

/** One commit is for one collection, and a document that comes twice is stored twice, in order. */
function fits(batch: readonly IngestRequest[], more: IngestRequest): boolean {
  const { tenant, collection } = batch[0]!
  return (
    more.tenant === tenant &&
    more.collection === collection &&
    batch.every(({ document }) => document.id !== more.document.id)
  )
}

async function storeBatch(parts: IngestParts, batch: IngestRequest[], signal: AbortSignal): Promise<IngestResult[]> {
  const { store, embedders, preparing } = parts
  const { tenant, collection: name } = batch[0]!
  const collection = await openCollection(parts, tenant, name, signal)
  const stored = await store.documentHashes(
    collection.id,
    batch.map(({ document }) => document.id),
  )
  const changed = batch.filter(({ document }) => stored.get(document.id) !== documentHash(document))
  signal.throwIfAborted()
  const drafts = changed.length === 0 ? [] : await preparing.prepare(changed.map(({ document }) => document))

  const embedder = await embedderFor(embedders, collection, signal)
  const vectors = await vectorsFor(parts, collection, drafts, embedder, signal)
  signal.throwIfAborted()
  if (drafts.length > 0) await store.write(collection.id, drafts, embedder?.model, vectors)
  if (drafts.some(({ passages }) => passages.some(({ hash }) => !vectors.has(hash)))) parts.onLacking()

  const byId = new Map(drafts.map((draft) => [draft.id, draft]))
  return batch.map(({ document: { id } }) => {
    const draft = byId.get(id)
    if (draft === undefined) return { documentId: id, outcome: 'UNCHANGED', passages: 0 }
    return { documentId: id, outcome: stored.has(id) ? 'REPLACED' : 'STORED', passages: draft.passages.length }
  })
}

async function openCollection(
  { store, embedders }: IngestParts,
  tenant: string,
  name: string,
  signal: AbortSignal,
): Promise<CollectionInfo> {
  const found = await store.find(tenant, name)
  if (found !== undefined) return found
  const current = await embedders.current(signal)
  const model = current === undefined ? undefined : { model: current.model, dimension: current.dimension }
  return await store.open(tenant, name, model)
}

/** While a collection is embedded anew, what arrives still joins the index that serves; the other one catches up. */
async function embedderFor(
  embedders: Embedders,
  collection: CollectionInfo,
  signal: AbortSignal,
): Promise<Embedder | undefined> {
  const serving = collection.serving
  const found = serving === undefined ? undefined : await embedders.find(serving.model, signal)
  return found ?? (await embedders.current(signal))
}

/** By hash of the passage. A text that is known already keeps its vector; if the embedder is away, words must do. */
async function vectorsFor(
  { store }: IngestParts,
  collection: CollectionInfo,
  drafts: readonly DocumentDraft[],
  embedder: Embedder | undefined,
  signal: AbortSignal,
): Promise<Map<string, Float32Array>> {
  const wanted = new Map<string, string>()
  for (const { title, passages } of drafts) {
    for (const { hash, text } of passages) wanted.set(hash, embeddedText(title, text))
  }
  if (embedder === undefined || wanted.size === 0) return new Map()
  const vectors = await store.knownVectors(collection.id, embedder.model, [...wanted.keys()])
  const fresh = [...wanted].filter(([hash]) => !vectors.has(hash))
  if (fresh.length === 0) return vectors
  try {
    const texts = fresh.map(([, text]) => text)
    const embedded = await embedChecked(embedder, texts, signal)
    fresh.forEach(([hash], place) => {
      vectors.set(hash, embedded[place]!)
    })
  } catch (thrown) {
    signal.throwIfAborted()
    const error = toTroupeError(thrown, 'worker_unavailable')
    if (!error.passing && error.code !== 'model_not_found') {
      throw new TroupeError(error.code, `embedding: ${error.message}`, { cause: error })
    }
  }
  return vectors
}
