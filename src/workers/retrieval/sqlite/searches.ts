// Questions to the index. FTS5 finds and pre-ranks passages by the terms worth following; their scores are then computed
// over all terms of the query, so that both stores give the same numbers and each number can be explained.
//
// Vectors are compared one by one, in full precision: 100,000 of 256 dimensions take sqlite-vec about 16 ms (AVX), and
// nothing is missed. Bits or bytes with a second look measured slower here or found less; beyond a few hundred thousand
// passages the shared store's HNSW is the answer.
import { candidatesFor, rarity, termsToFollow, termWeight } from '../bm25.ts'
import type { Condition } from '../metadata.ts'
import type { LexicalMatch, StoredPassage, VectorMatch } from '../store.ts'
import { generationOf, mustExist } from './collections.ts'
import { whereAll } from './conditions.ts'
import { type Database, lexicalTable, vectorTable, vocabularyTable } from './database.ts'

const PASSAGE_AND_DOCUMENT = 'passages p JOIN documents d ON d.id = p.document'

export function lexical(
  database: Database,
  collection: number,
  terms: readonly string[],
  limit: number,
  filter: readonly Condition[],
): LexicalMatch[] {
  const totals = mustExist(database, collection)
  const total = Number(totals.passages)
  const averageLength = Number(totals.terms) / Math.max(1, total)
  const vocabulary = `SELECT doc FROM ${vocabularyTable(collection)} WHERE term = ?`
  const counts = terms.map((term) => ({ term, passages: Number(database.get(vocabulary, term)?.doc ?? 0) }))
  const followed = termsToFollow(counts)
  if (followed.length === 0) return []

  const { sql, values } = whereAll(filter)
  const table = lexicalTable(collection)
  const found = database.all(
    `SELECT l.rowid AS id, l.terms, p.length
     FROM ${table} l JOIN passages p ON p.id = l.rowid ${sql === '' ? '' : 'JOIN documents d ON d.id = p.document'}
     WHERE ${table} MATCH ?${sql} ORDER BY l.rank LIMIT ?`,
    followed.map(({ term }) => `"${term}"`).join(' OR '),
    ...values,
    candidatesFor(limit),
  )
  const asked = new Set(terms)
  const weighed = counts
    .filter(({ passages }) => passages > 0)
    .map(({ term, passages }) => ({ term, passages, rarity: rarity(total, passages) }))
  return found
    .map((row) => {
      const frequencies = count(String(row.terms), asked)
      const match: LexicalMatch = { passage: Number(row.id), score: 0, terms: [] }
      for (const { term, passages, rarity } of weighed) {
        const frequency = frequencies.get(term)
        if (frequency === undefined) continue
        const weight = termWeight(rarity, frequency, Number(row.length), averageLength)
        match.score += weight
        match.terms.push({ term, frequency, passages, weight })
      }
      match.terms.sort((a, b) => b.weight - a.weight)
      return match
    })
    .sort((a, b) => b.score - a.score || a.passage - b.passage)
    .slice(0, limit)
}

export function nearest(
  database: Database,
  collection: number,
  vector: Float32Array,
  limit: number,
  filter: readonly Condition[],
  model?: string,
): VectorMatch[] | undefined {
  return database.moment(() => {
    const generation = mustExist(database, collection).serving
    if (generation === null || generation === undefined) return []
    if (model !== undefined && generationOf(database, collection, model)?.id !== Number(generation)) return undefined
    return nearestIn(database, collection, Number(generation), vector, limit, filter)
  })
}

function nearestIn(
  database: Database,
  collection: number,
  generation: number,
  vector: Float32Array,
  limit: number,
  filter: readonly Condition[],
): VectorMatch[] {
  const { sql, values } = whereAll(filter)
  const among =
    sql === '' ? '' : `AND rowid IN (SELECT p.id FROM ${PASSAGE_AND_DOCUMENT} WHERE p.collection = ${collection}${sql})`
  return database
    .all(
      `SELECT rowid AS id, distance FROM ${vectorTable(generation)} WHERE vector MATCH ? AND k = ? ${among}`,
      new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
      limit,
      ...values,
    )
    .map((row) => ({ passage: Number(row.id), similarity: cosine(Number(row.distance)) }))
}

/** Between unit vectors, from their Euclidean distance. */
function cosine(distance: number): number {
  return 1 - (distance * distance) / 2
}

