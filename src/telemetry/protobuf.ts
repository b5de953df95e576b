// Protobuf's wire format, written forwards into one growing piece of memory.

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

const FIRST_BYTES = 16 * 1024
/** As much memory is used again as a batch on its way and the next one take. */
const SPARES = 2

/** A message within a message gets its length when it is complete. */
export class Writer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #length = 0
  readonly #spares: Buffer[] = []

  get length(): number {
    return this.#length
  }

  /** What was written, which this writer then forgets. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#bytes = this.#spares.pop() ?? Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, this.#length))
    this.#length = 0
    return taken
  }

  /** What was taken is no longer read by anybody: its memory is written again instead of being collected. */
  giveBack(taken: Buffer): void {
    if (this.#spares.length < SPARES) this.#spares.push(Buffer.from(taken.buffer))
  }

  message(field: number, write: (writer: this) => void): void {
    const start = this.open(field)
    write(this)
    this.close(start)
  }

  /** `lengthBytes`: as many as its length will most likely take; its content is moved when that was wrong. */
  open(field: number, lengthBytes = 1): number {
    this.tag(field, BYTES)
    this.room(lengthBytes)
    this.#length += lengthBytes
    return this.#length
  }

  close(start: number, lengthBytes = 1): void {
    const size = this.#length - start
    const needed = size < 0x80 ? 1 : size < 0x4000 ? 2 : size < 0x200000 ? 3 : 4
    if (needed !== lengthBytes) {
      this.room(needed)
      this.#bytes.copyWithin(start + needed - lengthBytes, start, this.#length)
    }
    this.#length = start - lengthBytes
    this.varint(size)
    this.#length += size
  }

  text(field: number, text: string): void {
    this.tag(field, BYTES)
    // Names and ids are short and ASCII: a loop beats a call into Node for them.
    const { length } = text
    if (length < 0x80) {
      this.room(length + 1)
      const bytes = this.#bytes
      const at = this.#length
      let index = 0
      for (; index < length; index++) {
        const code = text.charCodeAt(index)
        if (code >= 0x80) break
        bytes[at + 1 + index] = code
      }
      if (index === length) {
        bytes[at] = length
        this.#length = at + 1 + length
        return
      }
    }
    const size = Buffer.byteLength(text)
    this.varint(size)
    this.room(size)
    this.#length += this.#bytes.write(text, this.#length, 'utf8')
  }

  /** Bytes that were encoded before, tags included. */
  raw(bytes: Uint8Array): void {
    this.room(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  hex(field: number, hex: string): void {
    this.tag(field, BYTES)
    const size = hex.length / 2
    this.room(size + 1)
    const bytes = this.#bytes
    let at = this.#length
    bytes[at++] = size
    for (let index = 0; index < hex.length; index += 2) {
      bytes[at++] = (digit(hex.charCodeAt(index)) << 4) | digit(hex.charCodeAt(index + 1))
    }
    this.#length = at
  }

  /** Bytes whose first is the highest of the first word. */
  words(field: number, words: Uint32Array): void {
    this.tag(field, BYTES)
    this.room(1 + words.length * 4)
    const bytes = this.#bytes
    let at = this.#length
    bytes[at++] = words.length * 4
    for (let index = 0; index < words.length; index++) {
      const word = words[index]!
      bytes[at++] = word >>> 24
      bytes[at++] = (word >>> 16) & 0xff
      bytes[at++] = (word >>> 8) & 0xff
      bytes[at++] = word & 0xff
    }
    this.#length = at
  }

  number(field: number, value: number): void {
    this.tag(field, VARINT)
    this.varint(value)
  }

  double(field: number, value: number): void {
    this.tag(field, FIXED64)
    this.room(8)
    this.#length = this.#bytes.writeDoubleLE(value, this.#length)
  }

  fixed32(field: number, value: number): void {
    this.tag(field, FIXED32)
    this.room(4)
    this.word(value)
  }

  time(field: number, [seconds, nanoseconds]: readonly [number, number]): void {
    const whole = Math.floor(nanoseconds / 1_000)
    this.nanoseconds(field, seconds * 1e6 + whole, Math.floor(nanoseconds - whole * 1_000))
  }

  milliseconds(field: number, ms: number): void {
    this.nanoseconds(field, Math.round(ms * 1_000), 0)
  }

  /** Nanoseconds of the epoch do not fit into a double: written in two halves. */
  private nanoseconds(field: number, microseconds: number, nanoseconds: number): void {
    this.tag(field, FIXED64)
    const high = Math.floor(microseconds / 2 ** 32)
    const low = (microseconds - high * 2 ** 32) * 1_000 + nanoseconds
    const carry = Math.floor(low / 2 ** 32)
    this.room(8)
    this.word(low - carry * 2 ** 32)
    this.word(high * 1_000 + carry)
  }

  integer(field: number, value: number): void {
    this.tag(field, VARINT)
    if (value >= 0) {
      this.varint(value)
      return
    }
    let left = BigInt.asUintN(64, BigInt(value))
    this.room(10)
    for (; left >= 0x80n; left >>= 7n) this.#bytes[this.#length++] = Number(left & 0x7fn) | 0x80
    this.#bytes[this.#length++] = Number(left)
  }

  /** Four bytes, for which there is room. */
  private word(value: number): void {
    const bytes = this.#bytes
    const at = this.#length
    bytes[at] = value & 0xff
    bytes[at + 1] = (value >>> 8) & 0xff
    bytes[at + 2] = (value >>> 16) & 0xff
    bytes[at + 3] = value >>> 24
    this.#length = at + 4
  }

  private tag(field: number, wire: number): void {
    this.varint((field << 3) | wire)
  }

  private varint(value: number): void {
    this.room(10)
    let left = value
    while (left >= 0x80) {
      this.#bytes[this.#length++] = (left % 0x80) | 0x80
      left = Math.floor(left / 0x80)
    }
    this.#bytes[this.#length++] = left
  }

  private room(size: number): void {
    if (this.#length + size <= this.#bytes.length) return
    const bigger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#length + size))
    bigger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bigger
  }
}

/** `field` with so many bytes of content after it. */
export function lengthHead(field: number, length: number): Buffer {
  const bytes = [(field << 3) | BYTES]
  let left = length
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80)
  return Buffer.from([...bytes, left])
}

/** Of `0-9a-f`. */
function digit(code: number): number {
  return (code & 0xf) + (code >> 6) * 9
}
