// PDF by pdf.js (through unpdf): lines in the order of the page's content, headings by letter size, links, form
// fields, attachments. Pages that are only a picture are handed to OCR.
import { TroupeError } from '@troupe/sdk'
import { getDocumentProxy } from 'unpdf'
import { type ExtractedDocument, LIMITS, type Scan } from './document.ts'
import { type PdfLine, readLines, writeLines } from './pdf-lines.ts'
import { readScan } from './pdf-scans.ts'
import { createWriter, type DocumentWriter } from './writer.ts'

export type PdfDocument = Awaited<ReturnType<typeof getDocumentProxy>>
export type PdfPage = Awaited<ReturnType<PdfDocument['getPage']>>

const KIND = { format: 'pdf', mime: 'application/pdf' } as const

export async function readPdf(
  bytes: Uint8Array,
  password?: string,
): Promise<{ document: ExtractedDocument; scans: Scan[] }> {
  const writer = createWriter()
  const tail = Buffer.from(bytes.subarray(Math.max(0, bytes.length - 2048))).toString('latin1')
  if (!tail.includes('%%EOF')) writer.warn('truncated', 'The PDF has no end mark: it may be truncated')
  let pdf: PdfDocument
  try {
    // pdf.js takes the buffer for itself; the page count of a locked file needs the original.
    pdf = await getDocumentProxy(new Uint8Array(bytes), {
      verbosity: 0,
      maxImageSize: LIMITS.pixels,
      ...(password === undefined ? {} : { password }),
    })
  } catch (error) {
    if (error instanceof Error && error.name === 'PasswordException') {
      return { document: lockedDocument(bytes, password !== undefined, writer), scans: [] }
    }
    const reason = error instanceof Error ? error.message : String(error)
    throw new TroupeError('document_unreadable', `The PDF is damaged: ${reason}`, { cause: error })
  }
  try {
    const encrypted = await readMetadata(pdf, writer)
    await readPages(pdf, writer)
    await readAttachments(pdf, writer)
    return { document: writer.finish({ ...KIND, encrypted }), scans: writer.scans }
  } finally {
    await pdf.loadingTask.destroy()
  }
}

/** Without the password the strings are closed, but in most files the page tree is still readable. */
function lockedDocument(bytes: Uint8Array, tried: boolean, writer: DocumentWriter): ExtractedDocument {
  writer.warn(
    'encrypted',
    tried ? 'The PDF is encrypted and the password is wrong' : 'The PDF is encrypted: a password is needed',
  )
  const document = writer.finish({ ...KIND, encrypted: true })
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const counts = [
    ...source.matchAll(
      /\/Type\s*\/Pages\b[^>]{0,400}?\/Count\s+(\d{1,6})|\/Count\s+(\d{1,6})[^>]{0,400}?\/Type\s*\/Pages\b/g,
    ),
  ]
  document.pageCount = counts.reduce((most, [, after, before]) => Math.max(most, Number(after ?? before)), 0)
  document.pages = []
  return document
}

const INFO: Record<string, string> = {
  Title: 'title',
  Author: 'author',
  Subject: 'subject',
  Keywords: 'keywords',
  Creator: 'creator',
  Producer: 'producer',
  CreationDate: 'created',
  ModDate: 'modified',
  Language: 'language',
  PDFFormatVersion: 'pdfVersion',
}

async function readMetadata(pdf: PdfDocument, writer: DocumentWriter): Promise<boolean> {
  const found = await pdf.getMetadata().catch(() => undefined)
  const info = (found?.info ?? {}) as Record<string, unknown>
  for (const [key, name] of Object.entries(INFO)) {
    const value = info[key]
    if (typeof value === 'string') writer.meta(name, /Date$/.test(key) ? isoDate(value) : value)
  }
  if (typeof info['EncryptFilterName'] !== 'string') return false
  writer.warn('encrypted', 'The PDF is encrypted, with a password that opens it')
  return true
}

/** D:20220403180542+02'00' → 2022-04-03T18:05:42+02:00; what is no such date stays as it is. */
function isoDate(text: string): string {
  const parts = /^(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z)|([+-]\d\d)'?(\d\d)?)?/.exec(text)
  if (parts === null) return text
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00', zulu, zone, zoneMinute = '00'] =
    parts
  const offset = zone !== undefined ? `${zone}:${zoneMinute}` : zulu !== undefined ? 'Z' : ''
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`
}

async function readPages(pdf: PdfDocument, writer: DocumentWriter): Promise<void> {
  const count = Math.min(pdf.numPages, LIMITS.pages)
  if (count < pdf.numPages) writer.warn('truncated', `The PDF has ${pdf.numPages} pages; the first ${count} are read`)
  for (let number = 1; number <= count; number++) {
    if (number > 1) writer.pageBreak()
    try {
      const page = await pdf.getPage(number)
      const lines = await readLines(page)
      writeLines(lines, writer)
      await readAnnotations(page, writer)
      if (isBare(lines)) await handToOcr(page, number, writer)
      page.cleanup()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      writer.warn('damaged', `Page ${number} could not be read: ${reason.slice(0, 200)}`)
    }
  }
}

function isBare(lines: PdfLine[]): boolean {
  return lines.reduce((length, line) => length + line.text.trim().length, 0) < 20
}

async function handToOcr(page: PdfPage, number: number, writer: DocumentWriter): Promise<void> {
  if (writer.scans.length >= LIMITS.scannedPages) {
    return writer.warn('truncated', `More than ${LIMITS.scannedPages} scanned pages; the rest was not read`)
  }
  const image = await readScan(page)
  if (image !== undefined) writer.scans.push({ page: number, image })
}

async function readAnnotations(page: PdfPage, writer: DocumentWriter): Promise<void> {
  const annotations = (await page.getAnnotations().catch(() => [])) as Record<string, unknown>[]
  for (const { url, fieldName, fieldValue } of annotations.slice(0, LIMITS.links)) {
    if (typeof url === 'string') writer.link(url)
    if (typeof fieldName === 'string' && typeof fieldValue === 'string') writer.meta(`field.${fieldName}`, fieldValue)
  }
}

async function readAttachments(pdf: PdfDocument, writer: DocumentWriter): Promise<void> {
  const found = (await pdf.getAttachments().catch(() => null)) as Record<
    string,
    { filename: string; content?: Uint8Array }
  > | null
  for (const { filename, content } of Object.values(found ?? {})) {
    writer.attach({ name: filename, size: content?.length ?? 0 })
  }
}
