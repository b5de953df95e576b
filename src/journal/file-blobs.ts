// The blob store of one machine: a file for each content, under the first two letters of its hash. A blob is written
// to a temporary file, synced, and renamed into place, so a name that exists always has its whole content; what a disk made
// of it since is found when it is read: the content is hashed again.
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { TroupeError } from '../contract/errors.ts'
import type { BlobRef, BlobStore } from './blobs.ts'

export async function openFileBlobs({ folder }: { folder: string }): Promise<BlobStore> {
  const incoming = join(folder, 'incoming')
  // What a crash left half-written has no name that anyone knows.
  await rm(incoming, { recursive: true, force: true })
  await mkdir(incoming, { recursive: true })

  const place = (sha256: string) => join(folder, checkHash(sha256).slice(0, 2), sha256)

  return {
    async put(content, { maxBytes = Number.POSITIVE_INFINITY } = {}) {
      const temporary = join(incoming, randomUUID())
      try {
        const ref = await writeSynced(temporary, content, maxBytes)
        // Also where there is such a file: it may be damaged, and it is as old as the sweep sees it.
        const target = place(ref.sha256)
        if ((await mkdir(dirname(target), { recursive: true })) !== undefined) await syncFolder(folder)
        await rename(temporary, target)
        await syncFolder(dirname(target))
        return ref
      } catch (thrown) {
        await rm(temporary, { force: true })
        throw blobError(thrown, folder)
      }
    },

    async read(sha256) {
      try {
        return await buffer(checked(place(sha256), sha256))
      } catch (thrown) {
        return ifMissing(thrown)
      }
    },

    async stream(sha256, range) {
      const file = place(sha256)
      const size = await sizeOf(file)
      if (size === undefined) return undefined
      if (range === undefined) return Readable.from(checked(file, sha256), { objectMode: false })
      if (range.end >= size) throw damaged(file)
      return createReadStream(file, range)
    },

    async delete(sha256) {
      await rm(place(sha256), { force: true })
    },

    async close() {},
  }
}

async function writeSynced(file: string, content: Uint8Array | Readable, maxBytes: number): Promise<BlobRef> {
  const hash = createHash('sha256')
  const handle: FileHandle = await open(file, 'wx', 0o600)
  try {
    let bytes = 0
    const pieces = content instanceof Readable ? content : [content]
    for await (const piece of pieces) {
      bytes += piece.byteLength
      if (bytes > maxBytes) {
        throw new TroupeError('value_too_large', `the content is larger than ${maxBytes} bytes`, {
          detail: { maxBytes },
        })
      }
      hash.update(piece)
      await writeAll(handle, piece)
    }
    await handle.sync()
    return { sha256: hash.digest('hex'), bytes }
  } finally {
    await handle.close()
  }
}

async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  let written = 0
  while (written < piece.byteLength) {
    const { bytesWritten } = await handle.write(piece, written)
    written += bytesWritten
  }
}

/** Large enough that a large file is few reads, small enough that hashing one piece holds nobody up. */
const PIECE_BYTES = 256 * 1024

/** The last piece is given when the hash of all is right: who was given everything was given what was written. */
async function* checked(file: string, sha256: string): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  let last: Buffer | undefined
  for await (const piece of createReadStream(file, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Buffer>) {
    hash.update(piece)
    if (last !== undefined) yield last
    last = piece
  }
  if (hash.digest('hex') !== sha256) throw damaged(file)
  if (last !== undefined) yield last
}

function damaged(file: string): TroupeError {
  return new TroupeError('journal_corrupt', `${file} is damaged: it is not what was written.`)
}

/** A rename is durable only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size
  } catch (thrown) {
    return ifMissing(thrown)
  }
}

function checkHash(sha256: string): string {
  if (/^[0-9a-f]{64}$/.test(sha256)) return sha256
  throw new TroupeError('invalid_request', `${JSON.stringify(sha256)} is not a sha256`)
}

function ifMissing(thrown: unknown): undefined {
  if (errno(thrown) === 'ENOENT') return undefined
  throw thrown
}

function blobError(thrown: unknown, folder: string): unknown {
  const code = errno(thrown)
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return thrown
  return new TroupeError('disk_full', `no space left in ${folder}`, { cause: thrown })
}

function errno(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined
}
