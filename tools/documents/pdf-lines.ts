// The lines of a PDF page, and what their sizes and places say: headings, paragraphs, tables.
import type { PdfPage } from './pdf.ts'
import { findTables } from './pdf-tables.ts'
import type { DocumentWriter } from './writer.ts'

export interface PdfSegment {
  text: string
  start: number
  end: number
}

export interface PdfLine {
  text: string
  /** Letter size in points. */
  size: number
  y: number
  segments: PdfSegment[]
}

interface TextItem {
  str: string
  transform: number[]
  width: number
  hasEOL: boolean
}

export async function readLines(page: PdfPage): Promise<PdfLine[]> {
  const content = await page.getTextContent()
  const lines: PdfLine[] = []
  let line: PdfLine | undefined
  let written = 0
  for (const item of content.items as TextItem[]) {
    if (typeof item.str !== 'string') continue
    const [a = 0, b = 0, , , x = 0, y = 0] = item.transform
    const size = Math.hypot(a, b)
    // pdf.js marks most line ends; a jump of more than half a letter up or down is one too.
    if (line !== undefined && item.str.trim() !== '' && Math.abs(y - line.y) > Math.max(size, line.size) * 0.6) {
      lines.push(line)
      line = undefined
    }
    if (item.str !== '') {
      line ??= { text: '', size: 0, y, segments: [] }
      addItem(line, item, x, size)
      written += item.str.length
    }
    if (item.hasEOL && line !== undefined) {
      lines.push(line)
      line = undefined
    }
    // A page that draws millions of letters is no page for people.
    if (written > 2_000_000) break
  }
  if (line !== undefined) lines.push(line)
  return lines
}

function addItem(line: PdfLine, item: TextItem, x: number, size: number): void {
  const last = line.segments.at(-1)
  const isBlank = item.str.trim() === ''
  if (!isBlank) line.size = Math.max(line.size, size)
  const gap = last === undefined ? 0 : x - last.end
  if (!isBlank) {
    if (last === undefined || gap > size * 1.2)
      line.segments.push({ text: item.str.trim(), start: x, end: x + item.width })
    else {
      last.text +=
        gap > size * 0.15 && !line.text.endsWith(' ')
          ? ` ${item.str}`
          : line.text.endsWith(' ') && !last.text.endsWith(' ')
            ? ` ${item.str}`
            : item.str
      last.end = x + item.width
    }
    if (last !== undefined && gap > size * 0.15 && !/\s$/.test(line.text) && !/^\s/.test(item.str)) line.text += ' '
  }
  line.text += item.str
}

/** Letters larger than the body's by this much make a heading. */
const HEADING = 1.15

export function writeLines(lines: PdfLine[], writer: DocumentWriter): void {
  const body = bodySize(lines)
  const sizes = [...new Set(lines.map((line) => Math.round(line.size)))].filter((size) => size > body * HEADING)
  const larger = sizes.sort((a, b) => b - a)
  const tables = findTables(lines)
  let previous: PdfLine | undefined
  lines.forEach((line, index) => {
    if (previous !== undefined && Math.abs(previous.y - line.y) > Math.max(line.size, previous.size) * 1.9)
      writer.raw('\n')
    const level = larger.indexOf(Math.round(line.size)) + 1
    if (level > 0 && level <= 6 && line.text.length < 160 && /\p{L}/u.test(line.text)) writer.heading(level, line.text)
    else writer.raw(`${line.text}\n`)
    const table = tables.find((one) => one.last === index)
    if (table !== undefined) writer.table(table.rows, { text: false })
    previous = line
  })
}

/** The size most letters have. */
function bodySize(lines: PdfLine[]): number {
  const letters = new Map<number, number>()
  for (const { size, text } of lines) {
    const rounded = Math.round(size * 2) / 2
    letters.set(rounded, (letters.get(rounded) ?? 0) + text.length)
  }
  let best = 12
  let most = 0
  for (const [size, count] of letters) {
    if (count > most) {
      most = count
      best = size
    }
  }
  return best
}
