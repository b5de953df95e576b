// Word: paragraphs, headings by style or outline level, lists, tables, headers, footers, notes and comments, in the
// order a reader meets them. Deleted text (tracked changes) is left out, inserted text is kept.
import { TroupeError } from '@troupe/sdk'
import { type Archive, openArchive } from './archive.ts'
import type { ExtractedDocument } from './document.ts'
import { readStyles, type WordStyles } from './docx-styles.ts'
import { createWriter, type DocumentWriter } from './writer.ts'
import { attribute, parseRelationships, parseXml, readOfficeProperties } from './xml.ts'

interface Paragraph {
  text: string
  style: string | undefined
  outline: number | undefined
  numbering: string | undefined
  depth: number
}

interface OpenTable {
  rows: string[][]
  row: string[]
  cell: string
}

const PAGE = '\f'

export function readDocx(bytes: Uint8Array): ExtractedDocument {
  const archive = openArchive(bytes)
  const writer = createWriter()
  const packageRelations = parseRelationships(archive.text('_rels/.rels'), '')
  const main =
    [...packageRelations.values()].find((one) => one.type === 'officeDocument')?.target ?? 'word/document.xml'
  const source = archive.text(main)
  if (source === undefined) throw new TroupeError('document_unreadable', `The Word file has no ${main}`)
  const folder = main.split('/').slice(0, -1).join('/')
  const relations = parseRelationships(archive.text(`${folder}/_rels/${main.split('/').at(-1)}.rels`), folder)
  const styles = readStyles(archive.text(`${folder}/styles.xml`), archive.text(`${folder}/numbering.xml`))
  readOfficeProperties((name) => archive.text(name), writer)

  const sides = (type: string) => [...relations.values()].filter((one) => one.type === type)
  readParts(sides('header'), archive, styles, writer)
  readStory(source, styles, writer)
  readParts(sides('footnotes'), archive, styles, writer)
  readParts(sides('endnotes'), archive, styles, writer)
  readParts(sides('comments'), archive, styles, writer)
  readParts(sides('footer'), archive, styles, writer)

  for (const { type, target } of relations.values()) {
    if (type === 'hyperlink') writer.link(target)
    const entry = archive.entries.get(target)
    if ((type === 'package' || type === 'oleObject' || type === 'image') && entry !== undefined) {
      writer.attach({ name: target.split('/').at(-1)!, size: entry.size })
    }
  }
  return writer.finish({
    format: 'docx',
    mime: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  })
}

function readParts(parts: { target: string }[], archive: Archive, styles: WordStyles, writer: DocumentWriter): void {
  const seen = new Set<string>()
  for (const part of parts) {
    const source = archive.text(part.target)
    if (source === undefined) continue
    // First-page, even and odd headers usually repeat each other.
    const plain = source.replace(/<[^>]*>/g, '')
    if (seen.has(plain)) continue
    seen.add(plain)
    readStory(source, styles, writer)
  }
}

function readStory(source: string, styles: WordStyles, writer: DocumentWriter): void {
  // Word notes where pages really ended when it last saved; without that, only the breaks the author set are known.
  const rendered = source.includes('lastRenderedPageBreak')
  const paragraphs: Paragraph[] = []
  const tables: OpenTable[] = []
  let inText = false
  let hidden = 0

  const add = (text: string) => {
    const paragraph = paragraphs.at(-1)
    if (paragraph !== undefined && hidden === 0) paragraph.text += text
  }

  parseXml(
    source,
    {
      open(name, attributes) {
        const paragraph = paragraphs.at(-1)
        switch (name) {
          case 'p':
            paragraphs.push({ text: '', style: undefined, outline: undefined, numbering: undefined, depth: 0 })
            break
          case 't':
            inText = true
            break
          case 'pStyle':
            if (paragraph !== undefined) paragraph.style = attribute(attributes, 'val')
            break
          case 'outlineLvl':
            if (paragraph !== undefined) paragraph.outline = Number(attribute(attributes, 'val'))
            break
          case 'numId':
            if (paragraph !== undefined) paragraph.numbering = attribute(attributes, 'val')
            break
          case 'ilvl':
            if (paragraph !== undefined) paragraph.depth = Number(attribute(attributes, 'val')) || 0
            break
          case 'tab':
            // Also the name of a tab stop's definition, which stands in w:tabs and has a position.
            if (attribute(attributes, 'pos') === undefined) add('\t')
            break
          case 'br':
            if (attribute(attributes, 'type') !== 'page') add('\n')
            else if (!rendered) add(PAGE)
            break
          case 'cr':
            add('\n')
            break
          case 'lastRenderedPageBreak':
            add(PAGE)
            break
          case 'pageBreakBefore':
            if (!rendered && attribute(attributes, 'val') !== '0') add(PAGE)
            break
          case 'noBreakHyphen':
            add('-')
            break
          case 'Fallback':
          case 'moveFrom':
          case 'del':
            hidden += 1
            break
          case 'tbl':
            tables.push({ rows: [], row: [], cell: '' })
            break
        }
      },
      text(text) {
        if (inText) add(text)
      },
      close(name) {
        switch (name) {
          case 't':
            inText = false
            break
          case 'Fallback':
          case 'moveFrom':
          case 'del':
            hidden = Math.max(0, hidden - 1)
            break
          case 'p':
            endParagraph(paragraphs.pop(), paragraphs.at(-1), tables.at(-1), styles, writer)
            break
          case 'tc':
            endCell(tables.at(-1))
            break
          case 'tr':
            endRow(tables.at(-1))
            break
          case 'tbl':
            endTable(tables.pop(), tables.at(-1), writer)
            break
        }
      },
    },
    writer,
  )
}

function endParagraph(
  paragraph: Paragraph | undefined,
  outer: Paragraph | undefined,
  table: OpenTable | undefined,
  styles: WordStyles,
  writer: DocumentWriter,
): void {
  if (paragraph === undefined) return
  // A text box stands inside a paragraph: its text comes first.
  if (outer !== undefined) {
    if (paragraph.text !== '') outer.text += `${paragraph.text}\n`
    return
  }
  if (table !== undefined) {
    table.cell += `${paragraph.text.replaceAll(PAGE, '')}\n`
    return
  }
  const level = paragraph.outline ?? styles.headingLevel(paragraph.style)
  const list = styles.list(paragraph.numbering, paragraph.style, paragraph.depth)
  paragraph.text.split(PAGE).forEach((piece, index) => {
    if (index > 0) writer.pageBreak()
    if (level !== undefined && level < 9) writer.heading(level + 1, piece)
    else if (list !== undefined) writer.listItem(piece, { ordered: list.ordered, depth: paragraph.depth })
    else writer.paragraph(piece)
  })
}

function endCell(table: OpenTable | undefined): void {
  if (table === undefined) return
  table.row.push(table.cell.trim())
  table.cell = ''
}

function endRow(table: OpenTable | undefined): void {
  if (table === undefined) return
  table.rows.push(table.row)
  table.row = []
}

function endTable(table: OpenTable | undefined, outer: OpenTable | undefined, writer: DocumentWriter): void {
  if (table === undefined) return
  writer.table(table.rows, { text: outer === undefined })
  if (outer !== undefined) outer.cell += `${table.rows.map((row) => row.join(' ')).join('\n')}\n`
}
