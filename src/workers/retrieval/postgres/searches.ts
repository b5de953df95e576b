// Questions to the index. BM25 is computed by the server, over the postings of the terms worth following; the terms left
// out still count in the scores of the passages so found (see bm25.ts, whose constants these statements share).
import { TroupeError } from '../../../contract/errors.ts'
import { candidatesFor, LENGTH_SHARE, POSTINGS_BUDGET, SATURATION } from '../bm25.ts'
import type { Condition } from '../metadata.ts'
import type { LexicalMatch, StoredPassage, VectorMatch } from '../store.ts'
import { generationOf, servingModelOf, servingOf, vectorTable } from './collections.ts'
import { whereAll } from './conditions.ts'
import type { Connection, Query } from './connection.ts'
import { toText } from './writes.ts'

const PASSAGE_AND_DOCUMENT = 'troupe_retrieval.passages p JOIN troupe_retrieval.documents d ON d.id = p.document'

const WEIGHT = `a.rarity * o.frequency * ${SATURATION + 1} / (o.frequency +
  ${SATURATION} * (${1 - LENGTH_SHARE} + ${LENGTH_SHARE} * o.length / a.average_length))`

export async function lexical(
  query: Query,
  collection: number,
  terms: readonly string[],
  limit: number,
  filter: readonly Condition[],
): Promise<LexicalMatch[]> {
  const values: unknown[] = [collection, terms, POSTINGS_BUDGET, candidatesFor(limit), limit]
  const where = whereAll(filter, values)
  const narrowed =
    where === ''
      ? ''
      : `JOIN troupe_retrieval.passages p ON p.id = o.passage
         JOIN troupe_retrieval.documents d ON d.id = p.document${where}`
  const rows = await query(
    `WITH asked AS MATERIALIZED (
       SELECT t.term, t.passages, ln(1 + (c.passages - t.passages + 0.5) / (t.passages + 0.5))::float8 AS rarity,
         (c.terms::float8 / greatest(1, c.passages)) AS average_length,
         row_number() OVER rarest AS place, sum(t.passages) OVER rarest AS walked
       FROM troupe_retrieval.term_counts t JOIN troupe_retrieval.collections c ON c.id = t.collection
       WHERE t.collection = $1 AND t.term = ANY ($2) AND t.passages > 0
       WINDOW rarest AS (ORDER BY t.passages, t.term)
     ),
     candidates AS MATERIALIZED (
       SELECT o.passage FROM asked a
       JOIN troupe_retrieval.postings o ON o.collection = $1 AND o.term = a.term
       ${narrowed}
       WHERE a.place = 1 OR a.walked <= $3
       GROUP BY o.passage ORDER BY sum(${WEIGHT}) DESC, o.passage LIMIT $4
     )
     SELECT c.passage, sum(${WEIGHT}) AS score, json_agg(
       json_build_object('term', a.term, 'frequency', o.frequency, 'passages', a.passages, 'weight', ${WEIGHT})
       ORDER BY ${WEIGHT} DESC, a.term) AS terms
     FROM candidates c CROSS JOIN asked a
     JOIN troupe_retrieval.postings o ON o.collection = $1 AND o.term = a.term AND o.passage = c.passage
     GROUP BY c.passage ORDER BY score DESC, c.passage LIMIT $5`,
    values,
  )
  return rows.map((row) => ({
    passage: Number(row.passage),
    score: Number(row.score),
    terms: row.terms as LexicalMatch['terms'],
  }))
}

/** What HNSW keeps in sight while it walks: 0.95 of the true neighbours and more. At most 1,000. */
function sightFor(limit: number): number {
  return Math.min(1_000, Math.max(200, 2 * limit))
}

export async function nearest(
  connection: Connection,
  collection: number,
  vector: Float32Array,
  limit: number,
  filter: readonly Condition[],
  model?: string,
): Promise<VectorMatch[] | undefined> {
  const serving = await servingModelOf(connection.query, collection)
  if (serving === undefined) return []
  if (model !== undefined && serving.model !== model) return undefined
  const values: unknown[] = [toText(vector), limit]
  const where = whereAll(filter, values)
  const narrowed = where === '' ? '' : `JOIN ${PASSAGE_AND_DOCUMENT} ON p.id = v.passage${where}`
  return await connection
    .moment(async (query) => {
      // With a filter the walk goes on until enough pass it, instead of ending with too few.
      await query(
        `SELECT set_config('hnsw.ef_search', $1, true), set_config('hnsw.iterative_scan', 'strict_order', true)`,
        [String(sightFor(limit))],
      )
      const rows = await query(
        `SELECT v.passage, -(v.vector <#> $1::vector) AS similarity FROM ${vectorTable(serving.id)} v ${narrowed}
       ORDER BY v.vector <#> $1::vector LIMIT $2`,
        values,
      )
      return rows.map((row) => ({ passage: Number(row.passage), similarity: Number(row.similarity) }))
    })
    .catch((error: unknown) => {
      // Its table was dropped between the two questions: another generation serves, or the collection is gone.
      if (model !== undefined && error instanceof TroupeError && error.code === 'collection_not_found') return undefined
      throw error
    })
}

