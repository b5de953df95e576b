// The embedded store: one SQLite file, FTS5 for words, sqlite-vec for vectors. SQLite is synchronous, so it lives in
// threads: one writer, and readers that its commits do not hold up (WAL).
//   database.ts     a connection: schema, prepared statements, commits
//   collections.ts  collections and generations of vectors
//   writes.ts       documents in and out
//   searches.ts     questions to the index
//   conditions.ts   metadata conditions as SQL
//   engine.ts       the thread's entry
import { join } from 'node:path'
import type { Store } from '../store.ts'
import { startThread, type Thread } from '../thread.ts'
import type { Engine, EngineOptions } from './engine.ts'

/** One search uses two at once: words and vectors. */
const READERS = 2

export async function openSqliteStore(folder: string): Promise<Store> {
  const file = join(folder, 'retrieval.db')
  const start = (readOnly: boolean): Thread<Engine & Record<string, never>> =>
    startThread(new URL('./engine.ts', import.meta.url), { file, readOnly } satisfies EngineOptions)

  // The writer makes the file that the readers open.
  const writer = start(false)
  await writer.call.ready()
  const readers = Array.from({ length: READERS }, () => start(true))
  await Promise.all(readers.map((reader) => reader.call.ready()))
  const read = (): Thread<Engine & Record<string, never>>['call'] =>
    readers.reduce((least, reader) => (reader.waiting < least.waiting ? reader : least)).call

  return {
    find: (tenant, name) => read().find(tenant, name),
    open: (tenant, name, model) => writer.call.open(tenant, name, model),
    list: (tenant) => read().list(tenant),
    drop: (tenant, name) => writer.call.drop(tenant, name),
    documentHashes: (collection, ids) => read().documentHashes(collection, ids),
    write: (collection, documents, model, vectors) => writer.call.write(collection, documents, model, vectors),
    remove: (collection, ids) => writer.call.remove(collection, ids),
    lexical: (collection, terms, limit, filter) => read().lexical(collection, terms, limit, filter),
    nearest: (collection, vector, limit, filter, model) => read().nearest(collection, vector, limit, filter, model),
    passages: (collection, passages) => read().passages(collection, passages),
    sharedBy: (collection, hashes) => read().sharedBy(collection, hashes),
    vectors: (collection, passages) => read().vectors(collection, passages),
    knownVectors: (collection, model, hashes) => read().knownVectors(collection, model, hashes),
    incomplete: (model) => read().incomplete(model),
    build: (collection, model) => writer.call.build(collection, model),
    lacking: (collection, model, limit) => read().lacking(collection, model, limit),
    fill: (collection, model, vectors) => writer.call.fill(collection, model, vectors),
    serve: (collection, model) => writer.call.serve(collection, model),
    async close() {
      await Promise.all(readers.map((reader) => reader.stop()))
      await writer.stop()
    },
  }
}
