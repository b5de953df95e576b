// Looks for texts in the whole memory of another process, as its kernel sees it (Linux).
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

const PIECE = 4 * 1024 * 1024

/** Which of the texts are anywhere in it, as UTF-8 or UTF-16. Undefined: this machine does not let us look. */
export function foundInMemory(pid: number, texts: string[]): Set<string> | undefined {
  let memory: number
  try {
    memory = openSync(`/proc/${pid}/mem`, 'r')
  } catch {
    return undefined
  }
  const needles = texts.flatMap((text) => [
    { text, bytes: Buffer.from(text, 'utf8') },
    { text, bytes: Buffer.from(text, 'utf16le') },
  ])
  const overlap = Math.max(...needles.map(({ bytes }) => bytes.length))
  const found = new Set<string>()
  const piece = Buffer.alloc(PIECE)
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line) ?? []
      if (from === undefined || /\[v(var|syscall|dso)/.test(line)) continue
      const end = Number.parseInt(to!, 16)
      for (let at = Number.parseInt(from, 16); at < end; at += PIECE - overlap) {
        const read = readOrNothing(memory, piece, Math.min(PIECE, end - at), at)
        const bytes = piece.subarray(0, read)
        for (const needle of needles) if (bytes.includes(needle.bytes)) found.add(needle.text)
      }
    }
  } finally {
    closeSync(memory)
  }
  return found
}

/** A region may have gone since it was listed, or be one that cannot be read. */
function readOrNothing(file: number, into: Buffer, length: number, at: number): number {
  try {
    return readSync(file, into, 0, length, at)
  } catch {
    return 0
  }
}
