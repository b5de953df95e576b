// A process's output as labelled lines.
import type { Readable } from 'node:stream'

export interface OutputLine {
  /** The child's id. */
  child: string
  stream: 'stdout' | 'stderr'
  text: string
}

/** A longer line is delivered in pieces: a process that never ends its line must not fill our memory. */
const LONGEST_LINE = 16_384

export function readLines(source: Readable, deliver: (text: string) => void): void {
  let begun = ''
  const deliverInPieces = (line: string): void => {
    for (let at = 0; at === 0 || at < line.length; at += LONGEST_LINE) deliver(line.slice(at, at + LONGEST_LINE))
  }
  source.setEncoding('utf8')
  source.on('data', (piece: string) => {
    const lines = (begun + piece).split('\n')
    begun = lines.pop() ?? ''
    for (const line of lines) deliverInPieces(line.endsWith('\r') ? line.slice(0, -1) : line)
    if (begun.length < LONGEST_LINE) return
    deliverInPieces(begun)
    begun = ''
  })
  source.on('end', () => {
    if (begun !== '') deliverInPieces(begun)
  })
  // A pipe that breaks because its process died is told by the process's exit.
  source.on('error', () => undefined)
}

/** The last few lines of what a process complained about: usually why it died. */
export class LastWords {
  readonly #lines: string[] = []

  hear(text: string): void {
    this.#lines.push(text.slice(0, 500))
    if (this.#lines.length > 8) this.#lines.shift()
  }

  toString(): string {
    const said = this.#lines.filter((line) => line.trim() !== '')
    return said.length === 0 ? '' : `; it last said: ${said.join(' | ')}`
  }
}
