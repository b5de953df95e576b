// Readers write a document from top to bottom; the writer keeps offsets, pages and limits, so that no reader can
// forget one. What goes over a limit is left out and said so, once for each limit.
import {
  type Attachment,
  type Cell,
  type ExtractedDocument,
  LIMITS,
  type Scan,
  type Table,
  type Warning,
} from './document.ts'

export interface DocumentWriter {
  readonly length: number
  readonly page: number
  readonly scans: Scan[]
  /** Text as it is. */
  raw(text: string): void
  paragraph(text: string): void
  heading(level: number, text: string): void
  listItem(text: string, options: { ordered: boolean; depth: number }): void
  /** Records the table as data and writes its cells, tab-separated, into the text (unless the text has them already). */
  table(rows: readonly (readonly Cell[])[], options?: TableOptions): void
  link(target: string): void
  /** Ends a page: what follows is on the next one. */
  pageBreak(): void
  attach(attachment: Attachment): void
  meta(key: string, value: string | null | undefined): void
  warn(kind: Warning['kind'], message: string): void
  readonly full: boolean
  finish(kind: { format: string; mime: string; encoding?: string | undefined; encrypted?: boolean }): ExtractedDocument
}

export interface TableOptions {
  name?: string
  /** false: the first row is data already; columns are then called A, B, C … */
  header?: boolean
  /** Rows the source has, where the reader stopped early. */
  rowCount?: number
  text?: boolean
}

export function createWriter(): DocumentWriter {
  const chunks: string[] = []
  const starts = [0]
  const structure: ExtractedDocument['structure'] = { headings: [], lists: [], links: [] }
  const links = new Set<string>()
  const tables: Table[] = []
  const attachments: Attachment[] = []
  const metadata: Record<string, string> = {}
  const warnings: Warning[] = []
  const scans: Scan[] = []
  let length = 0
  let cells = 0
  let full = false
  let listEnd = -1

  function raw(text: string): void {
    if (full || text === '') return
    let kept = text
    if (length + text.length > LIMITS.textLength) {
      full = true
      kept = text.slice(0, LIMITS.textLength - length)
      warn('truncated', `The text is longer than ${LIMITS.textLength} characters; the rest was left out`)
    }
    chunks.push(kept)
    length += kept.length
  }

  function warn(kind: Warning['kind'], message: string): void {
    if (warnings.length < 100 && !warnings.some((one) => one.message === message)) warnings.push({ kind, message })
  }

  return {
    get length() {
      return length
    },
    get page() {
      return starts.length
    },
    get full() {
      return full
    },
    scans,
    raw,
    warn,
    paragraph(text) {
      const trimmed = text.trim()
      if (trimmed !== '') raw(`${trimmed}\n`)
    },
    heading(level, text) {
      const trimmed = text.trim()
      if (trimmed === '' || full) return
      if (structure.headings.length < LIMITS.headings) {
        structure.headings.push({ level, text: trimmed, offset: length })
      } else warn('truncated', `More than ${LIMITS.headings} headings; the rest is only in the text`)
      raw(`${trimmed}\n`)
    },
    listItem(text, { ordered, depth }) {
      const trimmed = text.trim()
      if (trimmed === '' || full) return
      const last = structure.lists.at(-1)
      if (last !== undefined && listEnd === length) last.items.push(trimmed)
      else if (structure.lists.length < LIMITS.headings) {
        structure.lists.push({ ordered, items: [trimmed], offset: length })
      }
      raw(`${'  '.repeat(Math.min(depth, 8))}${ordered ? '' : '• '}${trimmed}\n`)
      listEnd = length
    },
    table(rows, options = {}) {
      if (options.text !== false) for (const row of rows) raw(`${row.map(cellText).join('\t')}\n`)
      if (rows.length === 0) return
      if (tables.length >= LIMITS.tables) return warn('truncated', `More than ${LIMITS.tables} tables`)
      const first = rows[0]!
      const header = options.header === false ? first.map((_, index) => columnName(index)) : first.map(cellText)
      const data = options.header === false ? rows : rows.slice(1)
      const kept: Cell[][] = []
      for (const row of data) {
        if (cells + row.length > LIMITS.tableCells) break
        cells += row.length
        kept.push([...row])
      }
      const rowCount = options.rowCount ?? data.length
      if (kept.length < rowCount) {
        const which = options.name === undefined ? `Table ${tables.length + 1}` : `Table “${options.name}”`
        warn('truncated', `${which} has ${rowCount} rows; ${kept.length} of them are given as data`)
      }
      const made: Table = { page: starts.length, header, rows: kept, rowCount }
      if (options.name !== undefined) made.name = options.name
      tables.push(made)
    },
    link(target) {
      if (links.size < LIMITS.links && target.length <= 2_048) links.add(target)
    },
    pageBreak() {
      if (starts.length >= LIMITS.pages) return warn('truncated', `More than ${LIMITS.pages} pages`)
      if (length > starts.at(-1)! && !chunks.at(-1)!.endsWith('\n')) raw('\n')
      starts.push(length)
    },
    attach(attachment) {
      if (attachments.length < LIMITS.attachments) attachments.push(attachment)
      else warn('truncated', `More than ${LIMITS.attachments} attachments`)
    },
    meta(key, value) {
      const text = value?.trim()
      if (text !== undefined && text !== '' && Object.keys(metadata).length < 200) metadata[key] = text.slice(0, 4_000)
    },
    finish({ format, mime, encoding, encrypted = false }) {
      const text = chunks.join('')
      const pages = starts.map((start, index) => ({
        number: index + 1,
        start,
        text: text.slice(start, starts[index + 1] ?? text.length),
      }))
      structure.links = [...links]
      const document: ExtractedDocument = {
        format,
        mime,
        text,
        pageCount: pages.length,
        pages,
        structure,
        tables,
        metadata,
        attachments,
        encrypted,
        warnings,
      }
      if (encoding !== undefined) document.encoding = encoding
      return document
    },
  }
}

export function cellText(value: Cell): string {
  return value === null ? '' : String(value)
}

/** 0 → A, 25 → Z, 26 → AA: what a spreadsheet calls a column without a name. */
export function columnName(index: number): string {
  let name = ''
  for (let rest = index + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    name = String.fromCharCode(65 + ((rest - 1) % 26)) + name
  }
  return name
}
