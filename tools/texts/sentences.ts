// Sentences and words with their offsets: what summaries and key phrases are made of.
//   sentences.ts     this file               language.ts      which language
//   key-phrases.ts   what a text is about    summary.ts       its sentences that say most
//   passages.ts      where a question is answered    claims.ts   what a source bears out
//   stop-words.ts    words that say nothing alone
export interface Sentence {
  text: string
  start: number
  end: number
}

/** A line's end inside a sentence is only wrapping; an empty line, a list item or a table's row ends one. */
const END =
  /[.!?…]+["'”’»)\]]*(?=\s|$)|\n\s*\n|[。！？]|\t[^\n]*\n|\n(?=[^\n\t]*\t)|\n(?=\s*(?:[•*–|-]|\d{1,3}[.)])\s)/g
const ABBREVIATION =
  /(?:^|[\s("“])(?:mr|mrs|ms|dr|prof|st|no|nr|inc|ltd|co|corp|vs|etc|e\.g|i\.e|fig|sec|art|al|approx|dept|est|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|z\.b|d\.h|bzw|ca|p|pp|vol|u\.s|[a-z])\.$/i

/** `breaks` are offsets that no sentence crosses, such as where headings begin and end. */
export function splitSentences(text: string, breaks: readonly number[] = []): Sentence[] {
  const sentences: Sentence[] = []
  let start = 0
  const push = (end: number) => {
    const piece = text.slice(start, end)
    const lead = piece.length - piece.trimStart().length
    const trimmed = piece.trim()
    if (trimmed !== '') sentences.push({ text: trimmed, start: start + lead, end: start + lead + trimmed.length })
    start = end
  }
  let nextBreak = 0
  for (const match of text.matchAll(END)) {
    const end = match.index + match[0].length
    while (nextBreak < breaks.length && breaks[nextBreak]! <= end) {
      if (breaks[nextBreak]! > start) push(breaks[nextBreak]!)
      nextBreak += 1
    }
    if (start >= end) continue
    // After an abbreviation, or before a small letter, a point ends no sentence.
    if (match[0].startsWith('.') && /^\s+\p{Ll}/u.test(text.slice(end, end + 8))) continue
    if (match[0].startsWith('.') && ABBREVIATION.test(text.slice(Math.max(start, end - 12), end))) continue
    // "3. Terms": a number's point in front of its heading ends nothing.
    if (match[0] === '.' && /(?:^|\n)\s*\d{1,3}\.$/.test(text.slice(start, end))) continue
    push(end)
  }
  push(text.length)
  return sentences
}

const WORD = /[\p{L}\p{M}\d]+(?:[-'’][\p{L}\p{M}\d]+)*/gu

export function words(text: string): { text: string; start: number; end: number }[] {
  return Array.from(text.matchAll(WORD), (match) => ({
    text: match[0],
    start: match.index,
    end: match.index + match[0].length,
  }))
}
