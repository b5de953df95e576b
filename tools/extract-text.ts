// extract-text: any office file to text, pages, structure, tables, metadata and attachments.
// A thread reads the file (documents/); pages that are only pictures then go through the OCR lane, one by one.
import { defineTool, TroupeError } from '@troupe/sdk'
import { z } from 'zod'
import { documentPool } from './document-pool.ts'
import { type ExtractedDocument, extractedDocument, LIMITS, type Scan } from './documents/document.ts'
import type { Recognised } from './documents/ocr.ts'

export type { ExtractedDocument } from './documents/document.ts'

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'must be a Uint8Array')

const input = z.object({
  bytes: bytes.describe('The file'),
  name: z.string().max(1_024).optional().describe('Its name; used to tell kinds of text apart'),
  mime: z.string().max(256).optional(),
  password: z.string().max(256).optional().describe('Opens an encrypted PDF'),
  ocr: z.boolean().default(true).describe('Read pictures and scanned pages'),
})

const TIME = { read: 60_000, page: 60_000 }

export const extractText = defineTool({
  name: 'extract-text',
  description:
    'Reads a document (PDF, Word, Excel, PowerPoint, OpenDocument, HTML, CSV, Markdown, e-mail, RTF, images, plain text ' +
    'in any encoding) and returns its text with pages, headings, lists, tables, metadata and attachments.',
  input,
  output: extractedDocument,
  limits: { time: 600_000 },
  async run({ ocr, ...file }, { signal }): Promise<ExtractedDocument> {
    if (file.bytes.length > LIMITS.fileBytes) {
      const message = `The file has ${file.bytes.length} bytes; at most ${LIMITS.fileBytes} are read`
      throw new TroupeError('limit_exceeded', message)
    }
    const read = await documentPool('read').run('extract-text', file, { signal, time: TIME.read })
    const { document, scans } = read as { document: ExtractedDocument; scans: Scan[] }
    if (scans.length === 0) return document
    if (ocr) return await addScans(document, scans, signal)
    return {
      ...document,
      warnings: [...document.warnings, { kind: 'ocr', message: 'Pictures were not read: OCR is off' }],
    }
  },
})

async function addScans(document: ExtractedDocument, scans: Scan[], signal: AbortSignal): Promise<ExtractedDocument> {
  const found = new Map<number, Recognised>()
  const warnings = [...document.warnings]
  for (const { page, image } of scans) {
    try {
      const options = { signal, time: TIME.page, transfer: image.buffer instanceof ArrayBuffer ? [image.buffer] : [] }
      found.set(page, (await documentPool('ocr').run('ocr', { image }, options)) as Recognised)
    } catch (error) {
      if (signal.aborted) throw error
      const reason = error instanceof Error ? error.message : String(error)
      warnings.push({ kind: 'ocr', message: `Page ${page} could not be recognised: ${reason}` })
    }
  }
  const merged = mergePages(document, found)
  const confidences = [...found.values()].map((one) => one.confidence)
  const confidence = confidences.length === 0 ? 0 : confidences.reduce((sum, one) => sum + one, 0) / confidences.length
  if (confidence < 0.6)
    warnings.push({ kind: 'ocr', message: 'The pictures are hard to read; their text may be wrong' })
  return { ...merged, warnings, ocr: { pages: [...found.keys()], confidence } }
}

/** What was recognised follows what its page already had; everything behind it moves. */
function mergePages(document: ExtractedDocument, found: Map<number, Recognised>): ExtractedDocument {
  let shift = 0
  const moves: { from: number; by: number }[] = []
  const pages = document.pages.map((page) => {
    const start = page.start + shift
    const recognised = found.get(page.number)?.text.trim()
    const text = recognised ? `${page.text}${recognised}\n` : page.text
    shift += text.length - page.text.length
    moves.push({ from: page.start + page.text.length, by: shift })
    return { ...page, start, text }
  })
  const moved = (offset: number) => offset + (moves.findLast((move) => move.from <= offset)?.by ?? 0)
  const { headings, lists, links } = document.structure
  return {
    ...document,
    text: pages.map((page) => page.text).join(''),
    pages,
    structure: {
      headings: headings.map((one) => ({ ...one, offset: moved(one.offset) })),
      lists: lists.map((one) => ({ ...one, offset: moved(one.offset) })),
      links,
    },
    attachments: document.attachments.map((one) =>
      one.start === undefined || one.end === undefined ? one : { ...one, start: moved(one.start), end: moved(one.end) },
    ),
  }
}
