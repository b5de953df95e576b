// What a caller names as a dataset, and the table it becomes: a stored document, text, rows, or a query on a database
// that the operator named. Agents read a table again for each step, because a step's result is recorded and a table is
// not; so the answer of a database, which may be another one a minute later, is stored as a document first.
import { type StepContext, TroupeError } from '@troupe/sdk'
import { z } from 'zod'
import { type TableSource, tableFormat } from './source.ts'

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()])

export const dataset = z
  .object({
    documentId: z.string().optional().describe('A stored document: CSV, XLSX, JSON, Parquet or SQLite'),
    text: z.string().max(1_000_000).optional().describe('A small CSV or JSON as it is'),
    rows: z.array(z.record(z.string(), cell)).max(20_000).optional(),
    source: z.string().max(64).optional().describe('A database by the name the operator gave it; needs sql'),
    sql: z.string().min(1).max(100_000).optional().describe('One SELECT, in the dialect of the source'),
    format: tableFormat.optional().describe('Guessed from the content when absent'),
    sheet: z.string().optional().describe('Which sheet of a workbook, or table of an SQLite file'),
  })
  .refine(({ documentId, text, rows, source }) => [documentId, text, rows, source].filter(isGiven).length === 1, {
    message: 'give exactly one of documentId, text, rows and source',
  })
  .refine(({ source, sql }) => isGiven(source) === isGiven(sql), { message: 'source and sql belong together' })
export type Dataset = z.infer<typeof dataset>

/** Where a stored dataset came from. */
export const origin = z.object({
  source: z.string(),
  sql: z.string(),
  rows: z.int(),
  documentId: z.string().describe('What the source answered; every other SQL here runs over it'),
})
export type Origin = z.infer<typeof origin>

/** Runs the query of a dataset that has one, and stores what it answers. */
export async function fetchDataset(
  { source, sql }: Dataset,
  ctx: Pick<StepContext, 'sources' | 'documents'>,
): Promise<{ dataset: Dataset; origin: Origin }> {
  if (source === undefined || sql === undefined) throw new TroupeError('internal', 'this dataset has no source')
  const { columns, rows } = await ctx.sources.query(source, sql)
  if (rows.length === 0) throw new TroupeError('document_unreadable', `the query on ${source} answers no rows`)
  // The first line has every column in the order of the query, also those that are null throughout.
  const lines = rows.map((row) => JSON.stringify(Object.fromEntries(columns.map((name) => [name, row[name] ?? null]))))
  const content = new TextEncoder().encode(`${lines.join('\n')}\n`)
  const { id } = await ctx.documents.put({ name: `${source}.ndjson`, mime: 'application/x-ndjson', content })
  return {
    dataset: { documentId: id, format: 'ndjson' },
    origin: { source, sql, rows: rows.length, documentId: id },
  }
}

export async function tableOf(
  { documentId, text, rows, format, sheet }: Dataset,
  name: string,
  ctx: Pick<StepContext, 'documents'>,
): Promise<TableSource> {
  const options = { name, ...(format === undefined ? {} : { format }), ...(sheet === undefined ? {} : { sheet }) }
  if (documentId === undefined) return { ...options, ...(text === undefined ? { rows: rows ?? [] } : { text }) }
  const content = await ctx.documents.read(documentId)
  return { ...options, base64: Buffer.from(content).toString('base64') }
}

function isGiven(value: unknown): boolean {
  return value !== undefined
}
