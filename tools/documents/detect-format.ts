// What a file is, judged by its content; name and MIME type only decide between kinds of text, and are corrected when
// they are wrong.
import { TroupeError } from '@troupe/sdk'
import { fileTypeFromBuffer } from 'file-type'
import { openArchive } from './archive.ts'
import { looksLikeCsv } from './csv.ts'
import type { FileInput } from './document.ts'
import { type DecodedText, decodeText } from './encoding.ts'
import { declaredCharset } from './html.ts'

export type Binary =
  | 'pdf'
  | 'docx'
  | 'xlsx'
  | 'pptx'
  | 'xls'
  | 'xlsb'
  | 'ods'
  | 'odt'
  | 'odp'
  | 'epub'
  | 'rtf'
  | 'zip'
  | 'image'
export type Textual = 'html' | 'xml' | 'json' | 'csv' | 'tsv' | 'markdown' | 'email' | 'text'

export type Detected =
  | { format: Binary; mime: string }
  | { format: Textual; decoded: DecodedText }
  /** Named, but closed: an Office file that needs its password. */
  | { format: 'encrypted-office' }

const EXTENSIONS: Record<string, Binary | Textual> = {
  pdf: 'pdf', docx: 'docx', docm: 'docx', dotx: 'docx', xlsx: 'xlsx', xlsm: 'xlsx', pptx: 'pptx', pptm: 'pptx', ppsx: 'pptx',
  xls: 'xls', xlsb: 'xlsb', ods: 'ods', odt: 'odt', odp: 'odp', epub: 'epub', rtf: 'rtf', zip: 'zip',
  png: 'image', jpg: 'image', jpeg: 'image', gif: 'image', bmp: 'image', tif: 'image', tiff: 'image', webp: 'image',
  html: 'html', htm: 'html', xhtml: 'html', xml: 'xml', json: 'json', csv: 'csv', tsv: 'tsv', tab: 'tsv',
  md: 'markdown', markdown: 'markdown', eml: 'email', txt: 'text', text: 'text', log: 'text',
} // biome-ignore format: a table

const MIMES: Record<string, Binary | Textual> = {
  'application/pdf': 'pdf',
  'text/html': 'html',
  'text/csv': 'csv',
  'text/tab-separated-values': 'tsv',
  'text/markdown': 'markdown',
  'message/rfc822': 'email',
  'application/json': 'json',
  'application/xml': 'xml',
  'text/xml': 'xml',
  'text/plain': 'text',
}

/** What name or MIME type claim, if anything. */
export function claimedFormat(file: FileInput): Binary | Textual | undefined {
  const extension = /\.([a-z0-9]{1,8})$/i.exec(file.name ?? '')?.[1]?.toLowerCase() ?? ''
  if (Object.hasOwn(EXTENSIONS, extension)) return EXTENSIONS[extension]
  const mime = (file.mime ?? '').split(';')[0]!.trim().toLowerCase()
  return Object.hasOwn(MIMES, mime) ? MIMES[mime] : undefined
}

export async function detectFormat(file: FileInput): Promise<Detected> {
  const { bytes } = file
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 1024))
  if (head.includes('%PDF-')) return { format: 'pdf', mime: 'application/pdf' }
  if (head.startsWith('PK\x03\x04') || head.startsWith('PK\x05\x06')) return detectArchive(bytes)
  if (head.startsWith('\xd0\xcf\x11\xe0')) return detectCompound(bytes)
  if (head.startsWith('{\\rtf')) return { format: 'rtf', mime: 'application/rtf' }
  const magic = await fileTypeFromBuffer(bytes.subarray(0, 64 * 1024)).catch(() => undefined)
  if (magic?.mime.startsWith('image/') && magic.ext !== 'svg') {
    if (/^(png|jpg|gif|bmp|tif|webp)$/.test(magic.ext)) return { format: 'image', mime: magic.mime }
    throw new TroupeError('document_unreadable', `Images of type ${magic.mime} are not read`)
  }
  if (magic !== undefined && !/xml|text|json|rtf|vcard|calendar|eml|svg/.test(`${magic.mime} ${magic.ext}`)) {
    const what = `The file is ${magic.mime} (.${magic.ext}), which holds no text that can be read`
    throw new TroupeError('document_unreadable', what, { detail: { mime: magic.mime } })
  }
  return detectText(file)
}

