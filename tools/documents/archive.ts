// Office files are zip archives, and archives lie: about sizes, about names, about how many entries there are. The
// directory is read first and judged; an entry is unpacked only when a reader asks, never beyond its budget, and
// never onto a disk, so that a name such as ../../etc/passwd is only a name.
import { inflateRawSync } from 'node:zlib'
import { TroupeError } from '@troupe/sdk'
import { LIMITS } from './document.ts'

export interface ArchiveEntry {
  name: string
  size: number
  packedSize: number
  encrypted: boolean
}

export interface Archive {
  entries: ReadonlyMap<string, ArchiveEntry>
  /** The unpacked bytes, or undefined when there is no such entry. */
  read(name: string): Uint8Array | undefined
  text(name: string): string | undefined
  /** Names that would leave the folder they are unpacked into. */
  escaping: string[]
}

interface Place extends ArchiveEntry {
  method: number
  offset: number
}

const END = 0x06054b50
const END_64 = 0x06064b50
const ENTRY = 0x02014b50
const LOCAL = 0x04034b50
/** Real office parts pack up to some fifty to one; deflate can reach 1,032 to one. Small entries may. */
const MAX_RATIO = 250
const SMALL = 8 * 1024 * 1024

export function openArchive(bytes: Uint8Array): Archive {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const directory = findDirectory(view)
  if (directory.count > LIMITS.archiveEntries) {
    const message = `The archive has ${directory.count} entries; at most ${LIMITS.archiveEntries} are read`
    throw new TroupeError('limit_exceeded', message)
  }
  const entries = readDirectory(bytes, view, directory)
  let budget: number = LIMITS.archiveBytes

  function read(name: string): Uint8Array | undefined {
    const place = entries.get(name)
    if (place === undefined) return undefined
    const data = unpack(bytes, view, place, Math.min(budget, LIMITS.entryBytes))
    budget -= data.length
    return data
  }

  return {
    entries,
    read,
    text(name) {
      const data = read(name)
      return data === undefined ? undefined : decodeXml(data)
    },
    escaping: [...entries.keys()].filter((name) => /(^|[\\/])\.\.([\\/]|$)|^[\\/]|^[a-z]:/i.test(name)),
  }
}

function findDirectory(view: DataView): { offset: number; count: number } {
  // The end record is 22 bytes and a comment of at most 64 KB.
  const lowest = Math.max(0, view.byteLength - 22 - 65_535)
  for (let at = view.byteLength - 22; at >= lowest; at--) {
    if (view.getUint32(at, true) !== END) continue
    const count = view.getUint16(at + 10, true)
    const offset = view.getUint32(at + 16, true)
    const locator = at - 20
    if ((count === 0xffff || offset === 0xffffffff) && locator >= 0 && view.getUint32(locator, true) === 0x07064b50) {
      const wide = Number(view.getBigUint64(locator + 8, true))
      if (wide + 56 <= view.byteLength && view.getUint32(wide, true) === END_64) {
        return {
          count: Number(view.getBigUint64(wide + 32, true)),
          offset: Number(view.getBigUint64(wide + 48, true)),
        }
      }
    }
    return { offset, count }
  }
  throw new TroupeError('document_unreadable', 'The archive is truncated: its directory is missing')
}

function readDirectory(
  bytes: Uint8Array,
  view: DataView,
  directory: { offset: number; count: number },
): Map<string, Place> {
  const places = new Map<string, Place>()
  let at = directory.offset
  for (let index = 0; index < directory.count; index++) {
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== ENTRY) {
      throw new TroupeError(
        'document_unreadable',
        `The archive is damaged: entry ${index + 1} is not where it should be`,
      )
    }
    const nameLength = view.getUint16(at + 28, true)
    const extraLength = view.getUint16(at + 30, true)
    const place: Place = {
      name: new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)),
      encrypted: (view.getUint16(at + 8, true) & 1) === 1,
      method: view.getUint16(at + 10, true),
      packedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    }
    readWideSizes(view, at + 46 + nameLength, extraLength, place)
    if (!places.has(place.name)) places.set(place.name, place)
    at += 46 + nameLength + extraLength + view.getUint16(at + 32, true)
  }
  return places
}

function readWideSizes(view: DataView, start: number, length: number, place: Place): void {
  const end = Math.min(start + length, view.byteLength)
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue
    let field = at + 4
    for (const key of ['size', 'packedSize', 'offset'] as const) {
      if (place[key] === 0xffffffff && field + 8 <= end) {
        place[key] = Number(view.getBigUint64(field, true))
        field += 8
      }
    }
    return
  }
}

/** By what the directory says of it. */
export function isBomb({ size, packedSize }: Pick<ArchiveEntry, 'size' | 'packedSize'>): boolean {
  return size > SMALL && size > packedSize * MAX_RATIO
}

function unpack(bytes: Uint8Array, view: DataView, place: Place, budget: number): Uint8Array {
  const { name, size, packedSize, offset } = place
  if (place.encrypted) throw new TroupeError('document_unreadable', `The entry ${name} is encrypted`)
  if (size > budget || isBomb(place)) {
    const ratio = Math.round(size / Math.max(1, packedSize))
    throw new TroupeError('limit_exceeded', `${name} would unpack to ${size} bytes (${ratio} to one): refused`)
  }
  if (offset + 30 > view.byteLength || view.getUint32(offset, true) !== LOCAL) {
    throw new TroupeError('document_unreadable', `The archive is damaged: ${name} is not where its directory says`)
  }
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true)
  if (start + packedSize > bytes.length)
    throw new TroupeError('document_unreadable', `The archive is truncated in ${name}`)
  const packed = bytes.subarray(start, start + packedSize)
  if (place.method === 0) return packed
  if (place.method !== 8) {
    throw new TroupeError(
      'document_unreadable',
      `${name} is packed with method ${place.method}, which is not supported`,
    )
  }
  try {
    // The directory may understate the size: the budget holds whatever it says.
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, Math.min(budget, Math.max(size, SMALL))) })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new TroupeError('limit_exceeded', `${name} unpacks to more than it says and more than is allowed: refused`)
    }
    throw new TroupeError('document_unreadable', `The archive is damaged in ${name}`, { cause: error })
  }
}

/** XML says its encoding by its first bytes; office files are UTF-8, now and then UTF-16. */
export function decodeXml(data: Uint8Array): string {
  if (data[0] === 0xff && data[1] === 0xfe) return new TextDecoder('utf-16le').decode(data)
  if (data[0] === 0xfe && data[1] === 0xff) return new TextDecoder('utf-16be').decode(data)
  return new TextDecoder().decode(data)
}
