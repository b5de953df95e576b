// Where the words of a query stand in a passage.
import { tokenise } from './tokens.ts'

export interface Span {
  start: number
  end: number
}

const MAX_HIGHLIGHTS = 100

/** Offsets into the text, in order, none overlapping another. */
export function highlights(text: string, queryTerms: ReadonlySet<string>): Span[] {
  const spans: Span[] = []
  for (const { term, start, end } of tokenise(text)) {
    if (!queryTerms.has(term)) continue
    const last = spans[spans.length - 1]
    // Characters of a word that is marked already.
    if (last !== undefined && start < last.end) last.end = Math.max(last.end, end)
    else if (spans.length < MAX_HIGHLIGHTS) spans.push({ start, end })
    else break
  }
  return spans
}
