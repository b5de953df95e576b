// The store's port: what the worker needs to keep. Two adapters, sqlite/ (embedded) and postgres/ (shared), pass one
// contract suite. A collection belongs to one tenant and has its own index of words and of vectors: neither hits nor
// word statistics of one tenant can show in another's scores.
//
// Vectors live in generations, one for each model that embeds a collection. One generation serves; while another is
// being filled the old one goes on serving, and the change over is one commit. A generation may lack passages for a
// while (a crash between words and vectors, a model that was away): whatever is missing can be asked for and filled.
import type { Condition, Metadata } from './metadata.ts'

export interface ModelInfo {
  model: string
  dimension: number
}

export interface CollectionInfo {
  /** The store's own number: what the other verbs take. */
  id: number
  tenant: string
  name: string
  documents: number
  passages: number
  serving?: ModelInfo & { embedded: number }
  building?: ModelInfo & { embedded: number }
}

export interface PassageDraft {
  start: number
  end: number
  text: string
  /** Pre-tokenised; joined by blanks. */
  terms: string
  /** How many terms. */
  length: number
  /** Of the text as embedded: equal hashes mean equal vectors. */
  hash: string
}

export interface DocumentDraft {
  id: string
  title: string
  metadata: Metadata
  /** Of everything that was sent and of the way it was cut. */
  hash: string
  passages: PassageDraft[]
}

export interface LexicalMatch {
  passage: number
  score: number
  terms: { term: string; frequency: number; passages: number; weight: number }[]
}

export interface VectorMatch {
  passage: number
  similarity: number
}

export interface StoredPassage {
  passage: number
  documentId: string
  ordinal: number
  title: string
  metadata: Metadata
  start: number
  end: number
  text: string
  hash: string
}

export interface Store {
  find(tenant: string, name: string): Promise<CollectionInfo | undefined>
  /** Finds, or makes an empty collection that `model` serves. */
  open(tenant: string, name: string, model: ModelInfo | undefined): Promise<CollectionInfo>
  list(tenant: string): Promise<CollectionInfo[]>
  drop(tenant: string, name: string): Promise<boolean>

  /** The hashes of those documents that are there. */
  documentHashes(collection: number, ids: readonly string[]): Promise<Map<string, string>>
  /** Replaces the documents in one commit, with the vectors of `model` by passage hash. */
  write(
    collection: number,
    documents: readonly DocumentDraft[],
    model: string | undefined,
    vectors: ReadonlyMap<string, Float32Array>,
  ): Promise<void>
  remove(collection: number, ids: readonly string[]): Promise<number>

  lexical(
    collection: number,
    terms: readonly string[],
    limit: number,
    filter: readonly Condition[],
  ): Promise<LexicalMatch[]>
  /**
   * By cosine in the serving generation. `model`: what the vector is of; undefined comes back when another serves by now,
   * because vectors of two models say nothing of each other.
   */
  nearest(
    collection: number,
    vector: Float32Array,
    limit: number,
    filter: readonly Condition[],
    model?: string,
  ): Promise<VectorMatch[] | undefined>
  passages(collection: number, passages: readonly number[]): Promise<StoredPassage[]>
  /** Other documents with a passage of the same hash. */
  sharedBy(collection: number, hashes: readonly string[]): Promise<Map<string, string[]>>
  vectors(collection: number, passages: readonly number[]): Promise<Map<number, Float32Array>>

  /** Vectors already known under these hashes in the generation of `model`. */
  knownVectors(collection: number, model: string, hashes: readonly string[]): Promise<Map<string, Float32Array>>
  /** Collections that `model` does not serve completely: another one serves, none does, or passages lack a vector. */
  incomplete(model: string): Promise<CollectionInfo[]>
  /** Makes the generation of `model` if need be, dropping one that was being built with a third model. */
  build(collection: number, model: ModelInfo): Promise<void>
  lacking(collection: number, model: string, limit: number): Promise<{ passage: number; title: string; text: string }[]>
  fill(collection: number, model: string, vectors: ReadonlyMap<number, Float32Array>): Promise<void>
  /** Lets the generation of `model` serve and drops the old one, if it lacks nothing. */
  serve(collection: number, model: string): Promise<boolean>

  close(): Promise<void>
}
