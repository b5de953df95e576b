// Where a text comes from. It is read again for each step: a step's result is recorded, a file is not.
import type { StepContext } from '@troupe/sdk'
import { extractText } from '@troupe/tools/extract-text'
import { z } from 'zod'

export const document = z
  .object({ documentId: z.string().optional(), text: z.string().max(1_000_000).optional() })
  .refine((source) => (source.documentId === undefined) !== (source.text === undefined), {
    message: 'give exactly one of documentId and text',
  })
export type Document = z.infer<typeof document>

export async function textOf(
  { documentId, text }: Document,
  ctx: StepContext,
): Promise<{ text: string; warnings: string[] }> {
  if (documentId === undefined) return { text: text ?? '', warnings: [] }
  const { name, mime } = await ctx.documents.info(documentId)
  const extracted = await ctx.tool(extractText, { bytes: await ctx.documents.read(documentId), name, mime })
  return { text: extracted.text, warnings: extracted.warnings.map((warning) => warning.message) }
}
