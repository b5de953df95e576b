// Documents in and out. Words, vectors and counts of a document change in one commit, in few statements for many rows.
import type { DocumentDraft } from '../store.ts'
import { generationOf, lock, vectorTable } from './collections.ts'
import type { Connection, Query } from './connection.ts'

export async function write(
  connection: Connection,
  collection: number,
  documents: readonly DocumentDraft[],
  model: string | undefined,
  vectors: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  await connection.commit(async (query) => {
    await lock(query, collection)
    await removeDocuments(
      query,
      collection,
      documents.map(({ id }) => id),
    )
    const ids = await addDocuments(query, collection, documents)
    const passages = documents.flatMap((document) =>
      document.passages.map((passage, ordinal) => ({ ...passage, ordinal, document: ids.get(document.id)! })),
    )
    const added = await query(
      `INSERT INTO troupe_retrieval.passages (collection, document, ordinal, start_at, end_at, length, hash, text)
       SELECT $1, * FROM unnest($2::bigint[], $3::int[], $4::int[], $5::int[], $6::int[], $7::text[], $8::text[])
       RETURNING id, document, ordinal`,
      [
        collection,
        passages.map(({ document }) => document),
        passages.map(({ ordinal }) => ordinal),
        passages.map(({ start }) => start),
        passages.map(({ end }) => end),
        passages.map(({ length }) => length),
        passages.map(({ hash }) => hash),
        passages.map(({ text }) => text),
      ],
    )
    const passageIds = new Map(added.map((row) => [`${row.document} ${row.ordinal}`, Number(row.id)]))
    const numbered = passages.map((passage) => ({
      ...passage,
      id: passageIds.get(`${passage.document} ${passage.ordinal}`)!,
    }))
    await addPostings(query, collection, numbered)
    const generation = model === undefined ? undefined : await generationOf(query, collection, model)
    if (generation !== undefined) {
      const known = numbered.filter(({ hash }) => vectors.has(hash))
      await addVectors(query, generation.id, new Map(known.map(({ id, hash }) => [id, vectors.get(hash)!])))
    }
    await count(query, collection, documents.length, passages)
  })
}

export async function remove(connection: Connection, collection: number, names: readonly string[]): Promise<number> {
  return await connection.commit(async (query) => {
    await lock(query, collection)
    return await removeDocuments(query, collection, names)
  })
}

export async function fill(
  connection: Connection,
  collection: number,
  model: string,
  vectors: ReadonlyMap<number, Float32Array>,
): Promise<void> {
  await connection.commit(async (query) => {
    await lock(query, collection)
    const generation = await generationOf(query, collection, model)
    if (generation === undefined) return
    // Without those deleted or replaced while they were being embedded.
    const there = await query('SELECT id FROM troupe_retrieval.passages WHERE collection = $1 AND id = ANY ($2)', [
      collection,
      [...vectors.keys()],
    ])
    await addVectors(query, generation.id, new Map(there.map(({ id }) => [Number(id), vectors.get(Number(id))!])))
  })
}

async function addDocuments(
  query: Query,
  collection: number,
  documents: readonly DocumentDraft[],
): Promise<Map<string, number>> {
  const rows = await query(
    `INSERT INTO troupe_retrieval.documents (collection, name, hash, title, metadata)
     SELECT $1, name, hash, title, metadata::jsonb
     FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS sent (name, hash, title, metadata)
     RETURNING id, name`,
    [
      collection,
      documents.map(({ id }) => id),
      documents.map(({ hash }) => hash),
      documents.map(({ title }) => title),
      documents.map(({ metadata }) => JSON.stringify(metadata)),
    ],
  )
  return new Map(rows.map((row) => [String(row.name), Number(row.id)]))
}

// The server counts the terms: one string a passage crosses the wire, not a row for each posting.
async function addPostings(
  query: Query,
  collection: number,
  passages: readonly { id: number; terms: string; length: number }[],
): Promise<void> {
  await query(
    `WITH added AS (
       INSERT INTO troupe_retrieval.postings (collection, term, passage, frequency, length)
       SELECT $1::bigint, term, sent.passage, count(*), min(sent.length)
       FROM unnest($2::bigint[], $3::text[], $4::int[]) AS sent (passage, terms, length),
         string_to_table(sent.terms, ' ') AS term
       WHERE term <> ''
       GROUP BY term, sent.passage
       RETURNING term
     )
     INSERT INTO troupe_retrieval.term_counts AS known (collection, term, passages)
     SELECT $1::bigint, term, count(*) FROM added GROUP BY term
     ON CONFLICT (collection, term) DO UPDATE SET passages = known.passages + excluded.passages`,
    [
      collection,
      passages.map(({ id }) => id),
      passages.map(({ terms }) => terms),
      passages.map(({ length }) => length),
    ],
  )
}

async function addVectors(query: Query, generation: number, vectors: ReadonlyMap<number, Float32Array>): Promise<void> {
  const added = await query(
    `INSERT INTO ${vectorTable(generation)} (passage, vector)
     SELECT passage, vector::vector FROM unnest($1::bigint[], $2::text[]) AS sent (passage, vector)
     ON CONFLICT DO NOTHING RETURNING passage`,
    [[...vectors.keys()], [...vectors.values()].map(toText)],
  )
  await query('UPDATE troupe_retrieval.generations SET embedded = embedded + $1 WHERE id = $2', [
    added.length,
    generation,
  ])
}

async function removeDocuments(query: Query, collection: number, names: readonly string[]): Promise<number> {
  const documents = await query(
    'DELETE FROM troupe_retrieval.documents WHERE collection = $1 AND name = ANY ($2) RETURNING id',
    [collection, names],
  )
  if (documents.length === 0) return 0
  const passages = await query('DELETE FROM troupe_retrieval.passages WHERE document = ANY ($1) RETURNING id, length', [
    documents.map(({ id }) => id),
  ])
  const ids = passages.map(({ id }) => id)
  await query(
    `WITH gone AS (DELETE FROM troupe_retrieval.postings WHERE passage = ANY ($2) RETURNING term),
       fewer AS (SELECT term, count(*) AS passages FROM gone GROUP BY term)
     UPDATE troupe_retrieval.term_counts known SET passages = known.passages - fewer.passages
     FROM fewer WHERE known.collection = $1 AND known.term = fewer.term`,
    [collection, ids],
  )
  for (const { id } of await query('SELECT id FROM troupe_retrieval.generations WHERE collection = $1', [collection])) {
    const gone = await query(`DELETE FROM ${vectorTable(Number(id))} WHERE passage = ANY ($1) RETURNING passage`, [ids])
    await query('UPDATE troupe_retrieval.generations SET embedded = embedded - $1 WHERE id = $2', [gone.length, id])
  }
  const lengths = passages.map(({ length }) => ({ length: -Number(length) }))
  await count(query, collection, -documents.length, lengths)
  return documents.length
}

async function count(
  query: Query,
  collection: number,
  documents: number,
  passages: readonly { length: number }[],
): Promise<void> {
  const terms = passages.reduce((sum, { length }) => sum + length, 0)
  await query(
    `UPDATE troupe_retrieval.collections
     SET documents = documents + $2, passages = passages + $3, terms = terms + $4 WHERE id = $1`,
    [collection, documents, Math.sign(documents) * passages.length, terms],
  )
}

export function toText(vector: Float32Array): string {
  return `[${vector.join(',')}]`
}
