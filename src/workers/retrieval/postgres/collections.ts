// Collections and the generations of their vectors.
import { TroupeError } from '../../../contract/errors.ts'
import type { CollectionInfo, ModelInfo } from '../store.ts'
import type { Connection, Query, Row } from './connection.ts'

export const vectorTable = (generation: number): string => `troupe_retrieval.vectors_${generation}`

/** pgvector's HNSW takes at most so many dimensions; longer vectors are compared one by one. */
const MAX_INDEXED_DIMENSION = 2_000

const SELECT = `
  SELECT c.*, s.model AS serving_model, s.dimension AS serving_dimension, s.embedded AS serving_embedded,
    b.model AS building_model, b.dimension AS building_dimension, b.embedded AS building_embedded
  FROM troupe_retrieval.collections c
  LEFT JOIN troupe_retrieval.generations s ON s.id = c.serving
  LEFT JOIN troupe_retrieval.generations b ON b.id = c.building`

export async function find(query: Query, tenant: string, name: string): Promise<CollectionInfo | undefined> {
  const [row] = await query(`${SELECT} WHERE c.tenant = $1 AND c.name = $2`, [tenant, name])
  return row === undefined ? undefined : info(row)
}

export async function list(query: Query, tenant: string): Promise<CollectionInfo[]> {
  return (await query(`${SELECT} WHERE c.tenant = $1 ORDER BY c.name`, [tenant])).map(info)
}

export async function incomplete(query: Query, model: string): Promise<CollectionInfo[]> {
  const lacking = 's.model IS DISTINCT FROM $1 OR s.embedded < c.passages'
  return (await query(`${SELECT} WHERE ${lacking} ORDER BY c.id`, [model])).map(info)
}

export async function open(
  connection: Connection,
  tenant: string,
  name: string,
  model: ModelInfo | undefined,
): Promise<CollectionInfo> {
  return await connection.commit(async (query) => {
    const [made] = await query(
      'INSERT INTO troupe_retrieval.collections (tenant, name) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id',
      [tenant, name],
    )
    if (made !== undefined && model !== undefined) {
      const generation = await addGeneration(query, Number(made.id), model)
      await query('UPDATE troupe_retrieval.collections SET serving = $1 WHERE id = $2', [generation, made.id])
    }
    return (await find(query, tenant, name))!
  })
}

export async function drop(connection: Connection, tenant: string, name: string): Promise<boolean> {
  return await connection.commit(async (query) => {
    const [row] = await query('DELETE FROM troupe_retrieval.collections WHERE tenant = $1 AND name = $2 RETURNING id', [
      tenant,
      name,
    ])
    if (row === undefined) return false
    for (const { id } of await query('SELECT id FROM troupe_retrieval.generations WHERE collection = $1', [row.id])) {
      await dropGeneration(query, Number(id))
    }
    for (const table of ['postings', 'term_counts', 'passages', 'documents']) {
      await query(`DELETE FROM troupe_retrieval.${table} WHERE collection = $1`, [row.id])
    }
    return true
  })
}

export async function build(connection: Connection, collection: number, model: ModelInfo): Promise<void> {
  await connection.commit(async (query) => {
    const row = await lock(query, collection)
    if ((await generationOf(query, collection, model.model)) !== undefined) return
    if (row.building !== null) await dropGeneration(query, Number(row.building))
    const generation = await addGeneration(query, collection, model)
    await query('UPDATE troupe_retrieval.collections SET building = $1 WHERE id = $2', [generation, collection])
  })
}

export async function serve(connection: Connection, collection: number, model: string): Promise<boolean> {
  return await connection.commit(async (query) => {
    const row = await lock(query, collection)
    const generation = await generationOf(query, collection, model)
    if (generation === undefined || generation.embedded < Number(row.passages)) return false
    const serving = row.serving === null ? undefined : Number(row.serving)
    if (serving === generation.id) return true
    if (serving !== undefined) await dropGeneration(query, serving)
    await query('UPDATE troupe_retrieval.collections SET serving = $1, building = NULL WHERE id = $2', [
      generation.id,
      collection,
    ])
    return true
  })
}

/** One writer at a time for each collection: counts stay exact, and two never wait for each other's rows crosswise. */
export async function lock(query: Query, collection: number): Promise<Row> {
  const [row] = await query('SELECT * FROM troupe_retrieval.collections WHERE id = $1 FOR UPDATE', [collection])
  // Deleted between the caller's look and its work.
  if (row === undefined) throw new TroupeError('collection_not_found', 'the collection was deleted')
  return row
}

export async function generationOf(
  query: Query,
  collection: number,
  model: string,
): Promise<{ id: number; embedded: number } | undefined> {
  const [row] = await query(
    'SELECT id, embedded FROM troupe_retrieval.generations WHERE collection = $1 AND model = $2',
    [collection, model],
  )
  return row === undefined ? undefined : { id: Number(row.id), embedded: Number(row.embedded) }
}

/** The generation that serves, and of which model it is. Undefined while none does. */
export async function servingModelOf(
  query: Query,
  collection: number,
): Promise<{ id: number; model: string } | undefined> {
  const [row] = await query(
    `SELECT c.serving, g.model FROM troupe_retrieval.collections c
     LEFT JOIN troupe_retrieval.generations g ON g.id = c.serving WHERE c.id = $1`,
    [collection],
  )
  if (row === undefined) throw new TroupeError('collection_not_found', 'the collection was deleted')
  return row.serving === null ? undefined : { id: Number(row.serving), model: String(row.model) }
}

export async function servingOf(query: Query, collection: number): Promise<number | undefined> {
  return (await servingModelOf(query, collection))?.id
}

async function addGeneration(query: Query, collection: number, { model, dimension }: ModelInfo): Promise<number> {
  const [row] = await query(
    'INSERT INTO troupe_retrieval.generations (collection, model, dimension) VALUES ($1, $2, $3) RETURNING id',
    [collection, model, dimension],
  )
  const table = vectorTable(Number(row!.id))
  await query(`CREATE TABLE ${table} (passage bigint PRIMARY KEY, vector vector(${dimension}) NOT NULL)`)
  // Vectors have length 1, so the inner product is the cosine, and costs less.
  if (dimension <= MAX_INDEXED_DIMENSION) await query(`CREATE INDEX ON ${table} USING hnsw (vector vector_ip_ops)`)
  return Number(row!.id)
}

async function dropGeneration(query: Query, generation: number): Promise<void> {
  await query(`DROP TABLE ${vectorTable(generation)}`)
  await query('DELETE FROM troupe_retrieval.generations WHERE id = $1', [generation])
}

function info(row: Row): CollectionInfo {
  const collection: CollectionInfo = {
    id: Number(row.id),
    tenant: String(row.tenant),
    name: String(row.name),
    documents: Number(row.documents),
    passages: Number(row.passages),
  }
  for (const role of ['serving', 'building'] as const) {
    if (row[role] === null) continue
    collection[role] = {
      model: String(row[`${role}_model`]),
      dimension: Number(row[`${role}_dimension`]),
      embedded: Number(row[`${role}_embedded`]),
    }
  }
  return collection
}
