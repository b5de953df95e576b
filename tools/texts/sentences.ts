// Sentences and words with their offsets: what summaries and key phrases are made of.
//   sentences.ts     this file               language.ts      which language
//   key-phrases.ts   what a text is about    summary.ts       its sentences that say most
//   passages.ts      where a question is answered    claims.ts   what a source bears out
//   fields.ts        what a form says line by line
//   stop-words.ts    words that say nothing alone
export interface Sentence {
  text: string
  start: number
  end: number
}

/** A line's end may only be wrapping (see `wraps`); an empty line, a list item or a table's row ends a sentence. */
const END = /[.!?…]+["'”’»)\]]*(?=\s|$)|\n\s*\n|[。！？]|\t[^\n]*(?:\n|$)|\n/g
const ABBREVIATION =
  /(?:^|[\s("“])(?:mr|mrs|ms|dr|prof|st|no|nr|inc|ltd|co|corp|vs|etc|e\.g|i\.e|fig|sec|art|al|approx|attn|dept|est|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|z\.b|d\.h|bzw|ca|p|pp|vol|u\.s|[a-z])\.$/i

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
    if (match[0] === '\n' && wraps(text, match.index)) continue
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

/** Lines that would fit into a narrower column than this are an address or a list, not prose. */
const NARROWEST = 60
const ITEM = /^\s*(?:[•*–|-]|\d{1,3}[.)])\s/

/** Was a line broken because it was full? Where the next word would have fitted, its writer ended it: a heading, an address. */
function wraps(text: string, at: number): boolean {
  const begin = text.lastIndexOf('\n', at - 1) + 1
  const line = text.slice(begin, at).trimEnd()
  if (line === '' || line.endsWith(':')) return false
  const next = lineAfter(text, at)
  if (next.includes('\t') || ITEM.test(next)) return false
  // Small letters go on with what the line above began.
  if (/^\s*\p{Ll}/u.test(next)) return true
  const width = Math.max(
    NARROWEST,
    line.length,
    next.length,
    lineBefore(text, begin).length,
    lineAfter(text, at + 1 + next.length).length,
  )
  const word = /^\s*\S+/.exec(next)?.[0].length ?? 0
  // Letters are not equally wide: a line that is nearly full was full.
  return line.length + 1 + word > width * 0.85
}

function lineBefore(text: string, begin: number): string {
  return begin === 0 ? '' : text.slice(text.lastIndexOf('\n', begin - 2) + 1, begin - 1)
}

function lineAfter(text: string, at: number): string {
  const end = text.indexOf('\n', at + 1)
  return text.slice(at + 1, end < 0 ? text.length : end)
}

const WORD = /[\p{L}\p{M}\d]+(?:[-'’][\p{L}\p{M}\d]+)*/gu

export function words(text: string): { text: string; start: number; end: number }[] {
  return Array.from(text.matchAll(WORD), (match) => ({
    text: match[0],
    start: match.index,
    end: match.index + match[0].length,
  }))
}
