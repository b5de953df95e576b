// Office files as offices have them, about 2 MB each: pages of text, tables, and pictures that do not compress.
import { deflateSync } from 'node:zlib'
import { Document, HeadingLevel, ImageRun, Packer, Paragraph, Table, TableCell, TableRow } from 'docx'
import { strToU8, unzipSync, zipSync } from 'fflate'
import { writeXlsx } from 'hucre/xlsx'
import PdfDocument from 'pdfkit'
import { random } from './random.ts'

export interface CorpusFile {
  name: string
  bytes: Uint8Array
}

const WORDS =
  'the board of Northwind Traders Ltd. has approved a contract with Fabrikam GmbH in Hamburg on 12 March 2024 for delivery of turbines worth € 4.2 million and asks Dr. Maria Weber to report about quality costs risks and progress every month by e-mail to office@northwind.example while the auditors review invoices from suppliers'.split(
    ' ',
  )

type Random = ReturnType<typeof random>

function sentence(dice: Random): string {
  const words = Array.from({ length: dice.integer(8, 22) }, () => WORDS[dice.integer(0, WORDS.length - 1)]!)
  return `${words.join(' ').replace(/^\w/, (letter) => letter.toUpperCase())}.`
}

function paragraph(dice: Random): string {
  return Array.from({ length: dice.integer(3, 7) }, () => sentence(dice)).join(' ')
}

export async function makeCorpus(): Promise<CorpusFile[]> {
  const files: CorpusFile[] = []
  for (let variant = 0; variant < 3; variant++) {
    const dice = random(variant + 1)
    files.push({ name: `report-${variant}.docx`, bytes: await wordFile(dice) })
    files.push({ name: `brochure-${variant}.pdf`, bytes: await pdfFile(dice) })
    files.push({ name: `deck-${variant}.pptx`, bytes: slides(dice) })
    files.push({ name: `ledger-${variant}.xlsx`, bytes: await workbook(dice) })
    files.push({ name: `export-${variant}.csv`, bytes: strToU8(csv(dice)) })
    files.push({ name: `mail-${variant}.eml`, bytes: await mail(dice) })
  }
  return files
}

async function wordFile(dice: Random, pictures = 4): Promise<Uint8Array> {
  const cell = (text: string) => new TableCell({ children: [new Paragraph(text)] })
  const rows = Array.from(
    { length: 20 },
    (_, row) => new TableRow({ children: ['Item', `${row}`, `${dice.integer(1, 900)}`].map(cell) }),
  )
  const children: (Paragraph | Table)[] = []
  for (let chapter = 1; chapter <= 12; chapter++) {
    children.push(new Paragraph({ text: `Chapter ${chapter}`, heading: HeadingLevel.HEADING_1 }))
    for (let count = 0; count < 15; count++) children.push(new Paragraph(paragraph(dice)))
  }
  children.push(new Table({ rows }))
  for (let picture = 0; picture < pictures; picture++) {
    const image = new ImageRun({
      type: 'png',
      data: Buffer.from(noisePng(dice, 400)),
      transformation: { width: 300, height: 300 },
    })
    children.push(new Paragraph({ children: [image] }))
  }
  return new Uint8Array(await Packer.toBuffer(new Document({ sections: [{ children }] })))
}

interface Pdf {
  on(event: string, listener: (value: never) => void): void
  fontSize(size: number): Pdf
  text(text: string): Pdf
  addPage(): Pdf
  image(picture: Buffer, options?: object): Pdf
  end(): void
}
// The package carries no types.
const NewPdf = PdfDocument as unknown as new () => Pdf

function pdfFile(dice: Random): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const pdf = new NewPdf()
    const chunks: Buffer[] = []
    pdf.on('data', (chunk: Buffer) => chunks.push(chunk))
    pdf.on('end', () => resolve(new Uint8Array(Buffer.concat(chunks))))
    for (let page = 0; page < 25; page++) {
      if (page > 0) pdf.addPage()
      pdf
        .fontSize(20)
        .text(`Section ${page + 1}`)
        .fontSize(10)
      for (let count = 0; count < 6; count++) pdf.text(paragraph(dice))
      if (page % 6 === 0) pdf.image(Buffer.from(noisePng(dice, 380)), { width: 200 })
    }
    pdf.end()
  })
}

