// Markdown: the marks become structure, the text stays. A subset read line by line; code blocks are left as they are.
import type { ExtractedDocument } from './document.ts'
import { createWriter } from './writer.ts'

export function readMarkdown(source: string, encoding: string): ExtractedDocument {
  const writer = createWriter()
  const lines = source.split(/\r\n|\n|\r/)
  let at = readFrontMatter(lines, (key, value) => writer.meta(key, value))
  let fence: string | undefined
  for (; at < lines.length; at++) {
    const line = lines[at]!
    const mark = /^\s{0,3}(```+|~~~+)/.exec(line)?.[1]
    if (fence !== undefined) {
      if (mark?.startsWith(fence)) fence = undefined
      else writer.raw(`${line}\n`)
    } else if (mark !== undefined) fence = mark
    else if (/^\s{0,3}#{1,6}\s/.test(line)) {
      const [marks = '#'] = /#+/.exec(line) ?? []
      writer.heading(marks.length, plain(withoutClosing(line.trim().slice(marks.length))))
    } else if (line.trim() !== '' && /^(=+|-{2,})\s*$/.test(lines[at + 1] ?? '') && !line.includes('|')) {
      writer.heading(lines[at + 1]!.startsWith('=') ? 1 : 2, plain(line))
      at += 1
    } else if (line.includes('|') && isRule(lines[at + 1] ?? '')) {
      const rows = [cells(line)]
      at += 2
      while (at < lines.length && lines[at]!.includes('|')) rows.push(cells(lines[at++]!))
      at -= 1
      writer.table(rows)
    } else {
      const item = /^(\s*)([-*+]|\d{1,9}[.)])\s+(?:\[[ xX]\]\s+)?(.*)$/.exec(line)
      if (item !== null) {
        writer.listItem(plain(item[3]!), { ordered: /\d/.test(item[2]!), depth: Math.floor(item[1]!.length / 2) })
      } else if (line.trim() === '') writer.raw('\n')
      else writer.paragraph(plain(line.replace(/^\s{0,3}>\s?/, '')))
    }
    for (const [, target] of line.matchAll(/\]\((https?:[^\s)]{1,2000})/g)) writer.link(target!)
  }
  return writer.finish({ format: 'markdown', mime: 'text/markdown', encoding })
}

function readFrontMatter(lines: string[], meta: (key: string, value: string) => void): number {
  if (lines[0] !== '---') return 0
  const end = lines.indexOf('---', 1)
  if (end < 0 || end > 100) return 0
  for (const line of lines.slice(1, end)) {
    const pair = /^([\w-]{1,40}):\s*(.+)$/.exec(line)
    if (pair !== null) meta(pair[1]!, pair[2]!.replace(/^(["'])(.*)\1$/, '$2'))
  }
  return end + 1
}

/** A heading may end with marks as it begins; those of “C#” belong to its last word. */
function withoutClosing(text: string): string {
  let end = text.length
  while (text[end - 1] === '#') end -= 1
  return (/\s$/.test(text.slice(0, end)) ? text.slice(0, end) : text).trim()
}

/** The line below a table's header: `| --- | :-: |`. */
function isRule(line: string): boolean {
  return line.includes('-') && cells(line).every((cell) => /^:?-+:?$/.test(cell))
}

function cells(line: string): string[] {
  const inner = line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '')
  return inner.split(/(?<!\\)\|/).map((cell) => plain(cell.replaceAll('\\|', '|').trim()))
}

function plain(text: string): string {
  return text
    .replace(/!?\[([^\]]{0,500})\]\([^)]{0,2000}\)/g, '$1')
    .replace(/(\*\*|__|~~)(?=\S)([^*_~]{1,500}?)\1/g, '$2')
    .replace(/(?<![\w*])\*([^\s*][^*]{0,500}?)\*(?!\w)/g, '$1')
    .replace(/`([^`]{1,500})`/g, '$1')
}
