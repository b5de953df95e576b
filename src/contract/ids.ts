// Ids sort by the time they were made: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32.
// Within one process two ids of the same millisecond keep their order, because the random part counts up.
import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const RANDOM_BYTES = 10

export type IdPrefix = 'task' | 'host' | 'doc' | 'msg' | 'key' | 'evt' | 'hook'

let lastTime = -1
let lastTimeText = ''
let lastRandom: Uint8Array = new Uint8Array(RANDOM_BYTES)
// Random bytes are drawn in one large piece: a system call for each id costs more than the id.
let pool = randomBytes(4096)
let drawn = 0

export function newId(prefix: IdPrefix, now: number = Date.now()): string {
  if (now <= lastTime) increment(lastRandom)
  else {
    lastTime = now
    lastTimeText = encodeTime(now)
    lastRandom = drawRandom()
  }
  return `${prefix}_${lastTimeText}${encodeRandom(lastRandom)}`
}

/** The moment an id was made, in milliseconds. */
export function idTime(id: string): number {
  const body = id.slice(id.indexOf('_') + 1)
  let time = 0
  for (const letter of body.slice(0, 10)) time = time * 32 + ALPHABET.indexOf(letter)
  return time
}

const ID = /^[a-z]+_[0-9a-hjkmnp-tv-z]{26}$/
export function isId(text: string, prefix: IdPrefix): boolean {
  return text.startsWith(`${prefix}_`) && ID.test(text)
}

function drawRandom(): Uint8Array {
  if (drawn + RANDOM_BYTES > pool.length) {
    pool = randomBytes(4096)
    drawn = 0
  }
  const bytes = Uint8Array.from(pool.subarray(drawn, drawn + RANDOM_BYTES))
  drawn += RANDOM_BYTES
  return bytes
}

function increment(bytes: Uint8Array): void {
  for (let index = bytes.length - 1; index >= 0; index--) {
    const next = (bytes[index]! + 1) & 0xff
    bytes[index] = next
    if (next !== 0) return
  }
}

function encodeTime(time: number): string {
  let text = ''
  for (let rest = time, place = 0; place < 10; place++) {
    text = ALPHABET[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  return text
}

function encodeRandom(bytes: Uint8Array): string {
  let text = ''
  for (let group = 0; group < 2; group++) {
    const at = group * 5
    // Five bytes are exactly eight letters; 40 bits stay below 2^53.
    let value = 0
    for (let index = 0; index < 5; index++) value = value * 256 + bytes[at + index]!
    let letters = ''
    for (let place = 0; place < 8; place++) {
      letters = ALPHABET[value % 32] + letters
      value = Math.floor(value / 32)
    }
    text += letters
  }
  return text
}
