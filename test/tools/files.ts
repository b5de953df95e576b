// Makes the files that the tests of the document tools read: real ones, by the libraries that people use.

import { Resvg } from '@resvg/resvg-js'
import { type ExtractedDocument, extractText } from '@troupe/tools/extract-text'
import { Document, HeadingLevel, Packer, PageBreak, Paragraph, Table, TableCell, TableRow, TextRun } from 'docx'
import { strToU8, zipSync } from 'fflate'
import { writeXlsx } from 'hucre/xlsx'
import PdfDocument from 'pdfkit'

export function extract(
  bytes: Uint8Array | string,
  name?: string,
  more: Record<string, unknown> = {},
): Promise<ExtractedDocument> {
  const content = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes
  const signal = new AbortController().signal
  return extractText.call({ bytes: content, ...(name === undefined ? {} : { name }), ...more }, { signal })
}

export async function makeDocx(): Promise<Uint8Array> {
  const cell = (text: string) => new TableCell({ children: [new Paragraph(text)] })
  const row = (...texts: string[]) => new TableRow({ children: texts.map(cell) })
  const document = new Document({
    title: 'Quarterly report',
    creator: 'Ada Lovelace',
    sections: [
      {
        children: [
          new Paragraph({ text: 'Results', heading: HeadingLevel.HEADING_1 }),
          new Paragraph({
            children: [
              new TextRun('Revenue grew by '),
              new TextRun({ text: '12 %', bold: true }),
              new TextRun(' to € 4.2 million.'),
            ],
          }),
          new Paragraph({ text: 'First point', bullet: { level: 0 } }),
          new Paragraph({ text: 'Second point', bullet: { level: 0 } }),
          new Table({ rows: [row('Region', 'Revenue'), row('North', '1200'), row('South', '900')] }),
          new Paragraph({ children: [new PageBreak()] }),
          new Paragraph({ text: 'Outlook', heading: HeadingLevel.HEADING_2 }),
          new Paragraph('We expect more.'),
        ],
      },
    ],
  })
  return new Uint8Array(await Packer.toBuffer(document))
}

export async function makeXlsx(): Promise<Uint8Array> {
  const sheets = [
    {
      name: 'Orders',
      rows: [
        ['id', 'when', 'amount', 'paid'],
        [1, new Date(Date.UTC(2024, 1, 29)), 12.5, true],
        [2, new Date(Date.UTC(2024, 2, 1)), 7, false],
      ],
    },
    { name: 'Notes', rows: [['text'], ['=1+1'], ['a < b & "c"']] },
  ]
  return await writeXlsx({ sheets })
}

/** As much of pdfkit as the tests draw with; it comes without types. */
export interface Pdf {
  on(event: string, listener: (value: never) => void): void
  text(text: string, ...rest: unknown[]): Pdf
  fontSize(size: number): Pdf
  addPage(): Pdf
  image(picture: Buffer, x: number, y: number, options?: object): Pdf
  end(): void
}
const NewPdf = PdfDocument as unknown as new (options: object) => Pdf

export function makePdf(write: (pdf: Pdf) => void, options: object = {}): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const pdf = new NewPdf(options)
    const chunks: Buffer[] = []
    pdf.on('data', (chunk: Buffer) => chunks.push(chunk))
    pdf.on('end', () => resolve(new Uint8Array(Buffer.concat(chunks))))
    pdf.on('error', reject)
    write(pdf)
    pdf.end()
  })
}

const OFFICE = 'http://schemas.openxmlformats.org'

export function makePptx(slides: { title: string; bullets: string[] }[]): Uint8Array {
  const shape = (kind: string, texts: string[]) =>
    `<p:sp><p:nvSpPr><p:nvPr><p:ph type="${kind}"/></p:nvPr></p:nvSpPr><p:txBody>${texts
      .map((text) => `<a:p><a:r><a:t>${text}</a:t></a:r></a:p>`)
      .join('')}</p:txBody></p:sp>`
  const parts: Record<string, Uint8Array> = {
    '[Content_Types].xml': strToU8('<Types/>'),
    'ppt/presentation.xml': strToU8(
      `<p:presentation xmlns:p="${OFFICE}/presentationml/2006/main" xmlns:r="${OFFICE}/officeDocument/2006/relationships"><p:sldIdLst>${slides
        .map((_, index) => `<p:sldId id="${256 + index}" r:id="rId${index + 1}"/>`)
        .join('')}</p:sldIdLst></p:presentation>`,
    ),
    'ppt/_rels/presentation.xml.rels': strToU8(
      `<Relationships>${slides
        .map(
          (_, index) =>
            `<Relationship Id="rId${index + 1}" Type="${OFFICE}/officeDocument/2006/relationships/slide" Target="slides/slide${index + 1}.xml"/>`,
        )
        .join('')}</Relationships>`,
    ),
  }
  slides.forEach(({ title, bullets }, index) => {
    parts[`ppt/slides/slide${index + 1}.xml`] = strToU8(
      `<p:sld xmlns:p="p" xmlns:a="a"><p:cSld><p:spTree>${shape('title', [title])}${shape('body', bullets)}</p:spTree></p:cSld></p:sld>`,
    )
  })
  return zipSync(parts)
}

/** A spreadsheet from the XML of its one sheet. */
export function makeXlsxSheet(sheet: string): Uint8Array {
  return zipSync({
    '[Content_Types].xml': strToU8('<Types/>'),
    'xl/workbook.xml': strToU8(
      '<workbook xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
    ),
    'xl/_rels/workbook.xml.rels': strToU8(
      `<Relationships><Relationship Id="rId1" Type="${OFFICE}/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
    ),
    'xl/worksheets/sheet1.xml': strToU8(sheet),
  })
}

/** A Word file from the XML of its main part. */
export function makeDocxXml(main: string, more: Record<string, Uint8Array> = {}): Uint8Array {
  return zipSync({ '[Content_Types].xml': strToU8('<Types/>'), 'word/document.xml': strToU8(main), ...more })
}

export function makePicture(lines: string[]): Uint8Array {
  const text = lines.map(
    (line, index) =>
      `<text x="40" y="${70 + index * 60}" font-size="36" font-family="DejaVu Sans, Arial, sans-serif">${line}</text>`,
  )
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="${100 + lines.length * 60}"><rect width="100%" height="100%" fill="white"/>${text.join('')}</svg>`
  return new Uint8Array(new Resvg(svg, { font: { loadSystemFonts: true } }).render().asPng())
}
