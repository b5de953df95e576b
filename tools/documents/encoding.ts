// Bytes to text when nobody says how. In order: a byte-order mark; UTF-16 by where its zero bytes stand; valid UTF-8;
// what the file declares; and else the old encoding whose decoded letters look most like a language.
export interface DecodedText {
  text: string
  encoding: string
  /** Two encodings in one file: each line was read in the one that fits it. */
  mixed: boolean
  /** Characters that no encoding could read. */
  undecodable: number
}

const SAMPLE = 64 * 1024

export function decodeText(bytes: Uint8Array, declared?: string): DecodedText {
  const marked = byteOrderMark(bytes)
  if (marked !== undefined) return result(decode(bytes, marked), marked)
  const wide = wideByZeros(bytes)
  if (wide !== undefined) return result(decode(bytes, wide), wide)
  const utf8 = tryDecode(bytes, 'utf-8')
  // ISO-2022-JP is pure ASCII to every other judge.
  if (utf8?.slice(0, SAMPLE).includes('\u001b$B')) return result(decode(bytes, 'iso-2022-jp'), 'iso-2022-jp')
  if (utf8 !== undefined) return result(utf8, 'utf-8')
  if (declared !== undefined && isKnown(declared) && !/^utf-?8$/i.test(declared)) {
    const text = tryDecode(bytes, declared)
    if (text !== undefined) return result(text, declared.toLowerCase())
  }
  const { valid, invalid } = countUtf8(bytes.subarray(0, SAMPLE * 4))
  if (valid > 0 && valid >= invalid) return decodeLines(bytes)
  const best = guess(bytes.subarray(0, SAMPLE))
  return result(decode(bytes, best), best)
}

function result(text: string, encoding: string): DecodedText {
  return { text, encoding, mixed: false, undecodable: countReplacements(text) }
}

function countReplacements(text: string): number {
  let count = 0
  for (let at = text.indexOf('\ufffd'); at >= 0; at = text.indexOf('\ufffd', at + 1)) count += 1
  return count
}

function decode(bytes: Uint8Array, encoding: string): string {
  if (encoding === 'utf-32le' || encoding === 'utf-32be') return decodeUtf32(bytes, encoding === 'utf-32le')
  return new TextDecoder(encoding).decode(bytes)
}

function tryDecode(bytes: Uint8Array, encoding: string): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function isKnown(encoding: string): boolean {
  try {
    new TextDecoder(encoding)
    return true
  } catch {
    return false
  }
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  const [a, b, c, d] = bytes
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) return 'utf-32le'
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return 'utf-32be'
  if (a === 0xff && b === 0xfe) return 'utf-16le'
  if (a === 0xfe && b === 0xff) return 'utf-16be'
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8'
  return undefined
}

/** Latin text in UTF-16 has a zero in every second byte; other encodings have none at all. */
function wideByZeros(bytes: Uint8Array): string | undefined {
  const length = Math.min(bytes.length, SAMPLE) & ~1
  if (length < 4) return undefined
  let even = 0
  let odd = 0
  for (let index = 0; index < length; index += 2) {
    if (bytes[index] === 0) even += 1
    if (bytes[index + 1] === 0) odd += 1
  }
  const pairs = length / 2
  if (odd > pairs * 0.3 && even < pairs * 0.05) return 'utf-16le'
  if (even > pairs * 0.3 && odd < pairs * 0.05) return 'utf-16be'
  return undefined
}

function decodeUtf32(bytes: Uint8Array, little: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const pieces: string[] = []
  for (let at = 4; at + 4 <= bytes.length; at += 4) {
    const point = view.getUint32(at, little)
    pieces.push(point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd')
  }
  return pieces.join('')
}

/** Characters of two and more bytes that are valid UTF-8, and bytes that can be none. */
function countUtf8(bytes: Uint8Array): { valid: number; invalid: number } {
  let valid = 0
  let invalid = 0
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at]!
    const length =
      lead < 0x80
        ? 1
        : lead >= 0xc2 && lead < 0xe0
          ? 2
          : lead >= 0xe0 && lead < 0xf0
            ? 3
            : lead >= 0xf0 && lead < 0xf5
              ? 4
              : 0
    let whole = length > 0
    for (let next = 1; next < length && whole; next++) whole = (bytes[at + next]! & 0xc0) === 0x80
    if (!whole) invalid += 1
    else if (length > 1) valid += 1
    at += whole ? length : 1
  }
  return { valid, invalid }
}

function decodeLines(bytes: Uint8Array): DecodedText {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const western = new TextDecoder('windows-1252')
  const pieces: string[] = []
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(10, start)
    const end = newline < 0 ? bytes.length : newline + 1
    const line = bytes.subarray(start, end)
    try {
      pieces.push(utf8.decode(line))
    } catch {
      pieces.push(western.decode(line))
    }
    start = end
  }
  const text = pieces.join('')
  return { text, encoding: 'utf-8', mixed: true, undecodable: countReplacements(text) }
}

/** For each encoding, the letters that its languages use most; a wrong guess yields others. */
const CANDIDATES: [encoding: string, common: RegExp][] = [
  ['shift_jis', /[\u3040-\u30ff、。]/g],
  ['euc-jp', /[\u3040-\u30ff、。]/g],
  ['gb18030', /[的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年，。]/g],
  ['big5', /[的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年，。]/g],
  ['euc-kr', /[이다는을가의에고를은한지로하도기사인서리,.]/g],
  ['windows-1251', /[оеаинтсрвлкмдпу]/g],
  ['koi8-r', /[оеаинтсрвлкмдпу]/g],
  ['windows-1253', /[αοιετσνηυρπκμλάέήίόύώς]/g],
  ['windows-1255', /[\u05d0-\u05ea]/g],
  ['windows-1256', /[\u0627-\u064a]/g],
  ['windows-1250', /[ąćęłńóśźżčďěňřšťůžáéíýőű]/g],
  ['windows-1252', /[àâäáãåæçèéêëìíîïñòóôöõøœùúûüßÄÖÜÉÅØÆ€£§°–—‘’“”…«»·•©®™½]/g],
]

function guess(sample: Uint8Array): string {
  let best = 'windows-1252'
  let bestScore = 0.35
  for (const [encoding, common] of CANDIDATES) {
    const text = new TextDecoder(encoding).decode(sample)
    let foreign = 0
    for (const letter of text) if (letter.charCodeAt(0) > 0x7f) foreign += 1
    if (foreign === 0) continue
    // A sample may be cut inside a character; more than that is a wrong encoding. A Hebrew point stands on a letter: one that
    // begins a word is a capital of another alphabet.
    const misplaced = /[\u0080-\u009f\ue000-\uf8ff\uff61-\uff9f]|(?<![\u05b0-\u05ea])[\u05b0-\u05c7]/g
    const wrong = countReplacements(text) + (text.match(misplaced)?.length ?? 0)
    // In languages written in Latin letters the marked ones stand alone; a row of them is another alphabet misread.
    const rows = /125[02]$/.test(encoding) ? text.match(/[À-ÖØ-öø-ž]{3,}/g) : null
    const misread = rows?.reduce((sum, row) => sum + row.length, 0) ?? 0
    const score = ((text.match(common)?.length ?? 0) - wrong * 3 - misread) / foreign
    // Multi-byte encodings pack two bytes into one letter: weigh what was explained, not how many letters.
    if (score > bestScore) {
      best = encoding
      bestScore = score
    }
  }
  return best
}
