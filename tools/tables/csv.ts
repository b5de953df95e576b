// CSV by RFC 4180, read the way people write it: any usual separator, any line end, quotes with line breaks inside.
// A row with too few cells is padded, one with too many is cut; both are named, because silently shifted cells are
// how a wrong figure gets into a report.
import { TroupeError } from '@troupe/sdk'
import { type CsvRecord, csvRecords, guessSeparator } from '../csv-records.ts'
import type { Cell, Grid } from './infer-types.ts'
import { TABLE_LIMITS } from './source.ts'

export function parseCsv(text: string, options: { header?: boolean | undefined } = {}): Grid {
  const records = recordsOf(text, guessSeparator(text))
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

function recordsOf(text: string, separator: string): CsvRecord[] {
  const records: CsvRecord[] = []
  let cellCount = 0
  for (const record of csvRecords(text, separator)) {
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

const NUMBER_OR_DATE = /^[+-]?[\d.,]+%?$|^\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?/

function looksLikeHeader(cells: string[], recordCount: number): boolean {
  if (recordCount === 1) return true
  const valueLike = cells.filter((cell) => NUMBER_OR_DATE.test(cell.trim())).length
  return valueLike * 2 < cells.length
}