export function passages(database: Database, collection: number, ids: readonly number[]): StoredPassage[] {
  return database
    .all(
      // The plus keeps the collection out of the choice of an index: SQLite would walk the whole collection by it.
      `SELECT p.id, d.name, p.ordinal, d.title, d.metadata, p.start_at, p.end_at, p.text, p.hash
       FROM ${PASSAGE_AND_DOCUMENT}
       WHERE +p.collection = ? AND p.id IN (SELECT value FROM json_each(?))`,
      collection,
      JSON.stringify(ids),
    )
    .map((row) => ({
      passage: Number(row.id),
      documentId: String(row.name),
      ordinal: Number(row.ordinal),
      title: String(row.title),
      metadata: JSON.parse(String(row.metadata)) as StoredPassage['metadata'],
      start: Number(row.start_at),
      end: Number(row.end_at),
      text: String(row.text),
      hash: String(row.hash),
    }))
}

/** Documents of one text are listed up to this many. */
const MAX_SHARING = 20

export function sharedBy(database: Database, collection: number, hashes: readonly string[]): Map<string, string[]> {
  const sharing = new Map<string, string[]>()
  for (const hash of hashes) {
    const rows = database.all(
      `SELECT DISTINCT d.name FROM ${PASSAGE_AND_DOCUMENT} WHERE p.collection = ? AND p.hash = ? ORDER BY d.name LIMIT ?`,
      collection,
      hash,
      MAX_SHARING,
    )
    if (rows.length > 1)
      sharing.set(
        hash,
        rows.map((row) => String(row.name)),
      )
  }
  return sharing
}

export function vectors(database: Database, collection: number, ids: readonly number[]): Map<number, Float32Array> {
  const generation = mustExist(database, collection).serving
  const found = new Map<number, Float32Array>()
  if (generation === null || generation === undefined) return found
  for (const id of ids) {
    const vector = vectorAt(database, Number(generation), id)
    if (vector !== undefined) found.set(id, vector)
  }
  return found
}

export function knownVectors(
  database: Database,
  collection: number,
  model: string,
  hashes: readonly string[],
): Map<string, Float32Array> {
  const generation = generationOf(database, collection, model)?.id
  const known = new Map<string, Float32Array>()
  if (generation === undefined) return known
  for (const hash of hashes) {
    const row = database.get(
      `SELECT p.id FROM passages p JOIN embedded e ON e.passage = p.id AND e.generation = ?
       WHERE p.collection = ? AND p.hash = ? LIMIT 1`,
      generation,
      collection,
      hash,
    )
    const vector = row === undefined ? undefined : vectorAt(database, generation, Number(row.id))
    if (vector !== undefined) known.set(hash, vector)
  }
  return known
}

export function documentHashes(database: Database, collection: number, ids: readonly string[]): Map<string, string> {
  const rows = database.all(
    'SELECT name, hash FROM documents WHERE collection = ? AND name IN (SELECT value FROM json_each(?))',
    collection,
    JSON.stringify(ids),
  )
  return new Map(rows.map((row) => [String(row.name), String(row.hash)]))
}

export function lacking(
  database: Database,
  collection: number,
  model: string,
  limit: number,
): { passage: number; title: string; text: string }[] {
  const generation = generationOf(database, collection, model)?.id
  if (generation === undefined) return []
  return database
    .all(
      `SELECT p.id, d.title, p.text FROM ${PASSAGE_AND_DOCUMENT}
       LEFT JOIN embedded e ON e.generation = ? AND e.passage = p.id
       WHERE p.collection = ? AND e.passage IS NULL LIMIT ?`,
      generation,
      collection,
      limit,
    )
    .map((row) => ({ passage: Number(row.id), title: String(row.title), text: String(row.text) }))
}

function vectorAt(database: Database, generation: number, passage: number): Float32Array | undefined {
  const row = database.get(`SELECT vector FROM ${vectorTable(generation)} WHERE rowid = ?`, BigInt(passage))
  if (row === undefined) return undefined
  // A copy: SQLite's bytes need not lie where a Float32Array may begin.
  return new Float32Array(Uint8Array.from(row.vector as Uint8Array).buffer)
}

/** Of the terms asked for alone: a passage has hundreds of others. */
function count(terms: string, asked: ReadonlySet<string>): Map<string, number> {
  const frequencies = new Map<string, number>()
  for (const term of terms.split(' ')) {
    if (asked.has(term)) frequencies.set(term, (frequencies.get(term) ?? 0) + 1)
  }
  return frequencies
}
