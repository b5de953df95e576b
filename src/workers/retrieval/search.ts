// One search: words and vectors are asked at the same time, their rankings fused, likeness spread if wanted, and every
// hit says why it is there.
import { TroupeError, toTroupeError } from '../../contract/errors.ts'
import { type Embedders, embedChecked, unit } from './embedder.ts'
import { highlights, type Span } from './highlights.ts'
import { checkK, checkNames, checkQuery, checkShare, MAX_QUERY_TERMS } from './limits.ts'
import { type Condition, checkConditions } from './metadata.ts'
import { diversify, type Fused, fuse, type Shares } from './ranking.ts'
import type { CollectionInfo, LexicalMatch, Store, StoredPassage, VectorMatch } from './store.ts'
import { distinctTerms } from './tokens.ts'

export type Mode = 'hybrid' | 'lexical' | 'vector'

export interface SearchRequest {
  tenant: string
  collection: string
  query: string
  k: number
  mode: Mode
  filter: Condition[]
  diversity: number
  /** The weight of the ranking by vectors beside that by words, which has 1. */
  vectorShare: number
  /** In place of the query's own embedding. */
  vector?: Float32Array
}

export interface Hit {
  passage: StoredPassage
  score: number
  highlights: Span[]
  lexical?: { rank: number; share: number; score: number; terms: LexicalMatch['terms'] }
  vector?: { rank: number; share: number; similarity: number }
  likeness?: number
  alsoIn: string[]
}

export interface SearchAnswer {
  hits: Hit[]
  model: string | undefined
  degraded: string | undefined
}

export interface SearchParts {
  store: Store
  embedders: Embedders
}

/** How far down each ranking the fusion looks. A scan of vectors costs more the more of them it is to keep. */
function depthsFor(k: number): { words: number; vectors: number } {
  return { words: Math.max(100, 2 * k), vectors: Math.max(30, 2 * k) }
}

/** The model may change while its vector of the query is being made; twice in one search would be a fault. */
const MOST_ATTEMPTS = 3

