// Excel: each sheet is a page and a table of typed values. Sheets are read as a stream of cells, so that one cell in
// column XFD of row 1,048,576 costs one cell. Formulas are never computed: their saved value is what counts.
import { TroupeError } from '@troupe/sdk'
import { openArchive } from './archive.ts'
import { type Cell, type ExtractedDocument, LIMITS } from './document.ts'
import { cellText, createWriter, type DocumentWriter } from './writer.ts'
import { readDateStyles, readSharedStrings, serialDate } from './xlsx-values.ts'
import { parseRelationships, parseXml, readOfficeProperties } from './xml.ts'

interface Workbook {
  strings: string[]
  /** Cell style → whether its number is a date. */
  dates: boolean[]
  base1904: boolean
}

export function readXlsx(bytes: Uint8Array): ExtractedDocument {
  const archive = openArchive(bytes)
  const writer = createWriter()
  const packageRelations = parseRelationships(archive.text('_rels/.rels'), '')
  const main = [...packageRelations.values()].find((one) => one.type === 'officeDocument')?.target ?? 'xl/workbook.xml'
  const source = archive.text(main)
  if (source === undefined) throw new TroupeError('document_unreadable', `The Excel file has no ${main}`)
  const folder = main.split('/').slice(0, -1).join('/')
  const relations = parseRelationships(archive.text(`${folder}/_rels/${main.split('/').at(-1)}.rels`), folder)
  const part = (type: string) => [...relations.values()].find((one) => one.type === type)?.target ?? ''
  readOfficeProperties((name) => archive.text(name), writer)

  const { sheets, base1904 } = readSheetList(source)
  const workbook: Workbook = {
    strings: readSharedStrings(archive.text(part('sharedStrings'))),
    dates: readDateStyles(archive.text(part('styles'))),
    base1904,
  }
  let cells = 0
  sheets.forEach(({ name, relation }, index) => {
    if (index > 0) writer.pageBreak()
    const target = relations.get(relation)?.target
    const sheet = target === undefined || !target.includes('worksheets') ? undefined : archive.text(target)
    writer.heading(1, name)
    if (sheet !== undefined) cells += readSheet(sheet, name, workbook, writer, LIMITS.tableCells - cells)
  })
  return writer.finish({ format: 'xlsx', mime: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' })
}

function readSheetList(source: string): { sheets: { name: string; relation: string }[]; base1904: boolean } {
  const sheets: { name: string; relation: string }[] = []
  let base1904 = false
  parseXml(source, {
    open(name, attributes) {
      if (name === 'sheet' && sheets.length < LIMITS.tables) {
        const relation = Object.entries(attributes).find(([key]) => key.endsWith(':id'))?.[1] ?? ''
        sheets.push({ name: attributes['name'] ?? `Sheet ${sheets.length + 1}`, relation })
      }
      if (name === 'workbookPr') base1904 = /^(1|true)$/.test(attributes['date1904'] ?? '')
    },
  })
  return { sheets, base1904 }
}

/** Returns how many cells it kept as data. */
function readSheet(source: string, name: string, workbook: Workbook, writer: DocumentWriter, budget: number): number {
  const rows: Cell[][] = []
  let kept = 0
  let rowCount = 0
  let row: Cell[] = []
  let column = -1
  let type = ''
  let style = 0
  let value = ''
  let formula = ''
  let part: 'value' | 'formula' | undefined

  parseXml(
    source,
    {
      open(tag, attributes) {
        if (tag === 'row') {
          row = []
          column = -1
        } else if (tag === 'c') {
          column = attributes['r'] === undefined ? column + 1 : columnIndex(attributes['r'])
          type = attributes['t'] ?? 'n'
          style = Number(attributes['s'] ?? 0)
          value = ''
          formula = ''
        } else if (tag === 'v' || tag === 't') part = 'value'
        else if (tag === 'f') part = 'formula'
        else if (tag === 'rPh') part = undefined
      },
      text(text) {
        if (part === 'value') value += text
        else if (part === 'formula') formula += text
      },
      close(tag) {
        if (tag === 'v' || tag === 't' || tag === 'f') part = undefined
        else if (tag === 'c' && (value !== '' || formula !== '') && column >= 0 && column < LIMITS.columns) {
          row[column] = value === '' ? `=${formula}` : typed(value, type, style, workbook)
        } else if (tag === 'row' && row.length > 0) {
          rowCount += 1
          if (!writer.full)
            writer.raw(
              `${row
                .filter((one) => one !== undefined)
                .map(cellText)
                .join('\t')}\n`,
            )
          kept += row.length
          if (kept <= budget) rows.push(Array.from(row, (one) => one ?? null))
        }
      },
    },
    writer,
  )
  writer.table(rows, { name, text: false, rowCount: Math.max(0, rowCount - 1) })
  return Math.min(kept, budget)
}

function typed(value: string, type: string, style: number, workbook: Workbook): Cell {
  switch (type) {
    case 's':
      return workbook.strings[Number(value)] ?? ''
    case 'b':
      return value === '1'
    case 'n': {
      const number = Number(value)
      if (!Number.isFinite(number)) return value
      return workbook.dates[style] === true ? serialDate(number, workbook.base1904) : number
    }
    // inlineStr, str (a formula's text), e (#DIV/0!), d (an ISO date)
    default:
      return value
  }
}

/** "XFD12" → 16383; -1 for what is no cell. */
function columnIndex(reference: string): number {
  let index = 0
  for (let at = 0; at < reference.length; at++) {
    const code = reference.charCodeAt(at)
    if (code < 65 || code > 90) break
    index = index * 26 + code - 64
  }
  return index - 1
}
