// The shared store: Postgres with pgvector, for many workers on one database. Words are found through an inverted index
// in tables, with BM25 computed in SQL; vectors through HNSW.
//   connection.ts   the pool, transactions, the schema
//   collections.ts  collections and generations of vectors
//   writes.ts       documents in and out
//   searches.ts     questions to the index
//   conditions.ts   metadata conditions as SQL
import type { Store } from '../store.ts'
import * as collections from './collections.ts'
import { connect, type Patience } from './connection.ts'
import * as searches from './searches.ts'
import * as writes from './writes.ts'

export interface PostgresStoreOptions {
  url: string
  connections?: number
  patience?: Patience
}

const CONNECTIONS = 8

export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { url, connections = CONNECTIONS, patience } = options
  const connection = await connect(url, connections, patience)
  const { query } = connection
  return {
    find: (tenant, name) => collections.find(query, tenant, name),
    open: async (tenant, name, model) =>
      (await collections.find(query, tenant, name)) ?? (await collections.open(connection, tenant, name, model)),
    list: (tenant) => collections.list(query, tenant),
    drop: (tenant, name) => collections.drop(connection, tenant, name),
    documentHashes: (collection, ids) => searches.documentHashes(query, collection, ids),
    write: (collection, documents, model, vectors) => writes.write(connection, collection, documents, model, vectors),
    remove: (collection, ids) => writes.remove(connection, collection, ids),
    lexical: (collection, terms, limit, filter) => searches.lexical(query, collection, terms, limit, filter),
    nearest: (collection, vector, limit, filter, model) =>
      searches.nearest(connection, collection, vector, limit, filter, model),
    passages: (collection, passages) => searches.passages(query, collection, passages),
    sharedBy: (collection, hashes) => searches.sharedBy(query, collection, hashes),
    vectors: (collection, passages) => searches.vectors(query, collection, passages),
    knownVectors: (collection, model, hashes) => searches.knownVectors(query, collection, model, hashes),
    incomplete: (model) => collections.incomplete(query, model),
    build: (collection, model) => collections.build(connection, collection, model),
    lacking: (collection, model, limit) => searches.lacking(query, collection, model, limit),
    fill: (collection, model, vectors) => writes.fill(connection, collection, model, vectors),
    serve: (collection, model) => collections.serve(connection, collection, model),
    close: () => connection.close(),
  }
}
