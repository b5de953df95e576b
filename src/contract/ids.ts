// Ids sort by the time they were made: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32.
// Within one process two ids of the same millisecond keep their order, because the random part counts up.
import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
/** Ten bits are two letters. */
const PAIRS = Array.from({ length: 1024 }, (_, bits) => ALPHABET[bits >> 5]! + ALPHABET[bits & 31]!)
const HALF = 5
const COUNTED = 2 ** 40

export type IdPrefix = 'task' | 'host' | 'doc' | 'msg' | 'key' | 'evt' | 'hook' | 'req'

let lastTime = -1
/** The letters of the time and of the first half of the random bits: the same for all ids of a millisecond. */
let beginning = ''
/** The other half, which counts up. */
let counted = 0
// Random bytes are drawn in one large piece: a system call for each id costs more than the id.
let pool = randomBytes(4096)
let drawn = 0

export function newId(prefix: IdPrefix, now: number = Date.now()): string {
  if (now > lastTime) begin(now)
  else if (++counted === COUNTED) begin(lastTime + 1)
  return `${prefix}_${beginning}${eightLetters(counted)}`
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

function begin(time: number): void {
  lastTime = time
  beginning = encodeTime(time) + eightLetters(draw())
  counted = draw()
}

/** Forty random bits. */
function draw(): number {
  if (drawn + HALF > pool.length) {
    pool = randomBytes(4096)
    drawn = 0
  }
  drawn += HALF
  return pool.readUIntBE(drawn - HALF, HALF)
}

function encodeTime(time: number): string {
  let text = ''
  for (let rest = time, place = 0; place < 10; place++) {
    text = ALPHABET[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  return text
}

/** Of forty bits. */
function eightLetters(bits: number): string {
  // As two integers of twenty bits: shifts know only 32.
  const high = Math.floor(bits / 2 ** 20)
  const low = bits % 2 ** 20
  return PAIRS[high >> 10]! + PAIRS[high & 1023]! + PAIRS[low >> 10]! + PAIRS[low & 1023]!
}
