// Where table and text come from. Both are read again for each step: a step's result is recorded, a file is not.
import type { StepContext } from '@troupe/sdk'
import { extractText } from '@troupe/tools/extract-text'
import type { TableSource } from '@troupe/tools/tables/source'
import { z } from 'zod'

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()])

export const dataset = z
  .object({
    documentId: z.string().optional().describe('A stored document: CSV, XLSX, JSON or Parquet'),
    text: z.string().max(1_000_000).optional().describe('A small CSV or JSON as it is'),
    rows: z.array(z.record(z.string(), cell)).max(20_000).optional(),
    format: z.enum(['csv', 'xlsx', 'json', 'ndjson', 'parquet']).optional(),
    sheet: z.string().optional(),
  })
  .refine((source) => [source.documentId, source.text, source.rows].filter((part) => part !== undefined).length === 1, {
    message: 'give exactly one of documentId, text and rows',
  })
export type Dataset = z.infer<typeof dataset>

export const document = z
  .object({ documentId: z.string().optional(), text: z.string().max(1_000_000).optional() })
  .refine((source) => (source.documentId === undefined) !== (source.text === undefined), {
    message: 'give exactly one of documentId and text',
  })
export type Document = z.infer<typeof document>

export async function tableOf(
  { documentId, text, rows, format, sheet }: Dataset,
  name: string,
  ctx: StepContext,
): Promise<TableSource> {
  const options = { name, ...(format === undefined ? {} : { format }), ...(sheet === undefined ? {} : { sheet }) }
  if (documentId === undefined) return { ...options, ...(text === undefined ? { rows: rows ?? [] } : { text }) }
  const content = await ctx.documents.read(documentId)
  return { ...options, base64: Buffer.from(content).toString('base64') }
}

export async function textOf(
  { documentId, text }: Document,
  ctx: StepContext,
): Promise<{ text: string; warnings: string[] }> {
  if (documentId === undefined) return { text: text ?? '', warnings: [] }
  const { name, mime } = await ctx.documents.info(documentId)
  const extracted = await ctx.tool(extractText, { bytes: await ctx.documents.read(documentId), name, mime })
  return { text: extracted.text, warnings: extracted.warnings.map((warning) => warning.message) }
}
