// The blob store of many hosts: pieces of a content in rows, so that neither a host nor Postgres holds a large one whole.
import { createHash, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { TroupeError } from '../../contract/errors.ts'
import type { BlobStore } from '../blobs.ts'
import type { Readers } from './readers.ts'

/** Where the journal keeps its own large values. */
export const VALUE_SPACE = 'values'

const PIECE_BYTES = 512 * 1024

/** `space` keeps the journal's own values apart from documents: neither deletes what the other still names. */
export function postgresBlobs(readers: Readers, space: string): BlobStore {
  async function piece(sha256: string, number: number): Promise<Buffer | undefined> {
    const sql = 'SELECT content FROM blob_pieces WHERE space = $1 AND sha256 = $2 AND number = $3'
    const [row] = await readers.rows<{ content: Buffer }>('blob-piece', sql, [space, sha256, number])
    return row?.content
  }

  async function sizeOf(sha256: string): Promise<number | undefined> {
    const sql = 'SELECT bytes FROM blobs WHERE space = $1 AND sha256 = $2'
    return (await readers.rows<{ bytes: number }>('blob-size', sql, [space, sha256]))[0]?.bytes
  }

  async function* pieces(sha256: string, start: number, end: number): AsyncGenerator<Buffer> {
    for (let number = Math.floor(start / PIECE_BYTES); number * PIECE_BYTES <= end; number++) {
      const content = await piece(sha256, number)
      if (content === undefined) throw damaged(sha256)
      const from = number * PIECE_BYTES
      yield content.subarray(Math.max(0, start - from), Math.min(content.length, end + 1 - from))
    }
  }

  return {
    async put(content, { maxBytes = Number.POSITIVE_INFINITY } = {}) {
      // The hash is known at the end only, so the pieces arrive under a name of their own and are renamed.
      const arriving = `arriving:${Date.now()}:${randomUUID()}`
      const hash = createHash('sha256')
      let bytes = 0
      let count = 0
      const insert =
        'INSERT INTO blob_pieces (space, sha256, number, content) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING'
      try {
        for await (const part of inPieces(content)) {
          bytes += part.byteLength
          if (bytes > maxBytes) {
            throw new TroupeError('value_too_large', `the content is larger than ${maxBytes} bytes`, {
              detail: { maxBytes },
            })
          }
          hash.update(part)
          await readers.rows('blob-insert', insert, [space, arriving, count++, part])
        }
        const sha256 = hash.digest('hex')
        await readers.rows('blob-name', NAME, [space, arriving, sha256, bytes])
        return { sha256, bytes }
      } finally {
        await readers.rows('blob-clear', 'DELETE FROM blob_pieces WHERE space = $1 AND sha256 = $2', [space, arriving])
      }
    },

    async read(sha256) {
      const bytes = await sizeOf(sha256)
      if (bytes === undefined) return undefined
      const parts: Buffer[] = []
      for await (const part of pieces(sha256, 0, bytes - 1)) parts.push(part)
      const content = Buffer.concat(parts)
      if (createHash('sha256').update(content).digest('hex') !== sha256) throw damaged(sha256)
      return content
    },

    async stream(sha256, range) {
      const bytes = await sizeOf(sha256)
      if (bytes === undefined) return undefined
      return Readable.from(pieces(sha256, range?.start ?? 0, Math.min(range?.end ?? bytes - 1, bytes - 1)))
    },

    async delete(sha256) {
      await readers.rows('blob-delete', DELETE, [space, sha256])
    },

    async close() {},
  }
}

/** Or deleted while it was read: whoever has read a part must not take it for the whole. */
function damaged(sha256: string): TroupeError {
  return new TroupeError('journal_corrupt', `the content ${sha256} is damaged, or was deleted while it was read`)
}

const NAME = `
  WITH named AS (
    INSERT INTO blobs (space, sha256, bytes, touched_at) VALUES ($1, $3, $4, moment_1())
    ON CONFLICT (space, sha256) DO UPDATE SET touched_at = excluded.touched_at
    RETURNING xmax = 0 AS created
  )
  UPDATE blob_pieces SET sha256 = $3 WHERE space = $1 AND sha256 = $2 AND (SELECT created FROM named)`

const DELETE = `
  WITH gone AS (DELETE FROM blobs WHERE space = $1 AND sha256 = $2)
  DELETE FROM blob_pieces WHERE space = $1 AND sha256 = $2`

async function* inPieces(content: Uint8Array | Readable): AsyncGenerator<Uint8Array> {
  if (!(content instanceof Readable)) {
    for (let start = 0; start < content.byteLength; start += PIECE_BYTES)
      yield content.subarray(start, start + PIECE_BYTES)
    return
  }
  let waiting: Uint8Array[] = []
  let bytes = 0
  for await (const part of content) {
    waiting.push(part)
    bytes += part.byteLength
    if (bytes < PIECE_BYTES) continue
    const joined = Buffer.concat(waiting)
    const whole = joined.length - (joined.length % PIECE_BYTES)
    for (let start = 0; start < whole; start += PIECE_BYTES) yield joined.subarray(start, start + PIECE_BYTES)
    waiting = [joined.subarray(whole)]
    bytes = joined.length - whole
  }
  if (bytes > 0) yield Buffer.concat(waiting)
}
