// gRPC's framing of messages inside HTTP/2's data: a byte that says whether it is compressed, the length in four, the
// message. What lies within one chunk is given as a view into it; what is cut is put together in memory that comes back
// when the message has been dealt with.
import { TroupeError } from '../../contract/errors.ts'
import type { SpareBuffers } from './spare-buffers.ts'

export const HEADER_BYTES = 5
/** A length alone reserves no more than this; a larger message takes memory as it arrives. */
const RESERVED_AT_ONCE = 1024 * 1024

/** `memory` is to be given back (SpareBuffers) once nothing looks at the bytes any more; undefined: nothing to give. */
export type OnBytes = (bytes: Buffer, memory: ArrayBuffer | undefined) => void

export class MessageReader {
  readonly #spare: SpareBuffers
  readonly #mostBytes: number
  readonly #onBytes: OnBytes
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerLength = 0
  #wanted = 0
  #taken = 0
  #joined: Buffer<ArrayBuffer> | undefined
  #pieces: Buffer[] = []
  #rest: Buffer | undefined
  #paused = false

  constructor(spare: SpareBuffers, mostBytes: number, onBytes: OnBytes) {
    this.#spare = spare
    this.#mostBytes = mostBytes
    this.#onBytes = onBytes
  }

  /** Gives what is complete. Throws at what is no gRPC message or too large a one: nothing after it can be read. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#paused) {
        this.#rest = chunk.subarray(at)
        return
      }
      at = this.#wanted > this.#taken ? this.#readMore(chunk, at) : this.#readNext(chunk, at)
    }
  }

  pause(): void {
    this.#paused = true
  }

  /** Gives the messages of the chunk that a pause cut short; these may pause again. */
  resume(): void {
    this.#paused = false
    const rest = this.#rest
    this.#rest = undefined
    if (rest !== undefined) this.push(rest)
  }

  #readNext(chunk: Buffer, start: number): number {
    let [header, at] = [chunk, start]
    if (this.#headerLength > 0 || chunk.length - at < HEADER_BYTES) {
      const copied = chunk.copy(this.#header, this.#headerLength, at, at + HEADER_BYTES - this.#headerLength)
      this.#headerLength += copied
      if (this.#headerLength < HEADER_BYTES) return at + copied
      this.#headerLength = 0
      ;[header, at] = [this.#header, at + copied]
    } else at += HEADER_BYTES
    const length = header.readUInt32BE(header === chunk ? start + 1 : 1)
    if (header[header === chunk ? start : 0] !== 0) {
      throw new TroupeError('invalid_request', 'a compressed message in a call that named no encoding')
    }
    if (length > this.#mostBytes) {
      throw new TroupeError('overloaded', `a message of ${length} bytes; at most ${this.#mostBytes} are taken`)
    }
    if (length <= chunk.length - at) {
      this.#onBytes(chunk.subarray(at, at + length), undefined)
      return at + length
    }
    this.#wanted = length
    this.#taken = 0
    if (length <= RESERVED_AT_ONCE) {
      const bytes = this.#spare.take(length)
      this.#joined = Buffer.from(bytes.buffer, 0, length)
    }
    return at
  }

  #readMore(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#wanted - this.#taken)
    if (this.#joined === undefined) this.#pieces.push(chunk.subarray(at, end))
    else chunk.copy(this.#joined, this.#taken, at, end)
    this.#taken += end - at
    if (this.#taken < this.#wanted) return end
    const joined = this.#joined
    const pieces = this.#pieces
    this.#joined = undefined
    this.#pieces = []
    this.#wanted = 0
    this.#taken = 0
    if (joined === undefined) this.#onBytes(Buffer.concat(pieces), undefined)
    else this.#onBytes(joined, joined.buffer)
    return end
  }
}
