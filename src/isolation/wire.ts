// Messages over a pipe: their length, then JSON. Not Node's own channel between processes: that one ends the process
// that reads it when it is sent bytes that are no message, and keeps in memory whatever length it is told.
import type { Duplex } from 'node:stream'
import { messageOf, TroupeError } from '../contract/errors.ts'
import { MAX_VALUE_BYTES } from '../contract/limits.ts'
import type { Channel } from './channel.ts'

/** Several of the largest values, or one document as text. */
export const MAX_FRAME_BYTES = 4 * MAX_VALUE_BYTES
/** What the other side does not read is kept here. */
const MAX_UNREAD_BYTES = 4 * MAX_FRAME_BYTES
const LENGTH = 4

/** `onBroken`: the other side does not keep to this; nothing more is read or sent. Whoever started it ends it. */
export function wireOver(stream: Duplex, onBroken: (why: string) => void): Channel {
  let handler: (message: unknown) => void = () => {}
  let pieces: Buffer[] = []
  let held = 0
  let broken = false

  function fail(why: string): void {
    if (broken) return
    broken = true
    pieces = []
    stream.destroy()
    onBroken(why)
  }

  function take(count: number): Buffer {
    const all = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, held)
    pieces = held > count ? [all.subarray(count)] : []
    held -= count
    return all.subarray(0, count)
  }

  let wanted: number | undefined
  stream.on('data', (piece: Buffer) => {
    if (broken) return
    pieces.push(piece)
    held += piece.length
    while (!broken) {
      if (wanted === undefined) {
        if (held < LENGTH) return
        wanted = take(LENGTH).readUInt32BE()
        if (wanted > MAX_FRAME_BYTES) return fail(`it announced a message of ${wanted} bytes`)
      }
      if (held < wanted) return
      const text = take(wanted).toString('utf8')
      wanted = undefined
      let message: unknown
      try {
        message = JSON.parse(text, revive)
      } catch {
        return fail('it sent what is no message')
      }
      handler(message)
    }
  })
  // The end of the process is told by the process, not by its pipe.
  stream.on('error', () => {})

  return {
    send(message) {
      if (broken || stream.destroyed) return
      const body = encode(message)
      if (body.length > MAX_FRAME_BYTES) {
        throw new TroupeError(
          'value_too_large',
          `A message between a host and its isolated plug-in has ${body.length} bytes; the limit is ${MAX_FRAME_BYTES}`,
        )
      }
      const length = Buffer.alloc(LENGTH)
      length.writeUInt32BE(body.length)
      stream.cork()
      stream.write(length)
      stream.write(body)
      stream.uncork()
      if (stream.writableLength > MAX_UNREAD_BYTES) fail('it does not read what it is sent')
    },
    onMessage(given) {
      handler = given
    },
  }
}

const BYTES = '\u0000bytes'
const FLOATS = '\u0000floats'

/** Coded: what is no JSON today is none tomorrow, and must not look as if the other side were away. */
function encode(message: unknown): Buffer {
  try {
    return Buffer.from(JSON.stringify(message, replace))
  } catch (cause) {
    const what = 'A message between a host and its isolated plug-in cannot be written as JSON'
    throw new TroupeError('invalid_input', `${what}: ${messageOf(cause)}`, { cause })
  }
}

/** Documents are bytes and embeddings floats; JSON has neither. `this` holds what toJSON has not changed yet. */
function replace(this: unknown, key: string, value: unknown): unknown {
  const raw = (this as Record<string, unknown>)[key]
  if (raw instanceof Uint8Array) return { [BYTES]: base64(raw) }
  if (raw instanceof Float32Array) return { [FLOATS]: base64(raw) }
  return value
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { [BYTES]: bytes, [FLOATS]: floats } = value as Record<string, unknown>
  if (typeof bytes === 'string') return new Uint8Array(Buffer.from(bytes, 'base64'))
  if (typeof floats !== 'string') return value
  const raw = Buffer.from(floats, 'base64')
  return new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + (raw.length & ~3)))
}

function base64(view: Uint8Array | Float32Array): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64')
}
