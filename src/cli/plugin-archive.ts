// What is in the archive of a package, looked at before anything of it is unpacked: how much it becomes, and whether it
// holds what a package has no business with. npm itself drops links and climbing names; here the whole package is refused.
import { createReadStream, statSync } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { TroupeError } from '../contract/errors.ts'

export const ARCHIVE_LIMITS = { packedBytes: 128 * 1024 * 1024, bytes: 512 * 1024 * 1024, entries: 50_000 }
const BLOCK = 512
/** Extended headers hold names; none is longer than a path may be. */
const MAX_HEADER = 64 * 1024

const KINDS: Record<string, string> = { '1': 'a link', '2': 'a link', '3': 'a device', '4': 'a device', '6': 'a pipe' }

export async function examineArchive(path: string, limits = ARCHIVE_LIMITS): Promise<void> {
  const refuse = (why: string): never => {
    throw new TroupeError('plugin_invalid', `The archive of the package ${why}. Nothing of it was unpacked.`)
  }
  if (statSync(path).size > limits.packedBytes) refuse(`is larger than ${limits.packedBytes} bytes`)
  let unpacked = 0
  let entries = 0
  /** Of the entry that is passed by: its bytes, padding included, and what is kept of them. */
  let ahead = 0
  let kept: Buffer | undefined
  let longName: string | undefined
  let held: Buffer = Buffer.alloc(0)

  function header(block: Buffer): void {
    if (block.every((byte) => byte === 0)) return
    entries += 1
    if (entries > limits.entries) refuse(`has more than ${limits.entries} entries`)
    const size = Number.parseInt(textOf(block, 124, 12).trim() || '0', 8)
    if (!(size >= 0)) refuse('is damaged')
    const type = String.fromCharCode(block[156]!)
    ahead = Math.ceil(size / BLOCK) * BLOCK
    if (type === 'x' || type === 'L') {
      if (size > MAX_HEADER) refuse('has a name that is too long')
      kept = Buffer.alloc(0)
      return
    }
    const name = longName ?? [textOf(block, 345, 155), textOf(block, 0, 100)].filter((part) => part !== '').join('/')
    longName = undefined
    const kind = KINDS[type]
    if (kind !== undefined) refuse(`has ${kind} (${name})`)
    if (name.startsWith('/') || name.includes('\\') || name.split('/').includes('..')) refuse(`has the name ${name}`)
  }

  /** A name too long for the header itself: GNU's as it is, pax's as `27 path=…`. */
  function extended(content: Buffer): void {
    const text = content.toString('utf8')
    longName = /^\d+ path=(.*)$/m.exec(text)?.[1] ?? (/^\d+ \w+=/.test(text) ? longName : text.replace(/\0.*$/s, ''))
  }

  try {
    for await (const piece of createReadStream(path).pipe(createGunzip()) as AsyncIterable<Buffer>) {
      unpacked += piece.length
      if (unpacked > limits.bytes) refuse(`becomes more than ${limits.bytes} bytes`)
      held = held.length === 0 ? piece : Buffer.concat([held, piece])
      for (;;) {
        const passed = held.subarray(0, ahead)
        if (kept !== undefined) kept = Buffer.concat([kept, passed])
        held = held.subarray(passed.length)
        ahead -= passed.length
        if (ahead > 0) break
        if (kept !== undefined) extended(kept)
        kept = undefined
        if (held.length < BLOCK) break
        header(held.subarray(0, BLOCK))
        held = held.subarray(BLOCK)
      }
    }
  } catch (error) {
    if (error instanceof TroupeError) throw error
    refuse(`cannot be read: ${(error as Error).message}`)
  }
  if (entries === 0) refuse('is empty')
}

function textOf(block: Buffer, at: number, length: number): string {
  return block.toString('utf8', at, at + length).replace(/\0.*$/s, '')
}
