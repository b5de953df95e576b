// Old Excel (.xls), binary Excel (.xlsb) and OpenDocument sheets (.ods), read by hucre under the same limits.
import { TroupeError } from '@troupe/sdk'
import { readOds } from 'hucre/ods'
import { readXls, readXlsb } from 'hucre/xlsx'
import { type Cell, type ExtractedDocument, LIMITS } from './document.ts'
import { createWriter } from './writer.ts'

const KINDS = {
  xls: { read: readXls, mime: 'application/vnd.ms-excel' },
  xlsb: { read: readXlsb, mime: 'application/vnd.ms-excel.sheet.binary.macroenabled.12' },
  ods: { read: readOds, mime: 'application/vnd.oasis.opendocument.spreadsheet' },
} as const

export async function readSpreadsheet(bytes: Uint8Array, kind: keyof typeof KINDS): Promise<ExtractedDocument> {
  const writer = createWriter()
  const { read, mime } = KINDS[kind]
  let workbook: Awaited<ReturnType<typeof read>>
  try {
    workbook = await read(bytes)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (/password|encrypt/i.test(message)) {
      writer.warn('encrypted', 'The workbook is encrypted; its content cannot be read without the password')
      return writer.finish({ format: kind, mime, encrypted: true })
    }
    throw new TroupeError('document_unreadable', `The .${kind} file could not be read: ${message}`, { cause: error })
  }
  workbook.sheets.slice(0, LIMITS.tables).forEach((sheet, index) => {
    if (index > 0) writer.pageBreak()
    writer.heading(1, sheet.name)
    const rows = sheet.rows.map((row) => row.map(plainCell))
    writer.table(
      rows.filter((row) => row.some((value) => value !== null)),
      { name: sheet.name },
    )
  })
  return writer.finish({ format: kind, mime })
}

function plainCell(value: unknown): Cell {
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (value instanceof Date) {
    const iso = Number.isNaN(value.getTime()) ? '' : value.toISOString()
    return iso.endsWith('T00:00:00.000Z') ? iso.slice(0, 10) : iso.slice(0, 19)
  }
  return String(value)
}
