// CSV into records, by RFC 4180 as people write it: any line end, quotes with line breaks inside, sloppy text after a quote.
// What a record means (a header, a ragged row, too many) its readers decide: documents/csv.ts and tables/csv.ts. Which separator
// a text has both find the same way.
export interface CsvRecord {
  cells: string[]
  /** Of the text, from 1: where it begins. */
  line: number
  /** A quote was opened and never closed: the last record of what may be a truncated file; without cells when it has nothing else. */
  unclosed: boolean
}

/** Blank lines are no records. */
export function* csvRecords(text: string, separator: string): Generator<CsvRecord> {
  let cells: string[] = []
  let unclosed = false
  let line = 1
  let startLine = 1
  let at = 0
  while (at < text.length) {
    let quoted = ''
    if (text[at] === '"') {
      at++
      for (;;) {
        const quote = text.indexOf('"', at)
        unclosed ||= quote === -1
        const end = quote === -1 ? text.length : quote
        quoted += text.slice(at, end)
        at = quote === -1 ? end : quote + 1
        if (text[at] !== '"') break
        quoted += '"'
        at++
      }
      for (let index = 0; index < quoted.length; index++) if (quoted.charCodeAt(index) === 10) line++
    }
    // All of an unquoted cell; nothing, or sloppy text, after a quoted one.
    const start = at
    while (at < text.length) {
      const letter = text[at]
      if (letter === separator || letter === '\n' || letter === '\r') break
      at++
    }
    cells.push(quoted + text.slice(start, at))
    if (text[at] === separator) {
      at++
      if (at === text.length) cells.push('')
      continue
    }
    if (text[at] === '\r' && text[at + 1] === '\n') at++
    at++
    line++
    const blank = cells.length === 1 && cells[0] === ''
    if (!blank || unclosed) yield { cells: blank ? [] : cells, line: startLine, unclosed }
    cells = []
    startLine = line
  }
  // It ended with a separator.
  if (cells.length > 0) yield { cells, line: startLine, unclosed }
}

const SEPARATORS = [',', ';', '\t', '|']
/** Characters, and records, that a separator is judged by. */
const SAMPLE = 64 * 1024
const SAMPLED = 50

/** The separator that splits the first records into the most cells, and most evenly; a comma when none does. */
export function guessSeparator(text: string): string {
  const sample = text.slice(0, SAMPLE)
  let best = ','
  let bestScore = 0
  for (const separator of SEPARATORS) {
    const widths = widthsOf(sample, separator)
    const first = widths[0] ?? 1
    const even = widths.filter((width) => width === first).length / widths.length
    const score = even * even * Math.min(first - 1, 8)
    if (score > bestScore) {
      best = separator
      bestScore = score
    }
  }
  return best
}

/** A quote that the sample cuts off says nothing. */
function widthsOf(sample: string, separator: string): number[] {
  const widths: number[] = []
  for (const { cells, unclosed } of csvRecords(sample, separator)) {
    if (unclosed || widths.push(cells.length) === SAMPLED) break
  }
  return widths
}
