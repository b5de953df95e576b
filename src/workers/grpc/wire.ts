// The protobuf wire format, read and written by hand where a schema-driven library is too slow (tensors) or too
// trusting (models and descriptors of unknown origin). Every read is checked against the end of its buffer.

export const VARINT = 0
export const FIXED64 = 1
export const BYTES = 2
export const FIXED32 = 5

export class WireReader {
  readonly bytes: Buffer
  position: number
  readonly end: number

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.position = start
    this.end = end
  }

  get done(): boolean {
    return this.position >= this.end
  }

  /** Field number and wire type in one number: `tag >>> 3` and `tag & 7`. */
  tag(): number {
    const tag = this.varint()
    if (tag >>> 3 === 0 || tag > 0xffffffff) throw new RangeError(`field number 0 at byte ${this.position}`)
    return tag
  }

  /** An unsigned varint; beyond 2^53 it loses precision, so ids and lengths only. */
  varint(): number {
    let value = 0
    let scale = 1
    for (let length = 0; length < 10; length++) {
      const byte = this.#byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    throw new RangeError(`a number longer than 10 bytes at byte ${this.position}`)
  }

  varint64(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new RangeError(`a number longer than 10 bytes at byte ${this.position}`)
  }

  /** A signed int64 as a number; what does not fit 53 bits is refused instead of rounded. */
  int64(): number {
    const first = this.bytes[this.position]
    if (first !== undefined && first < 0x80 && this.position < this.end) {
      this.position++
      return first
    }
    const value = BigInt.asIntN(64, this.varint64())
    const number = Number(value)
    if (!Number.isSafeInteger(number)) throw new RangeError(`${value} is not a safe integer`)
    return number
  }

  int32(): number {
    return Number(BigInt.asIntN(32, this.varint64()))
  }

  float(): number {
    return this.bytes.readFloatLE(this.#take(4))
  }

  double(): number {
    return this.bytes.readDoubleLE(this.#take(8))
  }

  /** A length-delimited value: a view into the buffer, not a copy. */
  view(): Buffer {
    const length = this.varint()
    const start = this.#take(length)
    return this.bytes.subarray(start, start + length)
  }

  /** A reader for an embedded message. */
  message(): WireReader {
    const length = this.varint()
    const start = this.#take(length)
    return new WireReader(this.bytes, start, start + length)
  }

  string(): string {
    const length = this.varint()
    const start = this.#take(length)
    return this.bytes.toString('utf8', start, start + length)
  }

  skip(tag: number): void {
    switch (tag & 7) {
      case VARINT:
        this.varint()
        return
      case FIXED64:
        this.#take(8)
        return
      case BYTES:
        this.#take(this.varint())
        return
      case FIXED32:
        this.#take(4)
        return
      default:
        throw new RangeError(`wire type ${tag & 7} of field ${tag >>> 3}`)
    }
  }

  #take(length: number): number {
    const start = this.position
    if (length > this.end - start) throw new RangeError(`${length} bytes wanted at ${start}, the end is at ${this.end}`)
    this.position = start + length
    return start
  }

  #byte(): number {
    if (this.position >= this.end) throw new RangeError(`ended inside a number at byte ${this.position}`)
    return this.bytes[this.position++]!
  }
}

/** Writes into one buffer of a size that the caller knows at least roughly; it grows when it must. */
export class WireWriter {
  #bytes: Buffer
  #start: number
  #length: number

  /** `headroom`: bytes kept free before what is written, for `wrap`. */
  constructor(size = 256, headroom = 0) {
    this.#bytes = Buffer.allocUnsafe(size + headroom)
    this.#start = headroom
    this.#length = headroom
  }

  finish(): Buffer {
    return this.#bytes.subarray(this.#start, this.#length)
  }

  /** Begins an embedded message of unknown length, written in place; what it returns is for `close`. */
  open(field: number): number {
    this.tag(field, BYTES).#reserve(1)
    this.#length++
    return this.#length
  }

  close(opened: number): this {
    const length = this.#length - opened
    if (length < 0x80) this.#bytes[opened - 1] = length
    else {
      // Its length takes more than the byte that was left for it.
      const more = varintBytes(length) - 1
      this.#reserve(more)
      this.#bytes.copyWithin(opened + more, opened, this.#length)
      putVarint(this.#bytes, opened - 1, length)
      this.#length += more
    }
    return this
  }

  /** Makes all that was written an embedded message; the headroom takes its tag and length. */
  wrap(field: number): this {
    const length = this.#length - this.#start
    const tag = field * 8 + BYTES
    const start = this.#start - varintBytes(tag) - varintBytes(length)
    if (start < 0) throw new RangeError(`no headroom for field ${field}`)
    putVarint(this.#bytes, putVarint(this.#bytes, start, tag), length)
    this.#start = start
    return this
  }

  varint(value: number): this {
    this.#reserve(10)
    this.#length = putVarint(this.#bytes, this.#length, value)
    return this
  }

  varint64(value: bigint): this {
    this.#reserve(10)
    let rest = BigInt.asUintN(64, value)
    while (rest >= 0x80n) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#bytes[this.#length++] = Number(rest)
    return this
  }

  tag(field: number, wireType: number): this {
    return this.varint(field * 8 + wireType)
  }

  string(field: number, text: string): this {
    if (text === '') return this
    const length = Buffer.byteLength(text)
    this.tag(field, BYTES).varint(length).#reserve(length)
    this.#length += this.#bytes.write(text, this.#length)
    return this
  }

  bytes(field: number, value: Uint8Array): this {
    this.tag(field, BYTES).varint(value.length).#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
    return this
  }

  number(field: number, value: number): this {
    return value === 0 ? this : value < 0 ? this.int64(field, BigInt(value)) : this.tag(field, VARINT).varint(value)
  }

  int64(field: number, value: bigint): this {
    return this.tag(field, VARINT).varint64(value)
  }

  double(field: number, value: number): this {
    this.tag(field, FIXED64).#reserve(8)
    this.#length = this.#bytes.writeDoubleLE(value, this.#length)
    return this
  }

  float(value: number): this {
    this.#reserve(4)
    this.#length = this.#bytes.writeFloatLE(value, this.#length)
    return this
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}

function putVarint(bytes: Buffer, start: number, value: number): number {
  let at = start
  let rest = value
  while (rest >= 0x80) {
    bytes[at++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  bytes[at++] = rest
  return at
}

function varintBytes(value: number): number {
  let count = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) count++
  return count
}
