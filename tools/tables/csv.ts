// CSV by RFC 4180, read the way people write it: any usual delimiter, any line end, quotes with line breaks inside.
// A row with too few cells is padded, one with too many is cut; both are named, because silently shifted cells are
// how a wrong figure gets into a report.
import { TroupeError } from '@troupe/sdk'
import { type CsvRecord, csvRecords } from '../csv-records.ts'
import type { Cell, Grid } from './infer-types.ts'
import { TABLE_LIMITS } from './source.ts'

const DELIMITERS = [',', ';', '\t', '|']
/** Records that a delimiter is judged by. */
const SAMPLED = 30

export function parseCsv(text: string, options: { header?: boolean | undefined } = {}): Grid {
  const delimiter = guessDelimiter(text)
  const records = recordsOf(text, delimiter)
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

function recordsOf(text: string, delimiter: string): CsvRecord[] {
  const records: CsvRecord[] = []
  let cellCount = 0
  for (const record of csvRecords(text, delimiter)) {
    const { cells, line, unclosed } = record
    records.push(record)
    cellCount += cells.length
    if (cells.length > TABLE_LIMITS.columns) {
      const message = `row ${records.length} has ${cells.length} cells; the limit is ${TABLE_LIMITS.columns}`
      throw new TroupeError('limit_exceeded', message)
    }
    if (cellCount > TABLE_LIMITS.cells) {
      throw new TroupeError('limit_exceeded', `the table has more than ${TABLE_LIMITS.cells} cells`)
    }
    if (unclosed) throw new TroupeError('document_unreadable', `the quote opened in line ${line} is never closed`)
  }
  return records
}

/** Of the first records, for guessing; a quote that the sample cuts off says nothing. */
function widthsOf(sample: string, delimiter: string): number[] {
  const widths: number[] = []
  for (const { cells, unclosed } of csvRecords(sample, delimiter)) {
    if (unclosed || widths.push(cells.length) === SAMPLED) break
  }
  return widths
}

/** The delimiter under which the first lines have the same, largest number of cells. */
function guessDelimiter(text: string): string {
  let best = ','
  let bestScore = 0
  const sample = text.slice(0, 65_536)
  for (const delimiter of DELIMITERS) {
    const widths = widthsOf(sample, delimiter)
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
