// OpenDocument text and presentations (.odt, .odp), and e-books (.epub): XML or HTML inside a zip.
import { TroupeError } from '@troupe/sdk'
import { type Archive, openArchive } from './archive.ts'
import type { ExtractedDocument } from './document.ts'
import { writeHtml } from './html.ts'
import { createWriter, type DocumentWriter } from './writer.ts'
import { attribute, parseXml, resolvePart } from './xml.ts'

export function readOpenDocument(bytes: Uint8Array, kind: 'odt' | 'odp'): ExtractedDocument {
  const archive = openArchive(bytes)
  const writer = createWriter()
  const mime = `application/vnd.oasis.opendocument.${kind === 'odt' ? 'text' : 'presentation'}`
  if (/manifest:encryption-data/.test(archive.text('META-INF/manifest.xml') ?? '')) {
    writer.warn('encrypted', 'The document is encrypted; its content cannot be read without the password')
    return writer.finish({ format: kind, mime, encrypted: true })
  }
  const source = archive.text('content.xml')
  if (source === undefined) throw new TroupeError('document_unreadable', 'The OpenDocument file has no content.xml')
  readMeta(archive, writer)
  readContent(source, writer)
  return writer.finish({ format: kind, mime })
}

function readMeta(archive: Archive, writer: DocumentWriter): void {
  const names: Record<string, string> = {
    title: 'title',
    creator: 'author',
    subject: 'subject',
    keyword: 'keywords',
    'creation-date': 'created',
    date: 'modified',
    language: 'language',
    generator: 'producer',
  }
  let text = ''
  parseXml(archive.text('meta.xml') ?? '', {
    open() {
      text = ''
    },
    text(piece) {
      text += piece
    },
    close(name) {
      if (Object.hasOwn(names, name)) writer.meta(names[name]!, text)
      text = ''
    },
  })
}

function readContent(source: string, writer: DocumentWriter): void {
  let text = ''
  let level: number | undefined
  let depth = -1
  let slides = 0
  let rows: string[][] | undefined
  let cell = ''
  parseXml(
    source,
    {
      open(name, attributes) {
        if (name === 'p' || name === 'h') {
          text = ''
          level = name === 'h' ? Number(attribute(attributes, 'outline-level') ?? 1) : undefined
        } else if (name === 'list') depth += 1
        else if (name === 'tab') text += '\t'
        else if (name === 's') text += ' '.repeat(Math.min(100, Number(attribute(attributes, 'c') ?? 1)))
        else if (name === 'line-break') text += '\n'
        else if (name === 'table') rows = []
        else if (name === 'table-row') rows?.push([])
        else if (name === 'table-cell') cell = ''
        else if (name === 'page' && slides++ > 0) writer.pageBreak()
        else if (name === 'a') writer.link(attribute(attributes, 'href') ?? '')
      },
      text(piece) {
        text += piece
      },
      close(name) {
        if (name === 'p' || name === 'h') {
          if (rows !== undefined) cell += `${text}\n`
          else if (level !== undefined) writer.heading(level, text)
          else if (depth >= 0) writer.listItem(text, { ordered: false, depth })
          else writer.paragraph(text)
          text = ''
        } else if (name === 'list') depth -= 1
        else if (name === 'table-cell') rows?.at(-1)?.push(cell.trim())
        else if (name === 'table') {
          writer.table(rows ?? [])
          rows = undefined
        }
      },
    },
    writer,
  )
}

export function readEpub(bytes: Uint8Array): ExtractedDocument {
  const archive = openArchive(bytes)
  const writer = createWriter()
  const main = /full-path="([^"]+)"/.exec(archive.text('META-INF/container.xml') ?? '')?.[1] ?? ''
  const source = archive.text(main)
  if (source === undefined) throw new TroupeError('document_unreadable', 'The e-book has no package file')
  const folder = main.split('/').slice(0, -1).join('/')
  const items = new Map<string, string>()
  const spine: string[] = []
  parseXml(source, {
    open(name, attributes) {
      if (name === 'item') items.set(attributes['id'] ?? '', attributes['href'] ?? '')
      else if (name === 'itemref') spine.push(items.get(attributes['idref'] ?? '') ?? '')
    },
  })
  spine.forEach((href, index) => {
    if (index > 0) writer.pageBreak()
    const chapter = archive.text(resolvePart(folder, plainPath(href)))
    if (chapter === undefined) writer.warn('damaged', `Chapter ${index + 1} (${href}) is missing from the file`)
    else writeHtml(chapter, writer)
  })
  return writer.finish({ format: 'epub', mime: 'application/epub+zip' })
}

/** What a package file names are addresses: `chapter%201.xhtml` lies in the archive as `chapter 1.xhtml`. */
function plainPath(href: string): string {
  try {
    return decodeURIComponent(href)
  } catch {
    return href
  }
}
