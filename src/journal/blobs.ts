// The port of the blob store: documents, and JSON values too large for a row. Content is addressed by its sha256, so
// writing the same twice is harmless and a reference can never point at something else.
import type { Readable } from 'node:stream'

export interface BlobStore {
  /** Durable when the promise resolves (P1): a task that names a blob never outlives it. */
  put(content: Uint8Array | Readable, options?: { maxBytes?: number }): Promise<BlobRef>
  read(sha256: string): Promise<Uint8Array | undefined>
  stream(sha256: string, range?: { start: number; end: number }): Promise<Readable | undefined>
  delete(sha256: string): Promise<void>
  close(): Promise<void>
}

export interface BlobRef {
  sha256: string
  bytes: number
}
