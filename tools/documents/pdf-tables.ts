// Tables in a PDF are only words that stand below each other. Lines that follow each other and fall into the same
// columns, three or more, are taken for one. Justified prose has no gaps that wide, and two columns of prose
// have no short cells.
import type { PdfLine } from './pdf-lines.ts'

export interface PdfTable {
  /** Index of its last line. */
  last: number
  rows: string[][]
}

const MIN_ROWS = 3
/** Points by which the cells of one column may differ in their left or right edge. */
const TOLERANCE = 6

export function findTables(lines: PdfLine[]): PdfTable[] {
  const tables: PdfTable[] = []
  let run: PdfLine[] = []
  lines.forEach((line, index) => {
    if (line.segments.length >= 2 && (run.length === 0 || fits(run, line))) run.push(line)
    else {
      close(run, index - 1, tables)
      run = line.segments.length >= 2 ? [line] : []
    }
  })
  close(run, lines.length - 1, tables)
  return tables
}

/** A row belongs to the table when most of its cells line up with the widest row so far. */
function fits(run: PdfLine[], line: PdfLine): boolean {
  const widest = run.reduce((most, one) => (one.segments.length > most.segments.length ? one : most))
  const aligned = line.segments.filter((cell) => widest.segments.some((other) => sameColumn(cell, other)))
  return aligned.length >= Math.min(2, line.segments.length) && aligned.length >= line.segments.length * 0.6
}

interface Extent {
  start: number
  end: number
}

function sameColumn(a: Extent, b: Extent): boolean {
  if (Math.abs(a.start - b.start) <= TOLERANCE || Math.abs(a.end - b.end) <= TOLERANCE) return true
  const middle = (one: Extent) => (one.start + one.end) / 2
  return Math.abs(middle(a) - middle(b)) <= TOLERANCE
}

function close(run: PdfLine[], last: number, tables: PdfTable[]): void {
  if (run.length < MIN_ROWS) return
  const widest = run.reduce((most, one) => (one.segments.length > most.segments.length ? one : most)).segments
  const long = run.flatMap((line) => line.segments).filter((cell) => cell.text.length > 60).length
  if (widest.length < 2 || long > run.length * widest.length * 0.3) return
  const rows = run.map((line) => {
    const row = widest.map(() => '')
    for (const cell of line.segments) {
      let best = 0
      widest.forEach((column, index) => {
        const distance = (one: Extent) => Math.min(Math.abs(one.start - cell.start), Math.abs(one.end - cell.end))
        if (distance(column) < distance(widest[best]!)) best = index
      })
      row[best] = row[best] === '' ? cell.text : `${row[best]} ${cell.text}`
    }
    return row
  })
  tables.push({ last, rows })
}
