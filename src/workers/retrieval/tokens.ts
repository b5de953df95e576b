// Text becomes terms here, for passages and queries alike, so that both stores match by the same rules. Every token keeps
// its place in the original text: highlights and citations need offsets that survive normalisation.
import { stem } from './stem.ts'

export interface Token {
  /** What is indexed: folded and stemmed; letters, digits and the point inside a number. Never empty. */
  term: string
  /** UTF-16 offsets into the text, as slice takes them. */
  start: number
  end: number
}

/** A longer run is no word (base64, a key); its head is indexed, so that it can still be found. */
const MAX_TERM_LENGTH = 64

// The apostrophe joins inside a word ("l'eau"), point and comma inside a number ("3.5").
const WORD = /[\p{L}\p{N}\p{M}]+(?:(?:['’](?=\p{L})|(?<=\p{N})[.,](?=\p{N}))[\p{L}\p{N}\p{M}]+)*/gu
// Scripts that write no spaces between words: their runs are cut by Intl.Segmenter's dictionary.
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const segmenter = new Intl.Segmenter('zh', { granularity: 'word' })
/** The segmenter's time grows faster than its input: a book without a space is cut in pieces of this length. */
const SEGMENTED_AT_ONCE = 512

export function tokenise(text: string): Token[] {
  const tokens: Token[] = []
  for (const match of text.matchAll(WORD)) {
    const word = match[0]
    if (PLAIN.test(word) || !UNSPACED.test(word)) add(word, match.index, tokens)
    else addUnspaced(word, match.index, tokens)
  }
  return tokens
}

/** The different terms of a text, in order of first appearance. */
export function distinctTerms(text: string): string[] {
  return [...new Set(tokenise(text).map(({ term }) => term))]
}

function add(word: string, start: number, into: Token[]): void {
  const term = stem(fold(word)).slice(0, MAX_TERM_LENGTH).toWellFormed()
  if (term !== '') into.push({ term, start, end: start + word.length })
}

// The dictionary cuts the same characters differently in different company; single characters match whatever the cut was.
// So a run yields its words and, of longer words, their characters too.
function addUnspaced(run: string, offset: number, into: Token[]): void {
  for (let from = 0; from < run.length; from += SEGMENTED_AT_ONCE) {
    for (const { segment, index } of segmenter.segment(run.slice(from, from + SEGMENTED_AT_ONCE))) {
      const start = offset + from + index
      add(segment, start, into)
      const letters = Array.from(segment)
      if (letters.length < 2 || !UNSPACED.test(segment)) continue
      let at = start
      for (const letter of letters) {
        add(letter, at, into)
        at += letter.length
      }
    }
  }
}

const PLAIN = /^[a-z0-9]+$/i
const MARKS = /[\p{M}\p{Cs}]+/gu

/** Case, width and accents do not distinguish words for someone who searches. */
function fold(word: string): string {
  if (PLAIN.test(word)) return word.toLowerCase()
  return word
    .replace(/['’]s$/i, '')
    .normalize('NFKD')
    .toLowerCase()
    .replace(MARKS, '')
    .replaceAll('ß', 'ss')
    .replace(/[^\p{L}\p{N}.]/gu, '')
}
