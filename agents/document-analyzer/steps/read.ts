// Reads the document and puts its whole text, and its tables where they are large, into the document store.
import { type StepContext, step } from '@troupe/sdk'
import { type ExtractedDocument, extractText } from '@troupe/tools/extract-text'
import { findFields } from '@troupe/tools/texts/fields'
import type { AnalysisWarning, Input, ReadDocument } from '../shapes.ts'
import { pageOf } from './stored-text.ts'

/** What of a long document stands in the output; the rest is in the stored text and tables. */
const SHOWN = {
  headings: 300,
  lists: 50,
  items: 100,
  links: 200,
  attachments: 100,
  fields: 60,
  tables: 20,
  rows: 50,
  columns: 60,
  cell: 500,
}

export const readTheDocument = step(
  async ({ input, ctx }: { input: Input; ctx: StepContext }) => {
    const file = await openFile(input, ctx)
    ctx.progress({ fraction: 0.1, message: `Reading ${file.name ?? 'the document'}` })
    const extracted = await ctx.tool(extractText, {
      bytes: file.bytes,
      name: file.name,
      mime: file.mime,
      ocr: input.ocr,
      ...(input.password === undefined ? {} : { password: input.password }),
    })
    const warnings: AnalysisWarning[] = [...extracted.warnings]
    const document = describe(extracted, file)
    if (extracted.text.trim() !== '') {
      const base = (file.name ?? 'document').slice(0, 200)
      document.textDocument = await store(ctx, `${base}.extracted.txt`, 'text/plain; charset=utf-8', extracted.text)
      if (shownTables(extracted.tables).cut) {
        document.tablesDocument = await store(
          ctx,
          `${base}.tables.json`,
          'application/json',
          JSON.stringify(extracted.tables),
        )
        warnings.push({
          kind: 'truncated',
          message: 'The output holds the beginnings of the tables; tablesDocument has them all',
        })
      }
    }
    return { document, warnings }
  },
  // OCR of thirty pages takes minutes on a slow machine.
  { timeout: 900_000, retries: 1 },
)

interface OpenedFile {
  id?: string
  url?: string
  name?: string
  mime?: string
  bytes: Uint8Array
}

async function openFile({ document }: Input, ctx: StepContext): Promise<OpenedFile> {
  if (document === undefined) throw new Error('The machine reads only when there is a document')
  if ('id' in document) {
    const { name, mime } = await ctx.documents.info(document.id)
    return { id: document.id, name, mime, bytes: await ctx.documents.read(document.id) }
  }
  if ('url' in document) {
    const { url, name, mime, content } = await ctx.web.read(document.url)
    // An address shows something else tomorrow; what was read stays.
    const { id } = await ctx.documents.put({ name, mime, content })
    return { id, url, name, mime, bytes: content }
  }
  const bytes = new TextEncoder().encode(document.text)
  return document.name === undefined ? { bytes } : { name: document.name, bytes }
}

async function store(ctx: StepContext, name: string, mime: string, text: string): Promise<string> {
  return (await ctx.documents.put({ name, mime, content: new TextEncoder().encode(text) })).id
}

function describe(extracted: ExtractedDocument, file: OpenedFile): ReadDocument {
  const { headings, lists, links } = extracted.structure
  const pageStarts = extracted.pages.map((page) => page.start)
  return {
    ...(file.id === undefined ? {} : { id: file.id }),
    ...(file.url === undefined ? {} : { url: file.url }),
    ...(file.name === undefined ? {} : { name: file.name }),
    format: extracted.format,
    mime: extracted.mime,
    pages: extracted.pageCount,
    characters: extracted.text.length,
    encrypted: extracted.encrypted,
    ...(extracted.encoding === undefined ? {} : { encoding: extracted.encoding }),
    ...(extracted.ocr === undefined ? {} : { ocr: extracted.ocr }),
    metadata: extracted.metadata,
    structure: {
      headings: headings.slice(0, SHOWN.headings),
      lists: lists.slice(0, SHOWN.lists).map((list) => ({ ...list, items: list.items.slice(0, SHOWN.items) })),
      links: links.slice(0, SHOWN.links),
    },
    fields: findFields(extracted.text, SHOWN.fields).map((field) => ({
      ...field,
      page: pageOf(field.start, pageStarts),
    })),
    tables: shownTables(extracted.tables).tables,
    attachments: extracted.attachments.slice(0, SHOWN.attachments),
    pageStarts,
  }
}

type Tables = ExtractedDocument['tables']

function shownTables(all: Tables): { tables: ReadDocument['tables']; cut: boolean } {
  let cut = all.length > SHOWN.tables
  const tables = all.slice(0, SHOWN.tables).map((one) => {
    cut ||= one.rows.length > SHOWN.rows || one.header.length > SHOWN.columns
    const rows = one.rows.slice(0, SHOWN.rows).map((row) =>
      row.slice(0, SHOWN.columns).map((value) => {
        if (typeof value !== 'string' || value.length <= SHOWN.cell) return value
        cut = true
        return `${value.slice(0, SHOWN.cell)}…`
      }),
    )
    return { ...one, header: one.header.slice(0, SHOWN.columns), columnCount: one.header.length, rows }
  })
  return { tables, cut }
}
