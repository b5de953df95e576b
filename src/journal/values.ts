// JSON values as a column holds them: JSON text, or `@<sha256>:<bytes>` when the value is too large for a row and lives
// in the blob store. JSON text never begins with `@`, so no value of a user can be mistaken for a reference. Text, not
// jsonb: it returns every string unchanged, \u0000 and lone surrogates included.
import { type ErrorRecord, TroupeError, toTroupeError } from '../contract/errors.ts'
import { INLINE_VALUE_BYTES, MAX_VALUE_BYTES } from '../contract/limits.ts'
import type { BlobStore } from './blobs.ts'

export type Column = string

export function encodeValue(value: unknown, what: string, limit: number = MAX_VALUE_BYTES): Column {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (thrown) {
    throw new TroupeError('invalid_input', `${what} cannot be written as JSON`, { cause: thrown })
  }
  if (text === undefined) return 'null'
  // A character is at most three bytes, so most values are never measured.
  if (text.length * 3 > limit) {
    const bytes = Buffer.byteLength(text)
    if (bytes > limit) {
      throw new TroupeError('value_too_large', `${what} has ${bytes} bytes; the limit is ${limit}`, {
        detail: { bytes, limit },
      })
    }
  }
  return text
}

export function isLarge(column: Column | undefined): column is Column {
  if (column === undefined || column.length * 3 <= INLINE_VALUE_BYTES) return false
  return Buffer.byteLength(column) > INLINE_VALUE_BYTES
}

/** Moves a large value to the blob store. The blob is durable before the row that names it can be written (P1). */
export async function spill(column: Column, blobs: BlobStore): Promise<Column> {
  const { sha256, bytes } = await blobs.put(Buffer.from(column))
  return `@${sha256}:${bytes}`
}

export function isReference(column: Column | null): boolean {
  return column?.charCodeAt(0) === 64
}

export function referencedBlob(column: Column): { sha256: string; bytes: number } {
  const colon = column.indexOf(':')
  return { sha256: column.slice(1, colon), bytes: Number(column.slice(colon + 1)) }
}

/** The column with its value in it again. */
export async function fetchBack(column: Column, blobs: BlobStore): Promise<Column> {
  if (!isReference(column)) return column
  const { sha256 } = referencedBlob(column)
  const content = await blobs.read(sha256)
  if (content === undefined) {
    throw new TroupeError(
      'journal_corrupt',
      `the journal names the value ${sha256}, which its blob store does not have`,
    )
  }
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString()
}

/** For whoever only looks: in the place of a lost value its name and why, so that the rest of its task stays readable. */
export async function showBack(column: Column, blobs: BlobStore): Promise<{ column: Column } | { lost: ErrorRecord }> {
  try {
    return { column: await fetchBack(column, blobs) }
  } catch (thrown) {
    if (toTroupeError(thrown).code !== 'journal_corrupt') throw thrown
    const { sha256, bytes } = referencedBlob(column)
    const message = `a value of ${bytes} bytes is missing or damaged: ${sha256}`
    return { lost: { code: 'journal_corrupt', message } }
  }
}

/** A value that stayed in the blob store is shown as `{ $blob, bytes }`: lists do not read large values. */
export function decodeValue(column: Column): unknown {
  if (!isReference(column)) return JSON.parse(column)
  const { sha256, bytes } = referencedBlob(column)
  return { $blob: sha256, bytes }
}
