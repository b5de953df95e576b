// CSV by RFC 4180, read the way people write it: any usual delimiter, any line end, quotes with line breaks inside.
// A row with too few cells is padded, one with too many is cut; both are named, because silently shifted cells are
// how a wrong figure gets into a report.
import { TroupeError } from '@troupe/sdk'
import type { Cell, Grid } from './infer-types.ts'
import { TABLE_LIMITS } from './source.ts'

const DELIMITERS = [',', ';', '\t', '|']

export function parseCsv(text: string, options: { header?: boolean | undefined } = {}): Grid {
  const delimiter = guessDelimiter(text)
  const records = splitRecords(text, delimiter)
  const first = records[0]
  if (first === undefined) throw new TroupeError('document_unreadable', 'the table is empty: no row and no header')
  const hasHeader = options.header ?? looksLikeHeader(first.cells, records.length)
  const width = first.cells.length
  const header = hasHeader ? first.cells : first.cells.map((_, index) => `column_${index + 1}`)
  const body = hasHeader ? records.slice(1) : records
  const grid: Grid = { header, rows: [], issues: [] }
  for (const [index, record] of body.entries()) {
    const cells: Cell[] = record.cells
    if (cells.length !== width) {
      grid.issues.push({
        kind: 'ragged_row',
        row: index + 1,
        message: `row ${index + 1} (line ${record.line}) has ${cells.length} cells, the header has ${width}`,
      })
      while (cells.length < width) cells.push(null)
      cells.length = width
    }
    grid.rows.push(cells)
  }
  return grid
}

interface CsvRecord {
  cells: string[]
  line: number
}

/** Blank lines are not rows. `most` stops early, for guessing. */
function splitRecords(text: string, delimiter: string, most = Number.POSITIVE_INFINITY): CsvRecord[] {
  const records: CsvRecord[] = []
  let cells: string[] = []
  let cellCount = 0
  let line = 1
  let startLine = 1
  let at = 0
  const endRecord = () => {
    if (cells.length > 1 || cells[0] !== '') {
      records.push({ cells, line: startLine })
      cellCount += cells.length
      if (cells.length > TABLE_LIMITS.columns) {
        throw new TroupeError(
          'limit_exceeded',
          `row ${records.length} has ${cells.length} cells; the limit is ${TABLE_LIMITS.columns}`,
        )
      }
      if (cellCount > TABLE_LIMITS.cells) {
        throw new TroupeError('limit_exceeded', `the table has more than ${TABLE_LIMITS.cells} cells`)
      }
    }
    cells = []
    startLine = line
  }
  while (at < text.length && records.length < most) {
    let cell = ''
    if (text[at] === '"') {
      at++
      for (;;) {
        const quote = text.indexOf('"', at)
        if (quote === -1) {
          if (most !== Number.POSITIVE_INFINITY) return records
          throw new TroupeError('document_unreadable', `the quote opened in line ${startLine} is never closed`)
        }
        cell += text.slice(at, quote)
        at = quote + 1
        if (text[at] !== '"') break
        cell += '"'
        at++
      }
      for (let index = 0; index < cell.length; index++) if (cell.charCodeAt(index) === 10) line++
    }
    // What follows (all of an unquoted cell; nothing, or sloppy text, after a quoted one) up to the next boundary.
    const start = at
    while (at < text.length) {
      const letter = text[at]
      if (letter === delimiter || letter === '\n' || letter === '\r') break
      at++
    }
    cells.push(cell + text.slice(start, at))
    if (text[at] === delimiter) {
      at++
      if (at === text.length) cells.push('')
      continue
    }
    if (text[at] === '\r' && text[at + 1] === '\n') at++
    at++
    line++
    endRecord()
  }
  if (cells.length > 0) endRecord()
  return records
}

/** The delimiter under which the first lines have the same, largest number of cells. */
function guessDelimiter(text: string): string {
  let best = ','
  let bestScore = 0
  const sample = text.slice(0, 65_536)
  for (const delimiter of DELIMITERS) {
    const widths = splitRecords(sample, delimiter, 30).map((record) => record.cells.length)
    const width = widths[0] ?? 1
    if (width < 2) continue
    const agreeing = widths.filter((other) => other === width).length / widths.length
    const score = agreeing * 10 + Math.min(width, 50) / 50
    if (score > bestScore) {
      best = delimiter
      bestScore = score
    }
  }
  return best
}

const NUMBER_OR_DATE = /^[+-]?[\d.,]+%?$|^\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?/

function looksLikeHeader(cells: string[], recordCount: number): boolean {
  if (recordCount === 1) return true
  const valueLike = cells.filter((cell) => NUMBER_OR_DATE.test(cell.trim())).length
  return valueLike * 2 < cells.length
}
