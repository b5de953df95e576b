// What every reader makes of a file. The text is one string; pages, headings and (later) entities point into it by
// offset, so that whatever is said about a document can be shown in it.
//   read-document.ts   detects the format and picks the reader; what the thread calls
//   thread.ts          the thread's jobs
//   writer.ts          how readers build this shape within the limits
//   detect-format.ts   what a file is, whatever its name says
//   archive.ts         zip without bombs          xml.ts       XML without entities
//   encoding.ts        bytes to text              image-size.ts  pixels before they are decoded
//   pdf.ts  docx.ts  xlsx.ts  spreadsheet.ts  pptx.ts  open-document.ts  html.ts  csv.ts  markdown.ts  email.ts  plain.ts
//   ocr.ts             text from pixels
import { z } from 'zod'

export const cell = z.union([z.string(), z.number(), z.boolean(), z.null()])
export type Cell = z.infer<typeof cell>

export const table = z.object({
  name: z.string().optional(),
  page: z.number().int(),
  header: z.array(z.string()),
  rows: z.array(z.array(cell)),
  /** How many rows the document has; `rows` may hold fewer, and a warning then says so. */
  rowCount: z.number().int(),
})
export type Table = z.infer<typeof table>

export const warning = z.object({
  kind: z.enum([
    'encrypted',
    'mislabelled',
    'truncated',
    'damaged',
    'ragged_rows',
    'mixed_encodings',
    'undecodable_text',
    'xml_entities',
    'suspicious_archive',
    'unsupported_part',
    'no_text',
    'ocr',
  ]),
  message: z.string(),
})
export type Warning = z.infer<typeof warning>

export const attachment = z.object({
  name: z.string(),
  mime: z.string().optional(),
  size: z.number().int(),
  /** Where its text stands in the whole text, if it could be read. */
  start: z.number().int().optional(),
  end: z.number().int().optional(),
  /** Why its text is not here. */
  problem: z.string().optional(),
})
export type Attachment = z.infer<typeof attachment>

export const extractedDocument = z.object({
  format: z.string(),
  mime: z.string(),
  text: z.string(),
  pageCount: z.number().int(),
  pages: z.array(z.object({ number: z.number().int(), start: z.number().int(), text: z.string() })),
  structure: z.object({
    headings: z.array(z.object({ level: z.number().int(), text: z.string(), offset: z.number().int() })),
    lists: z.array(z.object({ ordered: z.boolean(), items: z.array(z.string()), offset: z.number().int() })),
    links: z.array(z.string()),
  }),
  tables: z.array(table),
  metadata: z.record(z.string(), z.string()),
  attachments: z.array(attachment),
  encrypted: z.boolean(),
  encoding: z.string().optional(),
  ocr: z.object({ pages: z.array(z.number().int()), confidence: z.number() }).optional(),
  warnings: z.array(warning),
})
export type ExtractedDocument = z.infer<typeof extractedDocument>

/** A picture that may hold text; the OCR lane reads it after the thread is free for the next document. */
export interface Scan {
  page: number
  image: Uint8Array
}

export interface FileInput {
  bytes: Uint8Array
  name?: string | undefined
  mime?: string | undefined
  password?: string | undefined
}

/** Each limit protects the host from one kind of file; the reason stands beside it. */
export const LIMITS = {
  /** A file is held in memory at least twice. */
  fileBytes: 100 * 1024 * 1024,
  /** Longer texts stall whoever handles them; about 2,500 pages. */
  textLength: 8_000_000,
  /** Cells cross threads one by one: 100,000 take the event loop some 15 ms. */
  tableCells: 100_000,
  tables: 500,
  /** Excel's own limit. */
  columns: 16_384,
  headings: 5_000,
  links: 2_000,
  pages: 5_000,
  attachments: 200,
  /** Attachments of attachments of attachments. */
  depth: 3,
  /** Pages read by OCR at about two seconds each. */
  scannedPages: 30,
  /** Pixels of one picture; a decoded one takes four bytes each. */
  pixels: 60_000_000,
  archiveEntries: 20_000,
  /** Unpacked bytes of one entry, and of all together. */
  entryBytes: 128 * 1024 * 1024,
  archiveBytes: 256 * 1024 * 1024,
  /** XML nesting; office files stay under 100. */
  xmlDepth: 512,
} as const
