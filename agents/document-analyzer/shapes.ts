// What goes into the analyzer and what comes out.
import { attachment, table, warning } from '@troupe/tools/documents/document'
import { ENTITY_KINDS, entity } from '@troupe/tools/entities/entity'
import { z } from 'zod'

const document = z.union([
  z
    .object({ id: z.string().min(1) })
    .strict()
    .describe('A stored document'),
  z
    .object({ url: z.url({ protocol: /^https?$/ }).max(2_048) })
    .strict()
    .describe('An address that the operator allows documents to be read from'),
  z
    .object({ text: z.string().min(1).max(1_000_000), name: z.string().max(255).optional() })
    .strict()
    .describe('The text itself; a name such as "minutes.md" says what kind of text it is'),
])

export const input = z
  .object({
    document: document.optional().describe('What to read; absent, the question is asked of the collection'),
    question: z.string().min(1).max(4_000).optional(),
    collection: z.string().min(1).max(128).optional().describe('Indexes the document here, or answers from here'),
    password: z.string().max(256).optional().describe('Opens an encrypted PDF'),
    ocr: z.boolean().default(true).describe('Read pictures and scanned pages'),
    dayFirst: z.boolean().optional().describe('Reads 03/04/2025 as 3 April'),
    entities: z.array(z.enum(ENTITY_KINDS)).optional().describe('Only these kinds; all when absent'),
    summarySentences: z.number().int().min(1).max(20).default(5),
  })
  .refine((given) => given.document !== undefined || (given.question !== undefined && given.collection !== undefined), {
    message: 'give a document, or a question and the collection to ask',
  })
export type Input = z.infer<typeof input>

const offsets = { start: z.number().int(), end: z.number().int(), page: z.number().int().optional() }

/** What reading a document leaves behind: small facts here, its whole text and tables in the document store. */
export const readDocument = z.object({
  id: z.string().optional().describe('The stored document that was read; what came from an address was stored first'),
  url: z.string().optional().describe('Where it was found, after redirects'),
  name: z.string().optional(),
  format: z.string(),
  mime: z.string(),
  pages: z.number().int(),
  characters: z.number().int(),
  encrypted: z.boolean(),
  encoding: z.string().optional(),
  textDocument: z.string().optional().describe('The id of the whole text; all offsets point into it'),
  tablesDocument: z
    .string()
    .optional()
    .describe('The id of all tables as JSON, where the output holds only their beginnings'),
  metadata: z.record(z.string(), z.string()),
  structure: z.object({
    headings: z.array(z.object({ level: z.number().int(), text: z.string(), offset: z.number().int() })),
    lists: z.array(z.object({ ordered: z.boolean(), items: z.array(z.string()), offset: z.number().int() })),
    links: z.array(z.string()),
  }),
  fields: z
    .array(z.object({ label: z.string(), value: z.string(), ...offsets }))
    .describe('What a form says line by line, such as "Total due: 12.50"'),
  tables: z.array(
    table.extend({ columnCount: z.number().int().describe('How many columns it has; `header` may hold fewer') }),
  ),
  attachments: z.array(attachment),
  pageStarts: z.array(z.number().int()),
  ocr: z.object({ pages: z.array(z.number().int()), confidence: z.number() }).optional(),
})
export type ReadDocument = z.infer<typeof readDocument>

export const language = z.object({ code: z.string(), confidence: z.number() })
export type Language = z.infer<typeof language>

export const documentType = z.object({
  label: z.string().describe('"unknown" when the model is not sure enough, or absent; "table" for rows of data'),
  confidence: z.number(),
  alternatives: z.array(z.object({ label: z.string(), confidence: z.number() })),
})
export type DocumentType = z.infer<typeof documentType>

export const keyPhrase = z.object({ text: z.string(), score: z.number(), count: z.number().int() })
export type KeyPhrase = z.infer<typeof keyPhrase>

export const summary = z.object({
  kind: z.enum(['extractive', 'abstractive', 'structural']).describe('structural: a table, told by its columns'),
  text: z.string(),
  /** Where each sentence comes from, or what bears it out. */
  citations: z.array(z.object({ text: z.string(), ...offsets })),
})
export type Summary = z.infer<typeof summary>

export const answer = z.object({
  kind: z.enum(['composed', 'passages', 'none']),
  text: z.string(),
  citations: z.array(z.object({ documentId: z.string().optional(), text: z.string(), ...offsets, score: z.number() })),
})
export type Answer = z.infer<typeof answer>

export const output = z.object({
  document: readDocument.omit({ pageStarts: true }).optional(),
  language: language.optional(),
  type: documentType.optional(),
  entities: z.array(entity),
  keyPhrases: z.array(keyPhrase),
  summary: summary.optional(),
  indexed: z.object({ collection: z.string(), passages: z.number().int() }).optional(),
  answer: answer.optional(),
  warnings: z.array(z.object({ kind: z.union([warning.shape.kind, z.literal('degraded')]), message: z.string() })),
})
export type Output = z.infer<typeof output>
export type AnalysisWarning = Output['warnings'][number]
