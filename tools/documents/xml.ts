// XML as a stream of open, text and close. Only the five entities of XML itself and character numbers are decoded:
// entities a file declares are neither expanded (no bombs) nor fetched (no external ones), and the reader warns.
import { TroupeError } from '@troupe/sdk'
import { Parser } from 'htmlparser2'
import { LIMITS } from './document.ts'
import type { DocumentWriter } from './writer.ts'

export interface XmlHandler {
  open?(name: string, attributes: Record<string, string>): void
  text?(text: string): void
  close?(name: string): void
}

/** Names come without their namespace prefix, attributes too where that leaves them unique. */
export function parseXml(source: string, handler: XmlHandler, writer?: DocumentWriter): void {
  if (writer !== undefined && /<!ENTITY/i.test(source.slice(0, 100_000))) {
    writer.warn('xml_entities', 'The file declares XML entities; they were neither expanded nor fetched')
  }
  let depth = 0
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        depth += 1
        if (depth > LIMITS.xmlDepth) {
          throw new TroupeError('limit_exceeded', `The XML is nested deeper than ${LIMITS.xmlDepth}`)
        }
        handler.open?.(localName(name), attributes)
      },
      ontext(text) {
        handler.text?.(text)
      },
      onclosetag(name) {
        depth -= 1
        handler.close?.(localName(name))
      },
    },
    { xmlMode: true, decodeEntities: true },
  )
  parser.write(source)
  parser.end()
}

export function localName(name: string): string {
  const colon = name.indexOf(':')
  return colon < 0 ? name : name.slice(colon + 1)
}

/** An attribute whatever prefix the producer chose: `val` finds `w:val`. */
export function attribute(attributes: Record<string, string>, name: string): string | undefined {
  for (const key in attributes) if (localName(key) === name) return attributes[key]
  return undefined
}

/** Relationship ids of an office part → what they point at, made absolute inside the archive. */
export function parseRelationships(
  source: string | undefined,
  folder: string,
): Map<string, { target: string; type: string }> {
  const found = new Map<string, { target: string; type: string }>()
  if (source === undefined) return found
  parseXml(source, {
    open(name, attributes) {
      if (name !== 'Relationship') return
      const target = attributes['Target'] ?? ''
      const type = (attributes['Type'] ?? '').split('/').at(-1) ?? ''
      const external = attributes['TargetMode'] === 'External'
      found.set(attributes['Id'] ?? '', { type, target: external ? target : resolvePart(folder, target) })
    },
  })
  return found
}

/** A path inside the archive, as seen from a folder in it. */
export function resolvePart(folder: string, target: string): string {
  if (target.startsWith('/')) return target.slice(1)
  const parts = folder === '' ? [] : folder.split('/')
  for (const step of target.split('/')) {
    if (step === '..') parts.pop()
    else if (step !== '.' && step !== '') parts.push(step)
  }
  return parts.join('/')
}

/** docProps/core.xml and app.xml: title, author, dates. */
export function readOfficeProperties(read: (name: string) => string | undefined, writer: DocumentWriter): void {
  const names: Record<string, string> = {
    title: 'title',
    subject: 'subject',
    creator: 'author',
    keywords: 'keywords',
    description: 'description',
    lastModifiedBy: 'lastModifiedBy',
    created: 'created',
    modified: 'modified',
    language: 'language',
    category: 'category',
    Application: 'producer',
    Company: 'company',
  }
  for (const part of ['docProps/core.xml', 'docProps/app.xml']) {
    const source = read(part)
    if (source === undefined) continue
    let value = ''
    parseXml(source, {
      open() {
        value = ''
      },
      text(text) {
        value += text
      },
      close(name) {
        if (Object.hasOwn(names, name)) writer.meta(names[name]!, value)
        value = ''
      },
    })
  }
}
