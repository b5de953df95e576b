// PDF by pdfkit. The built-in fonts know Western letters only; others are written as "?" rather than as wrong letters.
import PDFDocument from 'pdfkit'
import { cellText, type ReportContent } from './content.ts'

const MOST_TABLE_ROWS = 200
const MARGIN = 56

export async function toPdf({ title, subtitle, sections }: ReportContent, signal: AbortSignal): Promise<Uint8Array> {
  const document = new PDFDocument({ size: 'A4', margin: MARGIN, info: { Title: title }, bufferPages: true })
  const pieces: Buffer[] = []
  const ended = new Promise<void>((resolve, reject) => {
    document.on('data', (piece: Buffer) => pieces.push(piece))
    document.on('end', resolve)
    document.on('error', reject)
  })
  document.font('Helvetica-Bold').fontSize(22).text(western(title))
  if (subtitle !== '')
    document.font('Helvetica').fontSize(11).fillColor('#6b7280').text(western(subtitle)).fillColor('black')
  for (const section of sections) {
    signal.throwIfAborted()
    writeSection(document, section)
  }
  const pages = document.bufferedPageRange()
  for (let page = 0; page < pages.count; page++) {
    document.switchToPage(pages.start + page)
    // Below the margin text would open a new page; the margin steps aside for the page number.
    document.page.margins.bottom = 0
    document.font('Helvetica').fontSize(9).fillColor('#6b7280')
    document.text(`${page + 1} / ${pages.count}`, MARGIN, document.page.height - 36, {
      align: 'center',
      lineBreak: false,
    })
  }
  document.end()
  await ended
  return new Uint8Array(Buffer.concat(pieces))
}

type Document = InstanceType<typeof PDFDocument>

function writeSection(document: Document, section: ReportContent['sections'][number]): void {
  keepTogether(document, 90)
  document.moveDown(1.2).font('Helvetica-Bold').fontSize(14).fillColor('black').text(western(section.heading), MARGIN)
  document.moveDown(0.4).font('Helvetica').fontSize(10.5)
  for (const paragraph of section.paragraphs) document.text(western(paragraph)).moveDown(0.4)
  if (section.chart?.png !== undefined) {
    const width = document.page.width - 2 * MARGIN
    keepTogether(document, width / 2 + 20)
    document.image(Buffer.from(section.chart.png, 'base64'), { fit: [width, width / 2], align: 'center' }).moveDown(0.6)
  }
  if (section.bullets.length > 0)
    document.list(section.bullets.map(western), { bulletRadius: 1.8, textIndent: 12 }).moveDown(0.4)
  if (section.table !== undefined) writeTable(document, section.table)
  if (section.sources.length > 0) {
    document.font('Helvetica').fontSize(8).fillColor('#4b5563')
    for (const { figure, value, sql } of section.sources)
      document
        .text(western(`${figure} = ${value}`))
        .font('Courier')
        .text(western(sql))
        .font('Helvetica')
        .moveDown(0.3)
    document.fillColor('black')
  }
}

function writeTable(
  document: Document,
  { columns, rows }: NonNullable<ReportContent['sections'][number]['table']>,
): void {
  const width = (document.page.width - 2 * MARGIN) / columns.length
  const line = (cells: string[], font: string) => {
    keepTogether(document, 18)
    const top = document.y
    document.font(font).fontSize(9)
    for (const [index, cell] of cells.entries()) {
      document.text(western(cell), MARGIN + index * width, top, {
        width: width - 6,
        height: 12,
        ellipsis: true,
        lineBreak: false,
      })
    }
    document.x = MARGIN
    document.y = top + 15
  }
  line(columns, 'Helvetica-Bold')
  for (const row of rows.slice(0, MOST_TABLE_ROWS)) line(row.map(cellText), 'Helvetica')
  if (rows.length > MOST_TABLE_ROWS) line([`and ${rows.length - MOST_TABLE_ROWS} more rows`], 'Helvetica')
  document.moveDown(0.5)
}

function keepTogether(document: Document, height: number): void {
  if (document.y + height > document.page.height - MARGIN) document.addPage()
}

const TYPOGRAPHIC: Record<string, string> = {
  '–': '-',
  '—': '-',
  '’': "'",
  '‘': "'",
  '“': '"',
  '”': '"',
  '…': '...',
  '≥': '>=',
  '≤': '<=',
  '−': '-',
  '\u202f': ' ',
  '\u00a0': ' ',
}
function western(text: string): string {
  return text.replaceAll(/[^\n\u0020-\u007e\u00a1-\u00ff]/g, (letter) => TYPOGRAPHIC[letter] ?? '?')
}