export async function search(parts: SearchParts, request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer> {
  check(request)
  for (let attempt = 1; ; attempt++) {
    const answer = await searchOnce(parts, request, signal)
    if (answer !== undefined) return answer
    if (attempt === MOST_ATTEMPTS) {
      throw new TroupeError('worker_unavailable', `the model of ${request.collection} changes again and again`)
    }
  }
}

/** Undefined: the model that serves has changed meanwhile. */
async function searchOnce(
  parts: SearchParts,
  request: SearchRequest,
  signal: AbortSignal,
): Promise<SearchAnswer | undefined> {
  const { store } = parts
  const { tenant, collection: name, mode } = request
  const collection = await store.find(tenant, name)
  if (collection === undefined) {
    throw new TroupeError('collection_not_found', `tenant ${tenant} has no collection ${name}`)
  }
  const terms = distinctTerms(request.query).slice(0, MAX_QUERY_TERMS)
  const depths = depthsFor(request.k)
  const [lexical, vector] = await Promise.all([
    mode === 'vector' ? [] : store.lexical(collection.id, terms, depths.words, request.filter),
    mode === 'lexical' ? NOT_ASKED : nearest(parts, collection, request, depths.vectors, signal),
  ])
  signal.throwIfAborted()
  if (vector === undefined) return undefined
  const ranked = rank(request, lexical, vector.matches)
  const hits = await assemble(store, collection.id, request, ranked, terms)
  const model = mode !== 'lexical' && vector.degraded === undefined ? collection.serving?.model : undefined
  return { hits, model, degraded: vector.degraded }
}

function check({ tenant, collection, query, k, filter, diversity, vectorShare, vector }: SearchRequest): void {
  checkNames(tenant, collection)
  checkK(k)
  checkShare('diversity', diversity)
  checkShare('vector_share', vectorShare)
  checkConditions(filter)
  // A vector can ask by itself.
  if (vector === undefined || query !== '') checkQuery(query)
}

interface Nearest {
  matches: VectorMatch[]
  degraded?: string
}

const NOT_ASKED: Nearest = { matches: [] }

// Without vectors a hybrid search goes on with words and says so; a search for vectors alone has nothing to go on with.
async function nearest(
  { store, embedders }: SearchParts,
  collection: CollectionInfo,
  { query, vector, mode, filter }: SearchRequest,
  depth: number,
  signal: AbortSignal,
): Promise<Nearest | undefined> {
  const { serving } = collection
  const among = async (asked: Float32Array, model: string): Promise<Nearest | undefined> => {
    const matches = await store.nearest(collection.id, asked, depth, filter, model)
    return matches === undefined ? undefined : { matches }
  }
  try {
    if (serving === undefined) {
      if (collection.passages === 0) return { matches: [] }
      throw new TroupeError('worker_unavailable', `collection ${collection.name} has no vectors yet`)
    }
    if (vector !== undefined) {
      const asked = unit(vector, serving.dimension, serving.model, 'invalid_request')
      return await among(asked, serving.model)
    }
    const embedder = await embedders.find(serving.model, signal)
    if (embedder === undefined) {
      throw new TroupeError('worker_unavailable', `model ${serving.model}, which embedded ${collection.name}, is away`)
    }
    const [asked] = await embedChecked(embedder, [query], signal)
    return await among(asked!, serving.model)
  } catch (thrown) {
    signal.throwIfAborted()
    const error = toTroupeError(thrown, 'worker_unavailable')
    if (mode === 'vector' || error.code === 'invalid_request' || error.code === 'internal') throw error
    return { matches: [], degraded: error.message }
  }
}

const SHARES: Partial<Record<Mode, Shares>> = { lexical: { lexical: 1, vector: 0 }, vector: { lexical: 0, vector: 1 } }

interface Ranked extends Fused {
  match?: LexicalMatch
  similarity?: number
}

function rank({ mode, vectorShare }: SearchRequest, lexical: LexicalMatch[], vector: VectorMatch[]): Ranked[] {
  const matches = new Map(lexical.map((match) => [match.passage, match]))
  const similarities = new Map(vector.map(({ passage, similarity }) => [passage, similarity]))
  const fused: Fused[] = fuse(
    lexical.map(({ passage }) => passage),
    vector.map(({ passage }) => passage),
    SHARES[mode] ?? { lexical: 1, vector: vectorShare },
  )
  return fused.map((item) => {
    const ranked: Ranked = { ...item }
    const match = matches.get(item.passage)
    const similarity = similarities.get(item.passage)
    if (match !== undefined) ranked.match = match
    if (similarity !== undefined) ranked.similarity = similarity
    // One ranking alone keeps its own, more telling score.
    if (mode === 'lexical') ranked.score = match?.score ?? 0
    if (mode === 'vector') ranked.score = similarity ?? 0
    return ranked
  })
}

async function assemble(
  store: Store,
  collection: number,
  { k, diversity }: SearchRequest,
  ranked: Ranked[],
  terms: readonly string[],
): Promise<Hit[]> {
  // Twice as many as wanted: some may say the same.
  const considered = ranked.slice(0, diversity > 0 ? 4 * k : 2 * k)
  const ids = considered.map(({ passage }) => passage)
  const [rows, vectors] = await Promise.all([
    store.passages(collection, ids),
    diversity > 0 ? store.vectors(collection, ids) : new Map<number, Float32Array>(),
  ])
  const passages = new Map(rows.map((row) => [row.passage, row]))
  const different = withoutRepeats(considered, passages)
  const chosen =
    diversity > 0
      ? diversify(different, ({ passage }) => vectors.get(passage), diversity, k)
      : different.slice(0, k).map((item) => ({ item, likeness: undefined }))
  const sharing = await store.sharedBy(
    collection,
    chosen.map(({ item }) => passages.get(item.passage)!.hash),
  )
  const wanted = new Set(terms)
  return chosen.map(({ item, likeness }) => {
    const passage = passages.get(item.passage)!
    const hit: Hit = {
      passage,
      score: item.score,
      highlights: highlights(passage.text, wanted),
      alsoIn: (sharing.get(passage.hash) ?? []).filter((id) => id !== passage.documentId),
    }
    if (item.lexical !== undefined && item.match !== undefined) {
      hit.lexical = { ...item.lexical, score: item.match.score, terms: item.match.terms }
    }
    if (item.vector !== undefined && item.similarity !== undefined) {
      hit.vector = { ...item.vector, similarity: item.similarity }
    }
    if (likeness !== undefined) hit.likeness = likeness
    return hit
  })
}

/** The first of those whose text is the same; passages deleted meanwhile are left out. */
function withoutRepeats(ranked: readonly Ranked[], passages: ReadonlyMap<number, StoredPassage>): Ranked[] {
  const seen = new Set<string>()
  return ranked.filter(({ passage }) => {
    const hash = passages.get(passage)?.hash
    if (hash === undefined || seen.has(hash)) return false
    seen.add(hash)
    return true
  })
}
