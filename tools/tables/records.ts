// JSON in its usual table shapes to a grid: an array of objects, an object that holds one, an array of arrays with a
// header, one object to a line. Nested values stay as JSON text: flattening would invent columns.
import { TroupeError } from '@troupe/sdk'
import type { Cell, Grid } from './infer-types.ts'
import { TABLE_LIMITS } from './source.ts'

export function parseJsonTable(text: string): Grid {
  const value = parse(text, 'the JSON')
  return recordsToGrid(findRecords(value))
}

export function parseNdjsonTable(text: string): Grid {
  const records: unknown[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() !== '') records.push(parse(line, `line ${index + 1}`))
  }
  return recordsToGrid(records)
}

export function recordsToGrid(records: unknown[]): Grid {
  if (records.length > 0 && records.every(Array.isArray)) return arraysToGrid(records)
  const position = new Map<string, number>()
  for (const [index, record] of records.entries()) {
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw new TroupeError('document_unreadable', `row ${index + 1} is not an object with named values`)
    }
    for (const key of Object.keys(record)) if (!position.has(key)) position.set(key, position.size)
    checkSize(position.size, records.length)
  }
  if (position.size === 0) throw new TroupeError('document_unreadable', 'the table is empty: no row names a column')
  const rows = records.map((record) => {
    const cells: Cell[] = new Array(position.size).fill(null)
    for (const [key, value] of Object.entries(record as object)) cells[position.get(key)!] = toCell(value)
    return cells
  })
  return { header: [...position.keys()], rows, issues: [] }
}

function arraysToGrid(records: unknown[][]): Grid {
  const [header = [], ...rest] = records
  checkSize(header.length, rest.length)
  const rows = rest.map((record) => header.map((_, index) => toCell(record[index])))
  return { header: header.map(String), rows, issues: [] }
}

function findRecords(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value === 'object' && value !== null) {
    const lists = Object.values(value).filter(Array.isArray)
    if (lists.length === 1) return lists[0]!
    return [value]
  }
  throw new TroupeError('document_unreadable', 'the JSON is neither a list of rows nor an object that holds one')
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TroupeError('document_unreadable', `${what} is not valid JSON: ${(cause as Error).message}`, { cause })
  }
}

function toCell(value: unknown): Cell {
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  return JSON.stringify(value)
}

function checkSize(columns: number, rows: number): void {
  if (columns > TABLE_LIMITS.columns) {
    throw new TroupeError('limit_exceeded', `the table has ${columns} columns; the limit is ${TABLE_LIMITS.columns}`)
  }
  if (columns * rows > TABLE_LIMITS.cells) {
    throw new TroupeError('limit_exceeded', `the table has more than ${TABLE_LIMITS.cells} cells`)
  }
}
