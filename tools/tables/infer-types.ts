// A grid of cells to typed columns. A type is taken when nearly all values fit it; the few that do not become null
// and are named with their row, so that a quality check can report them and a sum is not spoiled by "n/a".
import { DATE_READERS } from './dates.ts'
import { TABLE_LIMITS } from './source.ts'

export type Cell = string | number | boolean | null
export type ColumnType = 'integer' | 'number' | 'boolean' | 'date' | 'timestamp' | 'text'

export interface TableIssue {
  kind: 'ragged_row' | 'bad_value' | 'duplicate_column' | 'ambiguous_dates'
  /** Counted from 1, without the header. */
  row?: number
  column?: string
  value?: string
  message: string
}

export interface Grid {
  header: string[]
  rows: Cell[][]
  issues: TableIssue[]
}

export interface Column {
  name: string
  type: ColumnType
  values: Cell[]
}

/** Below this share of fitting values a column is text. */
const FITTING_SHARE = 0.95
/** Spellings of "nothing" in columns of numbers and dates; in text they may be real values. */
const NULL_WORDS = new Set(['', 'na', 'n/a', 'null', 'nan', 'none', '-', '--', '#n/a', 'nil', '?'])

interface Reading {
  type: ColumnType
  spelling?: string
  values: Cell[]
  bad: number[]
}

type Reader = (value: string | number | boolean) => Cell | undefined

export function inferColumns(grid: Grid): { columns: Column[]; issues: TableIssue[]; issueCount: number } {
  const issues = [...grid.issues]
  const names = uniqueNames(grid.header, issues)
  const columns = names.map((name, index) => {
    const cells = grid.rows.map((row) => row[index] ?? null)
    const reading = readColumn(cells)
    for (const row of reading.bad) {
      const value = String(cells[row])
      issues.push({
        kind: 'bad_value',
        row: row + 1,
        column: name,
        value: value.slice(0, 200),
        message: `row ${row + 1}: ${JSON.stringify(value.slice(0, 60))} in ${name} is not a ${reading.type}`,
      })
    }
    if (reading.spelling === 'month/day/year' && isAmbiguous(cells)) {
      issues.push({
        kind: 'ambiguous_dates',
        column: name,
        message: `${name} is read as month/day/year; no value tells`,
      })
    }
    return { name, type: reading.type, values: reading.values }
  })
  return { columns, issues: issues.slice(0, TABLE_LIMITS.issues), issueCount: issues.length }
}

function readColumn(cells: Cell[]): Reading {
  const candidates: [ColumnType, Reader, string?][] = [
    ['boolean', readBoolean],
    ['integer', readInteger],
    ['number', readNumber],
    ['number', readCommaNumber],
    ...DATE_READERS.map((reader): [ColumnType, Reader, string] => [
      'date',
      (value) => (typeof value === 'string' ? reader.read(value.trim()) : undefined),
      reader.name,
    ]),
  ]
  let best: Reading | undefined
  for (const [type, reader, spelling] of candidates) {
    const reading = readAll(cells, type, reader)
    if (reading === undefined) continue
    if (spelling !== undefined) reading.spelling = spelling
    if (best === undefined || reading.bad.length < best.bad.length) best = reading
    if (best.bad.length === 0) break
  }
  if (best?.type === 'date') return withClock(best)
  return (
    best ?? { type: 'text', values: cells.map((cell) => (cell === null || cell === '' ? null : String(cell))), bad: [] }
  )
}

/** Undefined as soon as too many values do not fit, or when there is no value at all. */
function readAll(cells: Cell[], type: ColumnType, reader: Reader): Reading | undefined {
  const allowed = Math.floor(cells.length * (1 - FITTING_SHARE))
  const values: Cell[] = new Array(cells.length).fill(null)
  const bad: number[] = []
  let filled = 0
  for (const [row, cell] of cells.entries()) {
    if (cell === null || (typeof cell === 'string' && NULL_WORDS.has(cell.trim().toLowerCase()))) continue
    filled++
    const value = reader(cell)
    if (value !== undefined) values[row] = value
    else if (bad.push(row) > allowed) return undefined
  }
  return filled > 0 && bad.length <= filled * (1 - FITTING_SHARE) ? { type, values, bad } : undefined
}

