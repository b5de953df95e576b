// Text into words, the same way in training and in serving, for any script. Case and Latin accents are folded, because
// scans and keyboards lose them; signs that carry meaning in documents (currencies, %, @, #, §, ?) are words too.

/** Scripts that write words without spaces between them: there `Intl.Segmenter` finds the words. */
const UNSPACED = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]/u
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*|[\p{Sc}%@#§?!]/gu

// Combining accents of Latin, Greek and Cyrillic, and the vowel signs of Arabic. Not \p{M}: in Indic scripts the marks
// are the vowels, and a word without them is another word.
const FOLDED_MARKS = /[\u0300-\u036f\u064b-\u0652\u0670\u0640]/g
const DIGIT = /\p{Nd}/gu

let segmenter: Intl.Segmenter | undefined

export interface TokenOptions {
  /** `shape` makes every digit a 0: 2024-05-01 and 1999-12-31 are then one feature. `keep` leaves numbers apart. */
  digits: 'shape' | 'keep'
}

export function words(text: string, options: TokenOptions): string[] {
  let folded = text.normalize('NFKD').toLowerCase().replace(FOLDED_MARKS, '').normalize('NFC')
  if (options.digits === 'shape') folded = folded.replace(DIGIT, '0')
  const found: string[] = []
  for (const [word] of folded.matchAll(WORD)) {
    if (UNSPACED.test(word)) segment(word, found)
    else found.push(word)
  }
  return found
}

export function isUnspaced(word: string): boolean {
  return word.charCodeAt(0) > 0x0e00 && UNSPACED.test(word)
}

function segment(run: string, found: string[]): void {
  segmenter ??= new Intl.Segmenter('und', { granularity: 'word' })
  for (const piece of segmenter.segment(run)) if (piece.isWordLike === true) found.push(piece.segment)
}
