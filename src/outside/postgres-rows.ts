// What Postgres answers as text, as cells of a table: numbers while they fit, dates and times as ISO text.
import pg from 'pg'

type Cell = string | number | boolean | null

const { BOOL, INT2, INT4, INT8, FLOAT4, FLOAT8, NUMERIC, OID, TIMESTAMP, TIMESTAMPTZ } = pg.types.builtins
const NUMBERS = new Set<number>([INT2, INT4, INT8, FLOAT4, FLOAT8, NUMERIC, OID])

/** Given to the driver instead of its own parsers, which make dates of the local zone and objects of JSON. */
export const cellTypes = {
  getTypeParser: (type: number) => (text: string) => toCell(type, text),
}

function toCell(type: number, text: string): Cell {
  if (type === BOOL) return text === 't'
  if (NUMBERS.has(type)) return toNumber(text)
  // 2024-01-02 03:04:05+00 → 2024-01-02T03:04:05+00:00
  if (type === TIMESTAMP || type === TIMESTAMPTZ) return text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')
  return text
}

/** A number that would lose digits stays text; NaN and infinity are no values. */
function toNumber(text: string): Cell {
  const number = Number(text)
  if (!Number.isFinite(number)) return null
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? text : number
}
