// CSV as RFC 4180 means it, exactly: nothing is trimmed, converted or guessed inside a value. Only the separator is
// found by looking. Rows that do not fit the header are kept as they are and reported.
import { csvRecords, guessSeparator } from '../csv-records.ts'
import type { ExtractedDocument } from './document.ts'
import { LIMITS } from './document.ts'
import { createWriter } from './writer.ts'

export interface CsvTable {
  separator: string
  rows: string[][]
  /** Line numbers (of the table, from 1) whose number of values differs from the first row's. */
  ragged: number[]
  /** A quote was opened and never closed. */
  unclosed: boolean
}

export function readCsv(text: string, encoding: string, separator?: string): ExtractedDocument {
  const writer = createWriter()
  const parsed = parseCsv(text, separator)
  if (parsed.ragged.length > 0) {
    const shown = parsed.ragged.slice(0, 10).join(', ')
    const message = `${parsed.ragged.length} of ${parsed.rows.length} rows have more or fewer values than the first (rows ${shown})`
    writer.warn('ragged_rows', message)
  }
  if (parsed.unclosed) writer.warn('damaged', 'A quoted value is never closed: the file may be truncated')
  const widest = parsed.rows.reduce((most, row) => Math.max(most, row.length), 0)
  if (widest > LIMITS.columns)
    writer.warn('truncated', `A row has ${widest} values; spreadsheets hold ${LIMITS.columns}`)
  writer.raw(text)
  writer.table(parsed.rows, { text: false, header: looksLikeHeader(parsed.rows) })
  writer.meta('separator', parsed.separator === '\t' ? 'tab' : parsed.separator)
  return writer.finish({
    format: parsed.separator === '\t' ? 'tsv' : 'csv',
    mime: parsed.separator === '\t' ? 'text/tab-separated-values' : 'text/csv',
    encoding,
  })
}

/** A first row of numbers only, over rows of numbers, is data. */
function looksLikeHeader(rows: string[][]): boolean {
  const first = rows[0] ?? []
  return rows.length < 2 || !first.every((value) => value !== '' && Number.isFinite(Number(value)))
}

export function parseCsv(text: string, given?: string): CsvTable {
  const separator = given ?? guessSeparator(text)
  const rows: string[][] = []
  const ragged: number[] = []
  let unclosed = false
  for (const record of csvRecords(text, separator)) {
    unclosed = record.unclosed
    if (record.cells.length === 0) continue
    rows.push(record.cells)
    if (record.cells.length !== rows[0]!.length) ragged.push(rows.length)
  }
  return { separator, rows, ragged, unclosed }
}

/** Are these lines a table? For files whose name does not say. */
export function looksLikeCsv(text: string): boolean {
  const { rows, ragged } = parseCsv(text.slice(0, 32 * 1024))
  if (rows.length < 3 || rows[0]!.length < 2) return false
  // The last row may be cut by the sample.
  const odd = ragged.filter((row) => row < rows.length).length
  const long = rows[0]!.some((value) => value.length > 80)
  return odd <= rows.length * 0.02 && !long && (rows[0]!.length > 2 || rows.length > 4)
}
