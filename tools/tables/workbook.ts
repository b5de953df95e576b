// One sheet of an XLSX to a grid. The first row with content is the header; formulas count with their stored result.
import { TroupeError } from '@troupe/sdk'
import { type CellValue, readXlsx } from 'hucre/xlsx'
import { isBomb, openArchive } from '../documents/archive.ts'
import type { Cell, Grid } from './infer-types.ts'
import { TABLE_LIMITS } from './source.ts'

const MOST_UNPACKED = 512 * 1024 * 1024

export async function parseWorkbook(bytes: Uint8Array, sheetName: string | undefined): Promise<Grid> {
  refuseBomb(bytes)
  const workbook = await readXlsx(bytes, sheetName === undefined ? {} : { sheets: [sheetName] }).catch(
    (cause: Error) => {
      throw new TroupeError('document_unreadable', `the workbook cannot be read: ${cause.message}`, { cause })
    },
  )
  const sheet = workbook.sheets.find((candidate) => candidate.rows.some(hasContent))
  if (sheet === undefined) {
    const which = sheetName === undefined ? 'no sheet of the workbook' : `the sheet ${sheetName}`
    throw new TroupeError('document_unreadable', `the table is empty: ${which} has content`)
  }
  const rows = sheet.rows.filter(hasContent)
  const width = Math.max(...rows.slice(0, 50).map((row) => row.findLastIndex((cell) => !isBlank(cell)) + 1))
  if (width > TABLE_LIMITS.columns) {
    throw new TroupeError(
      'limit_exceeded',
      `sheet ${sheet.name} has ${width} columns; the limit is ${TABLE_LIMITS.columns}`,
    )
  }
  const [header = [], ...body] = rows
  return {
    header: Array.from({ length: width }, (_, index) => String(toCell(header[index]) ?? '')),
    rows: body.map((row) => Array.from({ length: width }, (_, index) => toCell(row[index]))),
    issues: [],
  }
}

/** Unpacked bytes live outside the thread's memory limit, so what the archive announces is judged before it is unpacked. */
function refuseBomb(bytes: Uint8Array): void {
  let unpacked = 0
  for (const entry of openArchive(bytes).entries.values()) {
    unpacked += entry.size
    if (!isBomb(entry)) continue
    throw new TroupeError(
      'limit_exceeded',
      `${entry.name} of the workbook would unpack to ${entry.size} bytes: refused`,
    )
  }
  if (unpacked > MOST_UNPACKED) {
    throw new TroupeError(
      'limit_exceeded',
      `the workbook would unpack to ${unpacked} bytes; the limit is ${MOST_UNPACKED}`,
    )
  }
}

function hasContent(row: CellValue[]): boolean {
  return row.some((cell) => !isBlank(cell))
}

function isBlank(cell: CellValue | undefined): boolean {
  return cell === null || cell === undefined || cell === ''
}

function toCell(cell: CellValue | undefined): Cell {
  if (cell === null || cell === undefined) return null
  if (!(cell instanceof Date)) return cell
  if (Number.isNaN(cell.getTime())) return null
  const text = cell.toISOString().slice(0, 19).replace('T', ' ')
  return text.endsWith(' 00:00:00') ? text.slice(0, 10) : text
}
