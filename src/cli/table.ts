// Rows for a person to read.
import { stripVTControlCharacters } from 'node:util'

/** Columns as wide as they need to be; the last one is not padded. */
export function table(header: string[], rows: (string | number | undefined)[][]): string {
  const cells = [header, ...rows].map((row) => row.map((cell) => String(cell ?? '').replaceAll(/[\t\r\n]+/g, ' ')))
  const widths = header.map((_, column) => Math.max(...cells.map((row) => widthOf(row[column]!))))
  const lines = cells.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell + ' '.repeat(widths[column]! - widthOf(cell))))
      .join('  ')
      .trimEnd(),
  )
  return lines.join('\n')
}

/** Names and their values, one a line; what is undefined is left out. */
export function facts(named: Record<string, string | number | undefined>): string {
  const known = Object.entries(named).filter(([, value]) => value !== undefined)
  const width = Math.max(...known.map(([name]) => name.length))
  return known.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length
}

/** How long ago, or how long: 850 ms, 12 s, 3 min, 5 h, 2 d. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`
  return `${Math.round(ms / 86_400_000)} d`
}

export function bytes(count: number): string {
  if (count < 1_024) return `${count} B`
  if (count < 1_048_576) return `${(count / 1_024).toFixed(1)} KiB`
  if (count < 1_073_741_824) return `${(count / 1_048_576).toFixed(1)} MiB`
  return `${(count / 1_073_741_824).toFixed(1)} GiB`
}