export async function passages(query: Query, collection: number, ids: readonly number[]): Promise<StoredPassage[]> {
  const rows = await query(
    `SELECT p.id, d.name, p.ordinal, d.title, d.metadata, p.start_at, p.end_at, p.text, p.hash
     FROM ${PASSAGE_AND_DOCUMENT} WHERE p.collection = $1 AND p.id = ANY ($2)`,
    [collection, ids],
  )
  return rows.map((row) => ({
    passage: Number(row.id),
    documentId: String(row.name),
    ordinal: Number(row.ordinal),
    title: String(row.title),
    metadata: row.metadata as StoredPassage['metadata'],
    start: Number(row.start_at),
    end: Number(row.end_at),
    text: String(row.text),
    hash: String(row.hash),
  }))
}

/** Documents of one text are listed up to this many. */
const MAX_SHARING = 20

export async function sharedBy(
  query: Query,
  collection: number,
  hashes: readonly string[],
): Promise<Map<string, string[]>> {
  const rows = await query(
    `SELECT p.hash, (array_agg(DISTINCT d.name ORDER BY d.name))[:${MAX_SHARING}] AS names
     FROM ${PASSAGE_AND_DOCUMENT} WHERE p.collection = $1 AND p.hash = ANY ($2)
     GROUP BY p.hash HAVING count(DISTINCT d.name) > 1`,
    [collection, hashes],
  )
  return new Map(rows.map((row) => [String(row.hash), row.names as string[]]))
}

export async function vectors(
  query: Query,
  collection: number,
  ids: readonly number[],
): Promise<Map<number, Float32Array>> {
  const serving = await servingOf(query, collection)
  if (serving === undefined) return new Map()
  const rows = await query(`SELECT passage, vector::text FROM ${vectorTable(serving)} WHERE passage = ANY ($1)`, [ids])
  return new Map(rows.map((row) => [Number(row.passage), fromText(String(row.vector))]))
}

export async function knownVectors(
  query: Query,
  collection: number,
  model: string,
  hashes: readonly string[],
): Promise<Map<string, Float32Array>> {
  const generation = await generationOf(query, collection, model)
  if (generation === undefined) return new Map()
  const rows = await query(
    `SELECT DISTINCT ON (p.hash) p.hash, v.vector::text AS vector
     FROM troupe_retrieval.passages p JOIN ${vectorTable(generation.id)} v ON v.passage = p.id
     WHERE p.collection = $1 AND p.hash = ANY ($2)`,
    [collection, hashes],
  )
  return new Map(rows.map((row) => [String(row.hash), fromText(String(row.vector))]))
}

export async function documentHashes(
  query: Query,
  collection: number,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const rows = await query(
    'SELECT name, hash FROM troupe_retrieval.documents WHERE collection = $1 AND name = ANY ($2)',
    [collection, ids],
  )
  return new Map(rows.map((row) => [String(row.name), String(row.hash)]))
}

export async function lacking(
  query: Query,
  collection: number,
  model: string,
  limit: number,
): Promise<{ passage: number; title: string; text: string }[]> {
  const generation = await generationOf(query, collection, model)
  if (generation === undefined) return []
  const rows = await query(
    `SELECT p.id, d.title, p.text FROM ${PASSAGE_AND_DOCUMENT}
     WHERE p.collection = $1 AND NOT EXISTS (SELECT 1 FROM ${vectorTable(generation.id)} v WHERE v.passage = p.id)
     LIMIT $2`,
    [collection, limit],
  )
  return rows.map((row) => ({ passage: Number(row.id), title: String(row.title), text: String(row.text) }))
}

function fromText(vector: string): Float32Array {
  return Float32Array.from(JSON.parse(vector) as number[])
}
