// HTML as a person would read it: no scripts, styles or hidden parts; headings, lists, tables and links kept.
// Nothing is fetched and nothing is run.
import { Parser } from 'htmlparser2'
import { type ExtractedDocument, LIMITS } from './document.ts'
import { createWriter, type DocumentWriter } from './writer.ts'

const SILENT = new Set([
  'script',
  'style',
  'template',
  'noscript',
  'svg',
  'math',
  'iframe',
  'object',
  'select',
  'textarea',
])
const BLOCK = new Set(
  (
    'address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption figure ' +
    'footer form header hr html main menu nav ol p pre section summary tbody tfoot thead title tr ul'
  ).split(' '),
)
const VOID = new Set([
  'area',
  'base',
  'br',
  'col',
  'embed',
  'hr',
  'img',
  'input',
  'link',
  'meta',
  'source',
  'track',
  'wbr',
])

interface OpenTable {
  rows: string[][]
  row: string[] | undefined
  cell: string | undefined
  span: number
}

export function readHtml(source: string, encoding: string): ExtractedDocument {
  const writer = createWriter()
  writeHtml(source, writer)
  return writer.finish({ format: 'html', mime: 'text/html', encoding })
}

export function writeHtml(source: string, writer: DocumentWriter): void {
  const tables: OpenTable[] = []
  const lists: { ordered: boolean }[] = []
  let silent = 0
  let line = ''
  let kind: { heading: number } | 'item' | 'title' | undefined
  let preformatted = 0

  const flush = () => {
    const text = preformatted > 0 ? line : line.replace(/[\s\u00a0]+/g, ' ').trim()
    line = ''
    const table = tables.at(-1)
    if (table?.cell !== undefined) {
      if (text !== '') table.cell += `${text}\n`
    } else if (kind === 'title') writer.meta('title', text)
    else if (kind === 'item')
      writer.listItem(text, { ordered: lists.at(-1)?.ordered ?? false, depth: lists.length - 1 })
    else if (kind !== undefined) writer.heading(kind.heading, text)
    else writer.paragraph(text)
  }
  const endCell = (table: OpenTable) => {
    if (table.cell === undefined) return
    flush()
    table.row ??= []
    table.row.push(table.cell.trim())
    for (let extra = 1; extra < table.span; extra++) table.row.push('')
    table.cell = undefined
  }
  const endRow = (table: OpenTable) => {
    endCell(table)
    if (table.row !== undefined && table.row.length > 0) table.rows.push(table.row)
    table.row = undefined
  }

  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (silent > 0 || SILENT.has(name) || isHidden(attributes)) {
          if (!VOID.has(name)) silent += 1
          return
        }
        const table = tables.at(-1)
        if (name === 'meta') readMeta(attributes, writer)
        else if (name === 'html' && attributes['lang'] !== undefined) writer.meta('language', attributes['lang'])
        else if (name === 'a' && /^(https?|mailto|tel):/i.test(attributes['href'] ?? ''))
          writer.link(attributes['href']!)
        else if (name === 'img' && attributes['alt']) line += ` ${attributes['alt']} `
        else if (name === 'table' && tables.length < LIMITS.depth * 4) {
          flush()
          kind = undefined
          tables.push({ rows: [], row: undefined, cell: undefined, span: 1 })
        } else if (name === 'tr' && table !== undefined) endRow(table)
        else if ((name === 'td' || name === 'th') && table !== undefined) {
          endCell(table)
          line = ''
          table.cell = ''
          table.span = Math.min(100, Math.max(1, Number(attributes['colspan']) || 1))
        } else if (/^h[1-6]$/.test(name)) {
          flush()
          kind = { heading: Number(name[1]) }
        } else if (name === 'li') {
          flush()
          kind = 'item'
        } else if (name === 'title') {
          flush()
          kind = 'title'
        } else if (BLOCK.has(name)) {
          flush()
          if (name === 'ul' || name === 'ol') lists.push({ ordered: name === 'ol' })
          if (name === 'pre') preformatted += 1
        }
      },
      ontext(text) {
        if (silent === 0) line += text
      },
      onclosetag(name) {
        if (silent > 0) {
          if (!VOID.has(name)) silent -= 1
          return
        }
        const table = tables.at(-1)
        if (name === 'table' && table !== undefined) {
          endRow(table)
          tables.pop()
          const outer = tables.at(-1)
          // A table with one column or inside another is layout: its text counts, its grid does not.
          const isData = table.rows.length > 1 && table.rows.some((row) => row.length > 1)
          if (outer?.cell !== undefined) outer.cell += `${table.rows.map((row) => row.join(' ')).join('\n')}\n`
          else if (isData) writer.table(table.rows)
          else for (const row of table.rows) writer.paragraph(row.join('\n'))
          if (outer !== undefined && isData) writer.table(table.rows, { text: false })
        } else if (name === 'tr' && table !== undefined) endRow(table)
        else if ((name === 'td' || name === 'th') && table !== undefined) endCell(table)
        else if (/^h[1-6]$/.test(name) || name === 'li' || name === 'title') {
          flush()
          kind = undefined
        } else if (BLOCK.has(name)) {
          flush()
          if (name === 'ul' || name === 'ol') lists.pop()
          if (name === 'pre') preformatted = Math.max(0, preformatted - 1)
        }
      },
    },
    { decodeEntities: true, lowerCaseTags: true },
  )
  parser.write(source)
  parser.end()
  while (tables.length > 0) {
    const table = tables.pop()!
    endRow(table)
    writer.table(table.rows)
  }
  flush()
}

function isHidden(attributes: Record<string, string>): boolean {
  return 'hidden' in attributes || /display\s*:\s*none|visibility\s*:\s*hidden/i.test(attributes['style'] ?? '')
}

const META: Record<string, string> = {
  author: 'author',
  description: 'description',
  keywords: 'keywords',
  date: 'created',
  'article:published_time': 'created',
  'dc.creator': 'author',
  'dc.date': 'created',
  generator: 'producer',
}

function readMeta(attributes: Record<string, string>, writer: DocumentWriter): void {
  const name = (attributes['name'] ?? attributes['property'] ?? '').toLowerCase()
  if (Object.hasOwn(META, name)) writer.meta(META[name]!, attributes['content'])
}

/** The encoding an HTML file declares in its first kilobyte. */
export function declaredCharset(bytes: Uint8Array): string | undefined {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 1024))
  return /<meta[^>]+charset\s*=\s*["']?([\w-]+)/i.exec(head)?.[1] ?? /<\?xml[^>]+encoding=["']([\w-]+)/i.exec(head)?.[1]
}
