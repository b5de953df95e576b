// What a caller may send as a table. Text and base64 rather than bytes, so that an LLM and HTTP can send it too.
import { TroupeError } from '@troupe/sdk'
import { z } from 'zod'

export const TABLE_LIMITS = {
  bytes: 64 * 1024 * 1024,
  columns: 2_000,
  cells: 20_000_000,
  tables: 16,
  /** Issues listed one by one; the rest is only counted. */
  issues: 1_000,
} as const

export const tableFormat = z.enum(['csv', 'xlsx', 'json', 'ndjson', 'parquet', 'sqlite'])
export type TableFormat = z.infer<typeof tableFormat>

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()])

export const tableSource = z
  .object({
    name: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'a table name is letters, digits and underscores')
      .default('data')
      .describe('The name SQL uses for this table'),
    format: tableFormat.optional().describe('Guessed from the content when absent'),
    text: z.string().optional().describe('The file as text: CSV, JSON or NDJSON'),
    base64: z.string().optional().describe('The file as base64: XLSX, Parquet, SQLite, or text in any encoding'),
    rows: z.array(z.record(z.string(), cell)).optional().describe('The rows themselves'),
    sheet: z
      .string()
      .optional()
      .describe('Which sheet of a workbook (absent: the first with content), or table of an SQLite file'),
    header: z.boolean().optional().describe('Whether the first row names the columns; guessed when absent'),
  })
  .refine((source) => [source.text, source.base64, source.rows].filter((part) => part !== undefined).length === 1, {
    message: 'give exactly one of text, base64 and rows',
  })
export type TableSource = z.input<typeof tableSource>

export const tableSources = z.array(tableSource).min(1).max(TABLE_LIMITS.tables)

/** The bytes or text of a source, after the size limit; rows have neither. */
export function sourceContent(source: TableSource): Uint8Array | string | undefined {
  const name = source.name ?? 'data'
  const size = source.text?.length ?? Math.ceil(((source.base64?.length ?? 0) * 3) / 4)
  if (size > TABLE_LIMITS.bytes) {
    throw new TroupeError('limit_exceeded', `table ${name} has ${size} bytes; the limit is ${TABLE_LIMITS.bytes}`)
  }
  return source.base64 === undefined ? source.text : new Uint8Array(Buffer.from(source.base64, 'base64'))
}

const ZIP = [0x50, 0x4b, 0x03, 0x04]
const PARQUET = [0x50, 0x41, 0x52, 0x31]
/** "SQLite f" */
const SQLITE = [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20, 0x66]

export function guessFormat(content: Uint8Array | string): TableFormat {
  if (typeof content !== 'string') {
    if (ZIP.every((byte, index) => content[index] === byte)) return 'xlsx'
    if (PARQUET.every((byte, index) => content[index] === byte)) return 'parquet'
    if (SQLITE.every((byte, index) => content[index] === byte)) return 'sqlite'
  }
  const start = (typeof content === 'string' ? content.slice(0, 256) : Buffer.from(content.subarray(0, 256)).toString())
    .replace(/^\uFEFF/, '')
    .trimStart()
  if (start.startsWith('[')) return 'json'
  // One object to a line is NDJSON; one object over many lines is JSON.
  if (start.startsWith('{')) return /^\{.*\}\s*(\r?\n|$)/.test(start) || start.length >= 200 ? 'ndjson' : 'json'
  return 'csv'
}
