// Reads training data: CSV, TSV (RFC 4180 quoting in both) and JSON lines, as rows of named text columns.
import { readFile } from 'node:fs/promises'
import { TroupeError } from '../contract/errors.ts'

export type Row = Record<string, string>

export async function readTable(path: string): Promise<Row[]> {
  const content = (await read(path)).replace(/^\ufeff/, '')
  if (/\.(jsonl|ndjson)$/i.test(path)) return readJsonLines(content, path)
  return readDelimited(content, /\.tsv$/i.test(path) ? '\t' : ',', path)
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new TroupeError('document_unreadable', `the data cannot be read: ${(cause as Error).message}`, { cause })
  }
}

export function readDelimited(content: string, delimiter: string, source: string): Row[] {
  const [header, ...records] = splitRecords(content, delimiter, source)
  if (header === undefined) throw new TroupeError('document_unreadable', `${source} is empty`)
  return records.map((record, index) => {
    if (record.length !== header.length) {
      throw new TroupeError(
        'document_unreadable',
        `${source}: record ${index + 1} has ${record.length} fields, the header has ${header.length}`,
      )
    }
    return Object.fromEntries(header.map((name, column) => [name, record[column]!]))
  })
}

function splitRecords(content: string, delimiter: string, source: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  let at = 0
  while (at < content.length) {
    let field = ''
    if (content[at] === '"') {
      at += 1
      for (;;) {
        const quote = content.indexOf('"', at)
        if (quote === -1) throw new TroupeError('document_unreadable', `${source}: a quoted field is never closed`)
        field += content.slice(at, quote)
        at = quote + 1
        if (content[at] !== '"') break
        field += '"'
        at += 1
      }
    }
    const start = at
    while (at < content.length && content[at] !== delimiter && content[at] !== '\n') at++
    record.push(field + content.slice(start, at).replace(/\r$/, ''))
    if (content[at] === delimiter && at + 1 === content.length) record.push('')
    if (content[at] !== delimiter) {
      if (record.length > 1 || record[0] !== '') records.push(record)
      record = []
    }
    at += 1
  }
  if (record.length > 0) records.push(record)
  return records
}

function readJsonLines(content: string, source: string): Row[] {
  return content
    .split('\n')
    .map((line, index) => ({ line, index }))
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, index }) => {
      try {
        return Object.fromEntries(
          Object.entries(JSON.parse(line) as Record<string, unknown>).map(([name, value]) => [name, String(value)]),
        )
      } catch (cause) {
        throw new TroupeError('document_unreadable', `${source}: line ${index + 1} is not a JSON object`, { cause })
      }
    })
}
