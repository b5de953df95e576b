// Documents: their content is in the blob store, what is known of them in the gateway's store. Hosts open the same
// stores and give their agents the same documents (StepContext.documents).
import { Readable } from 'node:stream'
import { fileTypeFromBuffer } from 'file-type'
import type { Bus } from '../bus/bus.ts'
import { platformEvent } from '../bus/platform-events.ts'
import { TroupeError } from '../contract/errors.ts'
import { isId, newId } from '../contract/ids.ts'
import { mediaTypeOf, UNKNOWN_MEDIA_TYPE } from '../contract/media-types.ts'
import type { BlobStore } from '../journal/blobs.ts'
import type { DocumentRow, DocumentStore } from './store/store.ts'

/** As much of the beginning as tells every known file type. */
const SNIFFED_BYTES = 4_100
const MAX_NAME = 255

export interface NewDocument {
  tenant: string
  name: string | undefined
  /** What the sender says; the content decides when it can be told. */
  mime?: string
  createdBy: string
  content: Uint8Array | Readable
  /** Asked when the content is on disk, before the document exists: what throws here leaves no document (P9). */
  confirm?: () => Promise<void>
}

export interface Documents {
  /** P1: the content and its row are on disk when this resolves. */
  put(document: NewDocument): Promise<DocumentRow>
  info(tenant: string, id: string): Promise<DocumentRow>
  list(tenant: string, page: { before?: string; limit: number }): Promise<DocumentRow[]>
  read(tenant: string, id: string): Promise<{ info: DocumentRow; content: Uint8Array }>
  stream(tenant: string, id: string, range?: { start: number; end: number }): Promise<Readable>
  /** Nobody can read it any more when this resolves. Its content is abandoned, if no other document has the same. */
  remove(tenant: string, id: string): Promise<void>
}

export function createDocuments(parts: {
  blobs: BlobStore
  store: DocumentStore
  bus: Bus
  maxBytes: number
  /** Throws when a type is refused, before anything is stored. */
  checkType?: (mime: string) => void
}): Documents {
  const { blobs, store, bus, maxBytes, checkType = () => {} } = parts

  async function info(tenant: string, id: string): Promise<DocumentRow> {
    const row = isId(id, 'doc') ? await store.document(tenant, id) : undefined
    if (row === undefined) throw new TroupeError('not_found', `There is no document ${id}.`)
    return row
  }

  /** Without content: it was removed since its row was read, or the store has lost it. */
  async function missing(row: DocumentRow): Promise<TroupeError> {
    await info(row.tenant, row.id)
    return new TroupeError('journal_corrupt', `The content of ${row.id} is missing from the blob store.`)
  }

  /** A content that arrives while the last document of the same is removed may be cleared before it is named again. */
  async function confirmContent({ tenant, id, sha256, bytes }: DocumentRow): Promise<void> {
    let kept: Readable | undefined
    try {
      kept = await blobs.stream(sha256, bytes === 0 ? undefined : { start: 0, end: 0 })
      kept?.destroy()
    } finally {
      // P9: whoever is not told its id has no use for it.
      if (kept === undefined) await store.removeDocument(tenant, id)
    }
    if (kept !== undefined) return
    throw new TroupeError('unavailable', 'A document of the same content was deleted meanwhile; send it again.')
  }

  return {
    info,

    async put({ tenant, name, mime: declared, createdBy, content, confirm }) {
      const { head, whole } = await withHead(content)
      const mime = await typeOf(head, declared, name)
      checkType(mime)
      const { sha256, bytes } = await blobs.put(whole, { maxBytes })
      await confirm?.()
      const now = Date.now()
      const row = {
        id: newId('doc', now),
        tenant,
        name: safeName(name),
        mime,
        bytes,
        sha256,
        createdAt: now,
        createdBy,
      }
      await store.addDocument(row)
      await confirmContent(row)
      const data = { document: row.id, name: row.name, mime, bytes, sha256 }
      // The document is stored whether or not the event stream can be reached.
      await bus.publishPlatform(platformEvent('document_uploaded', data, { tenant, at: now })).catch(() => {})
      return row
    },

    list: (tenant, page) => store.documents(tenant, page),

    async read(tenant, id) {
      const found = await info(tenant, id)
      const content = await blobs.read(found.sha256)
      if (content === undefined) throw await missing(found)
      return { info: found, content }
    },

    async stream(tenant, id, range) {
      const found = await info(tenant, id)
      const content = await blobs.stream(found.sha256, range)
      if (content === undefined) throw await missing(found)
      return content
    },

    async remove(tenant, id) {
      if (isId(id, 'doc') && (await store.removeDocument(tenant, id))) return
      throw new TroupeError('not_found', `There is no document ${id}.`)
    },
  }
}

/** The first bytes, and a stream that still begins with them: the whole is never held in memory. */
async function withHead(content: Uint8Array | Readable): Promise<{ head: Uint8Array; whole: Uint8Array | Readable }> {
  if (!(content instanceof Readable)) return { head: content.subarray(0, SNIFFED_BYTES), whole: content }
  const pieces = content[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const begun: Buffer[] = []
  let bytes = 0
  while (bytes < SNIFFED_BYTES) {
    const next = await pieces.next()
    if (next.done === true) break
    begun.push(next.value)
    bytes += next.value.byteLength
  }
  async function* all() {
    yield* begun
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value
  }
  return { head: Buffer.concat(begun).subarray(0, SNIFFED_BYTES), whole: Readable.from(all()) }
}

const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/

async function typeOf(head: Uint8Array, declared: string | undefined, name = ''): Promise<string> {
  const found = await fileTypeFromBuffer(head)
  const given = declared?.split(';')[0]?.trim().toLowerCase()
  // Whoever says nothing is given what their forms say: the name may know better.
  const said = given === undefined || given === UNKNOWN_MEDIA_TYPE ? mediaTypeOf(name) : given
  // A zip may be said to be what it is used for (a DOCX is recognised, a bag of CSVs is not): the sender knows better.
  if (found !== undefined && found.mime !== 'application/zip') return found.mime
  if (said !== undefined && MEDIA_TYPE.test(said)) return said
  return found?.mime ?? UNKNOWN_MEDIA_TYPE
}

/** Only a label: no folders, no control characters, bounded. */
function safeName(name = ''): string {
  const base = name.split(/[\\/]/).at(-1) ?? ''
  const clean = base
    .replace(/\p{Cc}/gu, '')
    .slice(0, MAX_NAME)
    .toWellFormed()
  return clean === '' ? 'document' : clean
}
