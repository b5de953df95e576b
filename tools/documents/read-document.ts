// One file to one document: judge the file, pick its reader, add what the judgement itself has to say.
import { TroupeError } from '@troupe/sdk'
import { readCsv } from './csv.ts'
import { type Binary, claimedFormat, type Detected, detectFormat, type Textual } from './detect-format.ts'
import { type ExtractedDocument, type FileInput, LIMITS, type Scan } from './document.ts'
import { readDocx } from './docx.ts'
import { readEmail } from './email.ts'
import type { DecodedText } from './encoding.ts'
import { toFailure } from './failure.ts'
import { readHtml } from './html.ts'
import { imageSize } from './image-size.ts'
import { readMarkdown } from './markdown.ts'
import { includeWith, readZip } from './nested.ts'
import { readEpub, readOpenDocument } from './open-document.ts'
import { readPdf } from './pdf.ts'
import { readJson, readPlain, readRtf, readXmlText } from './plain.ts'
import { readPptx } from './pptx.ts'
import { readSpreadsheet } from './spreadsheet.ts'
import { createWriter } from './writer.ts'
import { readXlsx } from './xlsx.ts'

export interface ReadResult {
  document: ExtractedDocument
  scans: Scan[]
}

export async function readDocument(file: FileInput, depth = 0): Promise<ReadResult> {
  const { bytes } = file
  if (bytes.length === 0) throw new TroupeError('document_unreadable', `${file.name ?? 'The file'} is empty`)
  if (bytes.length > LIMITS.fileBytes) {
    throw new TroupeError('limit_exceeded', `The file has ${bytes.length} bytes; at most ${LIMITS.fileBytes} are read`)
  }
  try {
    const detected = await detectFormat(file)
    const result =
      'decoded' in detected
        ? readTextual(detected.format, detected.decoded, file, depth)
        : readBinary(detected, file, depth)
    const { document, scans } = await result
    noteMislabelled(document, detected, file)
    if (document.text.trim() === '' && scans.length === 0 && !document.encrypted) {
      document.warnings.push({ kind: 'no_text', message: 'The document holds no text' })
    }
    return { document, scans }
  } catch (error) {
    throw toFailure(error)
  }
}

async function readBinary(
  detected: Extract<Detected, { mime: string }> | { format: 'encrypted-office' },
  file: FileInput,
  depth: number,
): Promise<ReadResult> {
  const { bytes } = file
  switch (detected.format) {
    case 'pdf':
      return await readPdf(bytes, file.password)
    case 'docx':
      return plain(readDocx(bytes))
    case 'xlsx':
      return plain(readXlsx(bytes))
    case 'pptx':
      return plain(readPptx(bytes))
    case 'xls':
    case 'xlsb':
    case 'ods':
      return plain(await readSpreadsheet(bytes, detected.format))
    case 'odt':
    case 'odp':
      return plain(readOpenDocument(bytes, detected.format))
    case 'epub':
      return plain(readEpub(bytes))
    case 'rtf':
      return plain(readRtf(bytes))
    case 'zip':
      return await readZip(bytes, includeWith(readDocument, depth))
    case 'image':
      return readImage(bytes, detected.mime)
    case 'encrypted-office':
      return plain(encryptedOffice(file))
  }
}

async function readTextual(format: Textual, decoded: DecodedText, file: FileInput, depth: number): Promise<ReadResult> {
  const { text, encoding } = decoded
  const result =
    format === 'email'
      ? await readEmail(file.bytes, includeWith(readDocument, depth))
      : plain(readText(format, text, encoding))
  const { warnings } = result.document
  if (decoded.mixed)
    warnings.push({
      kind: 'mixed_encodings',
      message: 'Lines in UTF-8 and in windows-1252 are mixed; each was read as what it is',
    })
  if (decoded.undecodable > 0) {
    warnings.push({
      kind: 'undecodable_text',
      message: `${decoded.undecodable} characters could not be read as ${encoding}`,
    })
  }
  return result
}

function readText(format: Exclude<Textual, 'email'>, text: string, encoding: string): ExtractedDocument {
  switch (format) {
    case 'html':
      return readHtml(text, encoding)
    case 'xml':
      return readXmlText(text, encoding)
    case 'json':
      return readJson(text, encoding)
    case 'csv':
      return readCsv(text, encoding)
    case 'tsv':
      return readCsv(text, encoding, '\t')
    case 'markdown':
      return readMarkdown(text, encoding)
    case 'text':
      return readPlain(text, encoding)
  }
}

function plain(document: ExtractedDocument): ReadResult {
  return { document, scans: [] }
}

function readImage(bytes: Uint8Array, mime: string): ReadResult {
  const size = imageSize(bytes)
  if (size === undefined) throw new TroupeError('document_unreadable', `The ${mime} image is truncated or damaged`)
  if (size.width * size.height > LIMITS.pixels) {
    throw new TroupeError(
      'limit_exceeded',
      `The image has ${size.width} × ${size.height} pixels; at most ${LIMITS.pixels} are read`,
    )
  }
  const writer = createWriter()
  writer.meta('width', String(size.width))
  writer.meta('height', String(size.height))
  return { document: writer.finish({ format: 'image', mime }), scans: [{ page: 1, image: bytes.slice() }] }
}

function encryptedOffice(file: FileInput): ExtractedDocument {
  const writer = createWriter()
  writer.warn('encrypted', 'The Office file is encrypted: it opens only with its password')
  const claimed = claimedFormat(file)
  return writer.finish({ format: claimed ?? 'office', mime: 'application/x-ole-storage', encrypted: true })
}

function noteMislabelled(document: ExtractedDocument, detected: Detected, file: FileInput): void {
  const claimed = claimedFormat(file)
  if (claimed === undefined || detected.format === 'encrypted-office' || claimed === detected.format) return
  const isText = (format: Binary | Textual) =>
    format === 'text' || format === 'csv' || format === 'markdown' || format === 'tsv'
  if (isText(claimed) && isText(detected.format)) return
  const message = `The file calls itself ${claimed} but is ${detected.format}; it was read as what it is`
  document.warnings.push({ kind: 'mislabelled', message })
}