function slides(dice: Random): Uint8Array {
  const parts: Record<string, Uint8Array> = { '[Content_Types].xml': strToU8('<Types/>') }
  const numbers = Array.from({ length: 30 }, (_, index) => index + 1)
  const relation = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
  parts['ppt/presentation.xml'] = strToU8(
    `<p:presentation xmlns:r="r"><p:sldIdLst>${numbers.map((n) => `<p:sldId id="${n}" r:id="r${n}"/>`).join('')}</p:sldIdLst></p:presentation>`,
  )
  parts['ppt/_rels/presentation.xml.rels'] = strToU8(
    `<Relationships>${numbers.map((n) => `<Relationship Id="r${n}" Type="${relation}/slide" Target="slides/slide${n}.xml"/>`).join('')}</Relationships>`,
  )
  for (const number of numbers) {
    const bullets = Array.from({ length: 6 }, () => `<a:p><a:r><a:t>${sentence(dice)}</a:t></a:r></a:p>`).join('')
    parts[`ppt/slides/slide${number}.xml`] = strToU8(
      `<p:sld><p:sp><p:nvPr><p:ph type="title"/></p:nvPr><a:p><a:r><a:t>Slide ${number}</a:t></a:r></a:p></p:sp><p:sp><p:nvPr><p:ph type="body"/></p:nvPr>${bullets}</p:sp></p:sld>`,
    )
    if (number % 7 === 0) parts[`ppt/media/image${number}.png`] = noisePng(dice, 400)
  }
  return zipSync(parts)
}

/** Mostly pictures and some thousand rows, as ledgers are; a sheet of 2 MB of cells alone is rare. */
async function workbook(dice: Random): Promise<Uint8Array> {
  const sheets = ['Orders', 'Payments'].map((name) => ({
    name,
    rows: [
      ['id', 'customer', 'date', 'amount', 'open', 'note'],
      ...Array.from({ length: 8_000 }, (_, row) => [
        row,
        `Customer ${dice.integer(1, 5_000)}`,
        new Date(Date.UTC(2024, 0, 1 + dice.integer(0, 700))),
        dice.integer(1, 1e6) / 100,
        dice.uniform() < 0.2,
        dice.integer(0, 1e9).toString(36),
      ]),
    ],
  }))
  const parts: Record<string, Uint8Array> = unzipSync(await writeXlsx({ sheets }))
  for (let picture = 1; picture <= 3; picture++) parts[`xl/media/image${picture}.png`] = noisePng(dice, 400)
  return zipSync(parts)
}

function csv(dice: Random): string {
  const row = (index: number) =>
    `${index},${dice.integer(1, 9_999)},${(dice.uniform() * 1_000).toFixed(2)},"${WORDS[dice.integer(0, 40)]}, ${WORDS[dice.integer(0, 40)]}",2024-0${dice.integer(1, 9)}-1${dice.integer(0, 9)}`
  return `id,customer,amount,note,date\n${Array.from({ length: 40_000 }, (_, index) => row(index)).join('\n')}\n`
}

async function mail(dice: Random): Promise<Uint8Array> {
  const attached = Buffer.from(await wordFile(dice, 3))
    .toString('base64')
    .replace(/.{76}/g, '$&\r\n')
  const head =
    'From: Ada <ada@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: The report\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="cut"'
  const part = 'Content-Disposition: attachment; filename="report.docx"\r\nContent-Transfer-Encoding: base64'
  return strToU8(
    `${head}\r\n\r\n--cut\r\nContent-Type: text/plain\r\n\r\n${paragraph(dice)}\r\n--cut\r\n${part}\r\n\r\n${attached}\r\n--cut--\r\n`,
  )
}

/** A picture that no compression makes smaller, like a photograph. */
function noisePng(dice: Random, side: number): Uint8Array {
  const raw = Buffer.alloc(side * (side * 3 + 1))
  for (let at = 0; at < raw.length; at++) raw[at] = at % (side * 3 + 1) === 0 ? 0 : dice.integer(0, 255)
  const head = Buffer.alloc(13)
  head.writeUInt32BE(side, 0)
  head.writeUInt32BE(side, 4)
  head.set([8, 2, 0, 0, 0], 8)
  const chunks = [chunk('IHDR', head), chunk('IDAT', deflateSync(raw, { level: 1 })), chunk('IEND', Buffer.alloc(0))]
  return new Uint8Array(Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]), ...chunks]))
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}

function crc(bytes: Buffer): number {
  let value = 0xffffffff
  for (const byte of bytes) {
    value ^= byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  }
  return (value ^ 0xffffffff) >>> 0
}
