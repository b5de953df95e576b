// Files inside files: an e-mail's attachments, an archive's entries. Each is read as a document of its own and its
// text follows on new pages; one that cannot be read is named with its reason and spoils nothing else.

import { openArchive } from './archive.ts'
import { type ExtractedDocument, type FileInput, LIMITS, type Scan } from './document.ts'
import { toFailure } from './failure.ts'
import { createWriter, type DocumentWriter } from './writer.ts'

/** `open` unpacks it: what is only listed need not be. */
export type InnerFile = Omit<FileInput, 'bytes'> & { size: number; open(): Uint8Array }
export type IncludeFile = (file: InnerFile, writer: DocumentWriter, options?: { skip?: boolean }) => Promise<void>
export type ReadFile = (file: FileInput, depth: number) => Promise<{ document: ExtractedDocument; scans: Scan[] }>

/** How many files inside one file are opened; more are only listed. */
const OPENED = 50

export function includeWith(read: ReadFile, depth: number): IncludeFile {
  let opened = 0
  return async ({ open, size, ...file }, writer, { skip = false } = {}) => {
    const listed = { name: file.name ?? 'unnamed', size, ...(file.mime ? { mime: file.mime } : {}) }
    if (skip) return writer.attach(listed)
    if (depth >= LIMITS.depth) return writer.attach({ ...listed, problem: `nested deeper than ${LIMITS.depth}` })
    opened += 1
    if (opened > OPENED) {
      writer.warn('truncated', `More than ${OPENED} files inside; the rest was not opened, only listed`)
      return writer.attach({ ...listed, problem: `only the first ${OPENED} files are opened` })
    }
    const bytes = open()
    try {
      const { document, scans } = await read({ ...file, bytes }, depth + 1)
      writer.pageBreak()
      const start = writer.length
      const page = writer.page
      append(document, writer)
      for (const scan of scans) {
        if (writer.scans.length < LIMITS.scannedPages) writer.scans.push({ ...scan, page: scan.page + page - 1 })
        else writer.warn('truncated', `More than ${LIMITS.scannedPages} scanned pages; the rest was not read`)
      }
      for (const { kind, message } of document.warnings) writer.warn(kind, `${listed.name}: ${message}`)
      writer.attach({ ...listed, mime: document.mime, start, end: writer.length })
      for (const inner of document.attachments) writer.attach({ ...inner, name: `${listed.name}/${inner.name}` })
    } catch (error) {
      writer.attach({ ...listed, problem: toFailure(error).message })
    }
  }
}

function append(document: ExtractedDocument, writer: DocumentWriter): void {
  const headings = [...document.structure.headings]
  for (const [index, page] of document.pages.entries()) {
    if (index > 0) writer.pageBreak()
    let at = page.start
    const end = page.start + page.text.length
    while (headings[0] !== undefined && headings[0].offset < end) {
      const heading = headings.shift()!
      if (heading.offset < at) continue
      writer.raw(document.text.slice(at, heading.offset))
      writer.heading(heading.level, heading.text)
      at = Math.min(end, heading.offset + heading.text.length + 1)
    }
    writer.raw(document.text.slice(at, end))
    for (const table of document.tables.filter((one) => one.page === page.number)) {
      writer.table([table.header, ...table.rows], {
        text: false,
        rowCount: table.rowCount,
        ...(table.name === undefined ? {} : { name: table.name }),
      })
    }
  }
  for (const link of document.structure.links) writer.link(link)
}

export async function readZip(
  bytes: Uint8Array,
  include: IncludeFile,
): Promise<{ document: ExtractedDocument; scans: Scan[] }> {
  const writer = createWriter()
  const archive = openArchive(bytes)
  if (archive.escaping.length > 0) {
    const names = archive.escaping.slice(0, 3).join(', ')
    writer.warn('suspicious_archive', `${archive.escaping.length} entries have names that leave their folder: ${names}`)
  }
  for (const entry of archive.entries.values()) {
    if (entry.name.endsWith('/')) continue
    if (entry.encrypted) {
      writer.warn('encrypted', 'The archive is encrypted: its entries are only listed')
      writer.attach({ name: entry.name, size: entry.size, problem: 'encrypted' })
      continue
    }
    try {
      await include({ name: entry.name, size: entry.size, open: () => archive.read(entry.name)! }, writer)
    } catch (error) {
      const failure = toFailure(error)
      // One entry over the limits condemns the archive: it was made to be.
      if (failure.code === 'limit_exceeded') throw failure
      writer.attach({ name: entry.name, size: entry.size, problem: failure.message })
    }
  }
  const encrypted = [...archive.entries.values()].some((entry) => entry.encrypted)
  return { document: writer.finish({ format: 'zip', mime: 'application/zip', encrypted }), scans: writer.scans }
}
