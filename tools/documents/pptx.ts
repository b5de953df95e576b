// PowerPoint: a slide is a page; its title is a heading, its bullets a list, its tables data, its notes follow it.
import { TroupeError } from '@troupe/sdk'
import { openArchive } from './archive.ts'
import type { ExtractedDocument } from './document.ts'
import { createWriter, type DocumentWriter } from './writer.ts'
import { parseRelationships, parseXml, readOfficeProperties } from './xml.ts'

export function readPptx(bytes: Uint8Array): ExtractedDocument {
  const archive = openArchive(bytes)
  const writer = createWriter()
  const main = 'ppt/presentation.xml'
  const source = archive.text(main)
  if (source === undefined) throw new TroupeError('document_unreadable', `The PowerPoint file has no ${main}`)
  const relations = parseRelationships(archive.text('ppt/_rels/presentation.xml.rels'), 'ppt')
  readOfficeProperties((name) => archive.text(name), writer)

  const order: string[] = []
  parseXml(source, {
    open(name, attributes) {
      const target = name === 'sldId' ? relations.get(attributes['r:id'] ?? '')?.target : undefined
      if (target !== undefined) order.push(target)
    },
  })
  for (const [index, slide] of order.entries()) {
    if (index > 0) writer.pageBreak()
    const slideSource = archive.text(slide)
    if (slideSource === undefined) {
      writer.warn('damaged', `Slide ${index + 1} is missing from the file`)
      continue
    }
    readSlide(slideSource, writer, true)
    const own = parseRelationships(archive.text(slide.replace(/([^/]+)$/, '_rels/$1.rels')), 'ppt/slides')
    for (const { type, target } of own.values()) {
      if (type === 'notesSlide') readSlide(archive.text(target) ?? '', writer, false)
      else if (type === 'hyperlink') writer.link(target)
      else if (type === 'image' || type === 'package' || type === 'oleObject') {
        const entry = archive.entries.get(target)
        if (entry !== undefined) writer.attach({ name: target.split('/').at(-1)!, size: entry.size })
      }
    }
  }
  return writer.finish({
    format: 'pptx',
    mime: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  })
}

function readSlide(source: string, writer: DocumentWriter, isSlide: boolean): void {
  let placeholder = ''
  let text = ''
  let inText = false
  let depth = 0
  let rows: string[][] = []
  let row: string[] = []
  let cell: string | undefined

  parseXml(
    source,
    {
      open(name, attributes) {
        if (name === 'sp') placeholder = ''
        else if (name === 'ph') placeholder = attributes['type'] ?? 'body'
        else if (name === 'p') {
          text = ''
          depth = 0
        } else if (name === 'pPr') depth = Number(attributes['lvl'] ?? 0)
        else if (name === 't') inText = true
        else if (name === 'br') text += '\n'
        else if (name === 'tbl') rows = []
        else if (name === 'tr') row = []
        else if (name === 'tc') cell = ''
      },
      text(piece) {
        if (inText) text += piece
      },
      close(name) {
        if (name === 't') inText = false
        else if (name === 'p') {
          // Slide numbers, dates and footers repeat on every slide and say nothing about it.
          if (cell !== undefined) cell += `${text}\n`
          else if (placeholder === 'sldNum' || placeholder === 'dt' || placeholder === 'ftr') return
          else if (isSlide && (placeholder === 'title' || placeholder === 'ctrTitle')) writer.heading(1, text)
          else if (isSlide && (placeholder === 'body' || depth > 0)) writer.listItem(text, { ordered: false, depth })
          else writer.paragraph(text)
        } else if (name === 'tc') {
          row.push((cell ?? '').trim())
          cell = undefined
        } else if (name === 'tr') rows.push(row)
        else if (name === 'tbl') writer.table(rows)
      },
    },
    writer,
  )
}
