// The retrieval worker: collections of documents, cut into passages, found by words (BM25) and by meaning (vectors),
// behind troupe.retrieval.v1, with the client beside it.
//   worker.ts              startRetrievalWorker: store + gRPC server
//   service.ts             the rpcs; messages.ts: their messages; limits.ts: what a caller may send
//   ingest.ts              documents in: batches, one commit each, answered when durable
//   prepare.ts             a document becomes a draft: chunking.ts, tokens.ts, stem.ts; preparing-thread.ts runs it
//   search.ts              words and vectors asked together: bm25.ts, ranking.ts (fusion, diversity), highlights.ts
//   filling.ts             vectors that are lacking, and all of them anew when the model changes
//   embedder.ts            the port to vectors; inference-embedder.ts: the inference worker behind it
//   store.ts               the port to what is kept; sqlite/ (embedded), postgres/ (shared); metadata.ts: conditions
//   thread.ts              synchronous work in a thread, called like async functions
//   client.ts              upsert, search, delete, collections (client-upsert.ts, client-attempts.ts)
// Keeps P1 (a document is answered after it is committed), P7 (deadline and cancel stop a search), P8 (drain answers what
// has arrived) and P9 (bad input is a coded error with nothing half-done). No query crosses tenants.
export {
  type CallOptions,
  type CollectionSummary,
  createRetrievalClient,
  type FoundPassage,
  type RetrievalClient,
  type RetrievalClientOptions,
  type SearchOptions,
  type SearchResult,
} from './client.ts'
export type { UpsertDocument, UpsertSummary } from './client-upsert.ts'
export { type Embedder, type Embedders, noEmbedder, onlyEmbedder } from './embedder.ts'
export { type InferenceEmbeddersOptions, inferenceEmbedders } from './inference-embedder.ts'
export type { Bounds, Filter, Metadata, MetadataValue, Scalar } from './metadata.ts'
export { openPostgresStore, type PostgresStoreOptions } from './postgres/index.ts'
export { openSqliteStore } from './sqlite/index.ts'
export type { Store } from './store.ts'
export {
  type RetrievalEvent,
  type RetrievalWorker,
  type RetrievalWorkerOptions,
  startRetrievalWorker,
} from './worker.ts'