function detectArchive(bytes: Uint8Array): Detected {
  const { entries, text } = openArchive(bytes)
  const office = 'application/vnd.openxmlformats-officedocument.'
  if (entries.has('word/document.xml')) return { format: 'docx', mime: `${office}wordprocessingml.document` }
  if (entries.has('xl/workbook.xml')) return { format: 'xlsx', mime: `${office}spreadsheetml.sheet` }
  if (entries.has('xl/workbook.bin')) return { format: 'xlsb', mime: 'application/vnd.ms-excel.sheet.binary' }
  if (entries.has('ppt/presentation.xml')) return { format: 'pptx', mime: `${office}presentationml.presentation` }
  const declared = entries.has('mimetype') ? (text('mimetype') ?? '').trim() : ''
  if (declared === 'application/epub+zip') return { format: 'epub', mime: declared }
  const open = /^application\/vnd\.oasis\.opendocument\.(text|spreadsheet|presentation)/.exec(declared)?.[1]
  if (open !== undefined) {
    return { format: open === 'text' ? 'odt' : open === 'spreadsheet' ? 'ods' : 'odp', mime: declared }
  }
  // Some producers name their main part freely; the content types then say what it is.
  const types = entries.has('[Content_Types].xml') ? (text('[Content_Types].xml') ?? '') : ''
  if (types.includes('wordprocessingml.document.main'))
    return { format: 'docx', mime: `${office}wordprocessingml.document` }
  if (types.includes('spreadsheetml.sheet.main')) return { format: 'xlsx', mime: `${office}spreadsheetml.sheet` }
  return { format: 'zip', mime: 'application/zip' }
}

/** The container of Office files before 2007, and of encrypted ones since. Its streams have UTF-16 names. */
function detectCompound(bytes: Uint8Array): Detected {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const has = (name: string) => buffer.includes(Buffer.from(name, 'utf16le'))
  if (has('EncryptedPackage')) return { format: 'encrypted-office' }
  if (has('Workbook') || has('Book')) return { format: 'xls', mime: 'application/vnd.ms-excel' }
  const what = has('WordDocument')
    ? 'a Word file of the format before 2007 (.doc); save it as .docx'
    : has('PowerPoint Document')
      ? 'a PowerPoint file of the format before 2007 (.ppt); save it as .pptx'
      : has('__properties_version1.0')
        ? 'an Outlook message (.msg); save it as .eml'
        : 'a compound file of an unknown program'
  throw new TroupeError('document_unreadable', `The file is ${what}`)
}

function detectText(file: FileInput): Detected {
  const decoded = decodeText(file.bytes, charsetOf(file.mime) ?? declaredCharset(file.bytes))
  const start = decoded.text.slice(0, 16 * 1024)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a text never has is how a binary file is told
  const strange = start.match(/[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]/g)?.length ?? 0
  if (strange > start.length * 0.1) {
    throw new TroupeError('document_unreadable', 'The file is neither a known document format nor text')
  }
  return { format: textualFormat(start, decoded.text, claimedFormat(file)), decoded }
}

function charsetOf(mime: string | undefined): string | undefined {
  return /charset\s*=\s*"?([\w-]+)/i.exec(mime ?? '')?.[1]
}

function textualFormat(start: string, text: string, claimed: Binary | Textual | undefined): Textual {
  if (/^\s*(?:<!--[\s\S]{0,2000}?-->\s*)?<(!doctype\s+html|html|head|body)\b/i.test(start)) return 'html'
  if (/^\s*<\?xml/.test(start)) return /<html[\s>]/i.test(start) ? 'html' : 'xml'
  if (looksLikeEmail(start)) return 'email'
  if (claimed === 'html' || claimed === 'csv' || claimed === 'tsv' || claimed === 'markdown' || claimed === 'json') {
    return claimed
  }
  if (claimed === 'xml' && start.trimStart().startsWith('<')) return 'xml'
  if (claimed === 'email' || claimed === 'text') return 'text'
  if (/^\s*[[{]/.test(start) && isJson(text)) return 'json'
  if (looksLikeCsv(text)) return 'csv'
  const marks = start.match(/^#{1,6} \S|^[-*+] \S|^```|\[[^\]\n]+\]\(https?:/gm)?.length ?? 0
  return marks >= 3 && /^#{1,6} \S/m.test(start) ? 'markdown' : 'text'
}

function looksLikeEmail(start: string): boolean {
  const head = start.split(/\r?\n\r?\n/)[0]!
  const found = new Set(
    [
      ...head.matchAll(
        /^(from|to|subject|date|message-id|mime-version|received|return-path|content-type|delivered-to):/gim,
      ),
    ].map(([, name]) => name!.toLowerCase()),
  )
  return /^(from |[\w-]+:)/i.test(head) && (found.size >= 3 || (found.size === 2 && found.has('mime-version')))
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
