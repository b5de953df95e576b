// Spans as OTLP protobuf (opentelemetry-proto, trace.proto), written straight into one growing piece of memory: nothing
// of a span is kept as an object after it has ended. The numbers are the fields' numbers there.
import type { Attributes, AttributeValue, Link, SpanStatus } from '@opentelemetry/api'

export interface EndedSpan {
  traceId: string
  spanId: string
  traceFlags: number
  parentId: string | undefined
  parentIsRemote: boolean
  name: string
  /** As in the OpenTelemetry API; the protocol counts from 1. */
  kind: number
  /** Milliseconds of the epoch, with fractions. */
  startedAt: number
  endedAt: number
  attributes: Attributes
  events: { name: string; at: number; attributes: Attributes }[]
  links: Link[]
  status: SpanStatus
}

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

const FIRST_BYTES = 16 * 1024

/** Protobuf's wire format, forwards. A message within a message gets its length when it is complete. */
export class Writer {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What was written, which this writer then forgets. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, this.#length))
    this.#length = 0
    return taken
  }

  message(field: number, write: (writer: this) => void): void {
    const start = this.open(field)
    write(this)
    this.close(start)
  }

  /** One byte is kept for the length; what needs more moves its content, which attributes rarely do. */
  open(field: number): number {
    this.tag(field, BYTES)
    this.room(1)
    return ++this.#length
  }

  close(start: number): void {
    const size = this.#length - start
    const more = size < 0x80 ? 0 : size < 0x4000 ? 1 : size < 0x200000 ? 2 : 3
    if (more > 0) {
      this.room(more)
      this.#bytes.copyWithin(start + more, start, this.#length)
    }
    this.#length = start - 1
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
    this.#length = this.#bytes.writeUInt32LE(value, this.#length)
  }

  /** Nanoseconds of the epoch do not fit into a double: written in two halves. */
  nanoseconds(field: number, milliseconds: number): void {
    this.tag(field, FIXED64)
    const microseconds = Math.round(milliseconds * 1_000)
    const high = Math.floor(microseconds / 2 ** 32)
    const low = (microseconds - high * 2 ** 32) * 1_000
    const carry = Math.floor(low / 2 ** 32)
    this.room(8)
    const at = this.#bytes.writeUInt32LE(low - carry * 2 ** 32, this.#length)
    this.#length = this.#bytes.writeUInt32LE(high * 1_000 + carry, at)
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

/** Appends `ScopeSpans.spans = 2`. */
export function writeSpan(writer: Writer, span: EndedSpan): void {
  const start = writer.open(2)
  writer.hex(1, span.traceId)
  writer.hex(2, span.spanId)
  if (span.parentId !== undefined) writer.hex(4, span.parentId)
  writer.text(5, span.name)
  writer.number(6, span.kind + 1)
  writer.nanoseconds(7, span.startedAt)
  writer.nanoseconds(8, span.endedAt)
  writeAttributes(writer, 9, span.attributes)
  for (const { name, at, attributes } of span.events) {
    const event = writer.open(11)
    writer.nanoseconds(1, at)
    writer.text(2, name)
    writeAttributes(writer, 3, attributes)
    writer.close(event)
  }
  for (const { context, attributes = {} } of span.links) {
    const link = writer.open(13)
    writer.hex(1, context.traceId)
    writer.hex(2, context.spanId)
    writeAttributes(writer, 4, attributes)
    writer.fixed32(6, flagsOf(context.traceFlags, context.isRemote === true))
    writer.close(link)
  }
  if (span.status.code !== 0) {
    const { code, message } = span.status
    const status = writer.open(15)
    if (message !== undefined && message !== '') writer.text(2, message)
    writer.number(3, code)
    writer.close(status)
  }
  writer.fixed32(16, flagsOf(span.traceFlags, span.parentIsRemote))
  writer.close(start)
}

/** The whole request around the spans of one scope: what comes before them. */
export function requestHead(resource: Attributes, scope: string, spanBytes: number): Buffer {
  const described = new Writer()
  described.message(1, (writer) => writeAttributes(writer, 1, resource))
  const resourceBytes = described.take()
  described.message(1, (writer) => writer.text(1, scope))
  const scopeBytes = described.take()
  const scopeSpans = scopeBytes.length + spanBytes
  const resourceSpans = resourceBytes.length + lengthHead(2, scopeSpans).length + scopeSpans
  return Buffer.concat([lengthHead(1, resourceSpans), resourceBytes, lengthHead(2, scopeSpans), scopeBytes])
}

function lengthHead(field: number, length: number): Buffer {
  const bytes = [(field << 3) | BYTES]
  let left = length
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80)
  return Buffer.from([...bytes, left])
}

/** Trace flags, and whether the parent was in another process (`HAS_IS_REMOTE`, `IS_REMOTE`). */
function flagsOf(traceFlags: number, isRemote: boolean): number {
  return (traceFlags & 0xff) | 0x100 | (isRemote ? 0x200 : 0)
}

function writeAttributes(writer: Writer, field: number, attributes: Attributes): void {
  for (const key in attributes) {
    const value = attributes[key]
    if (value === undefined) continue
    const entry = writer.open(field)
    writer.text(1, key)
    const any = writer.open(2)
    writeValue(writer, value)
    writer.close(any)
    writer.close(entry)
  }
}

function writeValue(writer: Writer, value: AttributeValue | null | undefined): void {
  if (typeof value === 'string') writer.text(1, value)
  else if (typeof value === 'boolean') writer.number(2, value ? 1 : 0)
  else if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) writer.integer(3, value)
    else writer.double(4, value)
  } else if (Array.isArray(value)) {
    const list = writer.open(5)
    for (const entry of value) writer.message(1, () => writeValue(writer, entry))
    writer.close(list)
  }
}

/** Of `0-9a-f`. */
function digit(code: number): number {
  return (code & 0xf) + (code >> 6) * 9
}