const TRUE_FALSE = new Map([
  ['true', true],
  ['false', false],
  ['yes', true],
  ['no', false],
])
function readBoolean(value: string | number | boolean): Cell | undefined {
  if (typeof value === 'boolean') return value
  return typeof value === 'string' ? TRUE_FALSE.get(value.trim().toLowerCase()) : undefined
}

function readInteger(value: string | number | boolean): Cell | undefined {
  const number = typeof value === 'string' && !/^\s*[+-]?\d+\s*$/.test(value) ? undefined : readNumber(value)
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined
}

const PLAIN = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/
const GROUPED = /^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/
const LEADING_ZERO = /^[+-]?0\d/

function readNumber(value: string | number | boolean): Cell | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string') return undefined
  const { digits, sign } = bare(value)
  if (isCode(digits)) return undefined
  if (PLAIN.test(digits)) return finite(sign * Number(digits))
  return GROUPED.test(digits) ? finite(sign * Number(digits.replaceAll(',', ''))) : undefined
}

/** 1.234,56 as much of Europe writes it. */
function readCommaNumber(value: string | number | boolean): Cell | undefined {
  if (typeof value !== 'string') return readNumber(value)
  const { digits, sign } = bare(value)
  if (!/^[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?$/.test(digits) || isCode(digits.split(',')[0]!)) return undefined
  return finite(sign * Number(digits.replaceAll('.', '').replace(',', '.')))
}

/** As a number 00420 would lose its zeros, and sixteen digits may become sixteen others: codes, not quantities. */
function isCode(digits: string): boolean {
  return LEADING_ZERO.test(digits) || (/^[+-]?\d{16,}$/.test(digits) && !Number.isSafeInteger(Number(digits)))
}

/** Without currency, percent sign and the bookkeeper's brackets for a negative amount. */
function bare(value: string): { digits: string; sign: number } {
  const digits = withoutUnit(value)
  const bracketed = /^\((.+)\)$/.exec(digits)
  return bracketed === null ? { digits, sign: 1 } : { digits: withoutUnit(bracketed[1]!), sign: -1 }
}

function withoutUnit(text: string): string {
  return text
    .trim()
    .replace(/^(-?)\s*[$€£¥]\s*/, '$1')
    .replace(/[€£¥%]$/, '')
    .trimEnd()
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}

/** Dates of which some carry a time of day are timestamps; the others get midnight. */
function withClock(reading: Reading): Reading {
  if (!reading.values.some((value) => typeof value === 'string' && value.length > 10)) return reading
  const values = reading.values.map((value) =>
    typeof value === 'string' && value.length === 10 ? `${value} 00:00:00` : value,
  )
  return { ...reading, type: 'timestamp', values }
}

function isAmbiguous(cells: Cell[]): boolean {
  return cells.every((cell) => !(typeof cell === 'string' && /^\d{1,2}[-/.](1[3-9]|2\d|3[01])[-/.]/.test(cell.trim())))
}

function uniqueNames(header: string[], issues: TableIssue[]): string[] {
  const taken = new Set<string>()
  return header.map((given, index) => {
    const base = given.trim().slice(0, 120) || `column_${index + 1}`
    let name = base
    // SQL does not tell "Region" from "region".
    for (let count = 2; taken.has(name.toLowerCase()); count++) name = `${base}_${count}`
    if (name !== base)
      issues.push({ kind: 'duplicate_column', column: name, message: `a second column ${base} is called ${name}` })
    taken.add(name.toLowerCase())
    return name
  })
}
