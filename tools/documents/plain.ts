// Files that are text already: plain text, JSON, XML, RTF.
import { TroupeError } from '@troupe/sdk'
import type { ExtractedDocument } from './document.ts'
import { createWriter } from './writer.ts'
import { parseXml } from './xml.ts'

export function readPlain(text: string, encoding: string): ExtractedDocument {
  const writer = createWriter()
  // A form feed is how a text file ends a page.
  text.split('\f').forEach((page, index) => {
    if (index > 0) writer.pageBreak()
    writer.raw(page)
  })
  return writer.finish({ format: 'text', mime: 'text/plain', encoding })
}

export function readJson(text: string, encoding: string): ExtractedDocument {
  const writer = createWriter()
  try {
    JSON.parse(text)
  } catch (error) {
    writer.warn('damaged', `The JSON is not valid: ${error instanceof Error ? error.message.slice(0, 200) : ''}`)
  }
  writer.raw(text)
  return writer.finish({ format: 'json', mime: 'application/json', encoding })
}

export function readXmlText(source: string, encoding: string): ExtractedDocument {
  const writer = createWriter()
  let text = ''
  const flush = () => {
    writer.paragraph(text.replace(/\s+/g, ' '))
    text = ''
  }
  const add = (piece: string) => {
    text += piece
  }
  parseXml(source, { open: flush, close: flush, text: add }, writer)
  flush()
  return writer.finish({ format: 'xml', mime: 'application/xml', encoding })
}

const SKIPPED =
  /^(fonttbl|colortbl|stylesheet|info|pict|object|themedata|datastore|latentstyles|listtable|generator|xmlnstbl)$/

export function readRtf(bytes: Uint8Array): ExtractedDocument {
  const source = new TextDecoder('latin1').decode(bytes)
  if (!source.startsWith('{\\rtf')) throw new TroupeError('document_unreadable', 'The RTF file does not start as one')
  const writer = createWriter()
  const codePage = /\\ansicpg(\d+)/.exec(source)?.[1] ?? '1252'
  const decoder = new TextDecoder(/^125\d$/.test(codePage) ? `windows-${codePage}` : 'windows-1252')
  const groups: { silent: boolean; unicodeSkip: number }[] = [{ silent: false, unicodeSkip: 1 }]
  let skip = 0
  const put = (text: string) => {
    if (skip > 0) skip -= 1
    else if (!groups.at(-1)!.silent) writer.raw(text)
  }
  for (const [token, word, number, hex, symbol] of source.matchAll(
    /\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-f]{2})|\\([^a-z])|[{}]|[^\\{}\r\n]+/gi,
  )) {
    const group = groups.at(-1)!
    if (token === '{') {
      if (groups.length < 1_000) groups.push({ ...group })
    } else if (token === '}') {
      if (groups.length > 1) groups.pop()
    } else if (word !== undefined) {
      if (SKIPPED.test(word)) group.silent = true
      else if (word === 'par' || word === 'line' || word === 'row') put('\n')
      else if (word === 'tab' || word === 'cell') put('\t')
      else if (word === 'page' && !group.silent) writer.pageBreak()
      else if (word === 'uc') group.unicodeSkip = Number(number ?? 1)
      else if (word === 'u') {
        put(String.fromCharCode(Number(number ?? 63) & 0xffff))
        skip = group.unicodeSkip
      }
    } else if (hex !== undefined) put(decoder.decode(Uint8Array.of(Number.parseInt(hex, 16))))
    else if (symbol !== undefined) {
      if (symbol === '*') group.silent = true
      else if (symbol === '~') put('\u00a0')
      else if (/[\\{}]/.test(symbol)) put(symbol)
    } else {
      // The characters after \\u that stand in for it in old readers.
      const shown = token.slice(skip)
      skip = Math.max(0, skip - token.length)
      if (shown !== '') put(shown)
    }
  }
  return writer.finish({ format: 'rtf', mime: 'application/rtf' })
}
