// The features of a text before any weighting: 32-bit hashes of word n-grams and of character n-grams inside words.
// No string is made for an n-gram: a text of a page has some five thousand, and allocation would be most of the time.
import { isUnspaced } from './tokens.ts'

/** How long the n-grams are, both ends included. */
export interface Range {
  shortest: number
  longest: number
}

/** How often each n-gram occurs, by hash. */
export type Counts = Map<number, number>

const WORD_SEED = 0x2f0b4a27
const CHARACTER_SEED = 0x51ed270b
const EDGE = 0x5f

export function countWordNgrams(words: readonly string[], range: Range, counts: Counts = new Map()): Counts {
  const hashes = words.map(hashWord)
  for (let start = 0; start < hashes.length; start++) {
    let hash = WORD_SEED
    const end = Math.min(hashes.length, start + range.longest)
    for (let at = start; at < end; at++) {
      hash = mix(Math.imul(hash, 31) ^ hashes[at]!)
      if (at - start + 1 >= range.shortest) add(counts, hash >>> 0)
    }
  }
  return counts
}

/** Each word is edged, so that the beginning and the end of words are features: `_inv`, `ice_`. */
export function countCharacterNgrams(words: readonly string[], range: Range, counts: Counts = new Map()): Counts {
  for (const word of words) {
    // In scripts without spaces one character is about a syllable or a word: pairs there say what fives say in Latin.
    const { shortest, longest } = isUnspaced(word) ? { shortest: 1, longest: 3 } : range
    const length = word.length + 2
    for (let start = 0; start < length; start++) {
      let hash = CHARACTER_SEED
      const end = Math.min(length, start + longest)
      for (let at = start; at < end; at++) {
        const code = at === 0 || at === length - 1 ? EDGE : word.charCodeAt(at - 1)
        hash = Math.imul(hash ^ code, 0x01000193)
        if (at - start + 1 >= shortest) add(counts, mix(hash) >>> 0)
      }
    }
  }
  return counts
}

export function hashWord(word: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193)
  return mix(hash) >>> 0
}

/** Spreads a hash over all 32 bits (the finaliser of MurmurHash3); without it neighbours fall into one bucket. */
export function mix(hash: number): number {
  let spread = hash
  spread = Math.imul(spread ^ (spread >>> 16), 0x85ebca6b)
  spread = Math.imul(spread ^ (spread >>> 13), 0xc2b2ae35)
  return spread ^ (spread >>> 16)
}

function add(counts: Counts, hash: number): void {
  counts.set(hash, (counts.get(hash) ?? 0) + 1)
}
