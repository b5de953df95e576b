// Who a span is: ids, and the W3C traceparent.
import type { SpanContext } from '@opentelemetry/api'

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}/
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)
export const SAMPLED = 1

export function parseTraceparent(text: string): SpanContext | undefined {
  if (!TRACEPARENT.test(text)) return undefined
  const traceId = text.slice(3, 35)
  const spanId = text.slice(36, 52)
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(text.slice(53, 55), 16), isRemote: true }
}

export function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string | undefined {
  if (traceId === NO_TRACE) return undefined
  return `00-${traceId}-${spanId}-${(traceFlags & SAMPLED) === SAMPLED ? '01' : '00'}`
}

export function newTraceId(): string {
  return randomHex(32)
}

export function newSpanId(): string {
  return randomHex(16)
}

const poolWords = new Uint32Array(1_024)
let pool = ''
let used = 0

/**
 * Drawn a few thousand bytes at a time: ids are made ten thousand times a second. They are no secrets, so they need not
 * come from the operating system, which takes ten times as long.
 */
function randomHex(digits: number): string {
  if (used + digits > pool.length) {
    for (let index = 0; index < poolWords.length; index++) poolWords[index] = Math.random() * 2 ** 32
    pool = Buffer.from(poolWords.buffer).toString('hex')
    used = 0
  }
  used += digits
  const id = pool.slice(used - digits, used)
  // All zeros mean "none".
  return id === NO_SPAN || id === NO_TRACE ? randomHex(digits) : id
}

/**
 * The id of a span that several processes must be able to name without having spoken to each other: a task's first
 * incarnation is linked to by every later one, and told by its successor when its host was killed.
 */
export function derivedSpanId(story: string): string {
  const [high, low] = derivedWords(story)
  return hex32(high!) + hex32(low!)
}

const derived = new Uint32Array(2)

/** The same id as two words, until the next call: making a text of it costs more than working it out. */
export function derivedWords(story: string): Uint32Array {
  let high = 0x811c9dc5
  let low = 0x9747b28c
  for (let index = 0; index < story.length; index++) {
    const code = story.charCodeAt(index)
    high = Math.imul(high ^ code, 0x01000193)
    low = Math.imul(low ^ code, 0x5bd1e995)
    low ^= low >>> 15
  }
  high ^= Math.imul(low, 0x2c1b3c6d)
  high ^= high >>> 13
  derived[0] = high
  // Never all zeros.
  derived[1] = low | 1
  return derived
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hex32(value: number): string {
  return HEX[value >>> 24]! + HEX[(value >>> 16) & 0xff]! + HEX[(value >>> 8) & 0xff]! + HEX[value & 0xff]!
}
