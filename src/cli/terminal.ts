// What the command writes: data on stdout, chatter on stderr, colour only where a person looks and NO_COLOR is not set.
import { styleText } from 'node:util'
import { EXIT } from './exit-codes.ts'

/** How the reader can call this: after `npm start` in a clone nothing named troupe is on the path. */
export const COMMAND = process.env.npm_lifecycle_event === undefined ? 'troupe' : 'npx troupe'

/** As a shell counts a program that SIGPIPE ended: 128 + 13. */
const READER_GONE = 141

let outliving = false

/** What supervises others lives on without readers: closing a log must not stop an installation. */
export function outliveReaders(): void {
  outliving = true
}

/** Whoever reads may have seen enough (`| head`): that ends the command without a word. */
export function heedReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (outliving) return
      if (error.code !== 'EPIPE') process.stderr.write(`The output cannot be written: ${error.message}.\n`)
      process.exit(error.code === 'EPIPE' ? READER_GONE : EXIT.usage)
    })
  }
}

type Style = Parameters<typeof styleText>[0]

export interface Terminal {
  /** Data. */
  out(text: string): void
  /** Chatter: progress, hints, warnings. */
  note(text: string): void
  /** One line that rewrites itself on a terminal; on a pipe nothing, because it would be noise there. */
  status(text: string): void
  style(style: Style, text: string): string
}

/** Colours may stay; a cursor that moves, a title, a clipboard are not for what an agent or a document says to set. */
const COMMAND_OR_COLOUR = /(?![\n\t])\p{Cc}(\[[\d;]*m)?/gu

/** On a pipe everything is as it came. */
export function shownOn(stream: NodeJS.WriteStream, text: string): string {
  if (stream.isTTY !== true) return text
  return text.replaceAll(COMMAND_OR_COLOUR, (found, colour = '') =>
    found.startsWith('\u001b') && colour !== '' ? found : `\ufffd${colour}`,
  )
}

export function createTerminal(): Terminal {
  const colour = { out: hasColour(process.stdout), err: hasColour(process.stderr) }
  let shown = false
  const clear = () => {
    if (shown) process.stderr.write('\r\u001b[K')
    shown = false
  }
  return {
    out(text) {
      clear()
      process.stdout.write(`${shownOn(process.stdout, text)}\n`)
    },
    note(text) {
      clear()
      process.stderr.write(`${shownOn(process.stderr, text)}\n`)
    },
    status(text) {
      if (process.stderr.isTTY !== true) return
      clear()
      process.stderr.write(shownOn(process.stderr, text).slice(0, (process.stderr.columns ?? 80) - 1))
      shown = text !== ''
    },
    style: (style, text) => (colour.out ? styleText(style, text, { validateStream: false }) : text),
  }
}

/** https://no-color.org: any value but the empty one. */
export function hasColour(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '0') return true
  return stream.isTTY === true && TERM !== 'dumb'
}
