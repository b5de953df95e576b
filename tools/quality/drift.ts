// A table against a reference. For each column the population stability index over ten bins of the reference (or its
// values), and for numbers the Kolmogorov–Smirnov distance with its chance.
import { z } from 'zod'
import { quantile } from '../statistics/index.ts'
import { type LoadedTable, sql, type Tables } from '../tables/index.ts'

export const driftedColumn = z.object({
  column: z.string(),
  drift: z.enum(['none', 'some', 'strong', 'missing', 'new', 'type']),
  stability: z.number().optional().describe('Population stability index: below 0.1 none, below 0.25 some'),
  distance: z.number().optional().describe('Kolmogorov–Smirnov: the largest difference of the shares below any value'),
  chance: z.number().optional().describe('Of a distance that large between samples of one distribution'),
  nulls: z.object({ reference: z.number(), current: z.number() }).optional().describe('Shares of missing values'),
  text: z.string(),
})
export type DriftedColumn = z.infer<typeof driftedColumn>

const BINS = 10
const MOST_ROWS = 50_000
const SOME = 0.1
const STRONG = 0.25
const CHANCE = 0.001

export async function compareColumns(
  tables: Tables,
  reference: LoadedTable,
  current: LoadedTable,
): Promise<DriftedColumn[]> {
  const results: DriftedColumn[] = []
  for (const { name, type } of reference.columns) {
    const own = current.columns.find((column) => column.name === name)
    if (own === undefined) {
      results.push({ column: name, drift: 'missing', text: `${name} is missing` })
      continue
    }
    const isNumber = (kind: string) => kind === 'integer' || kind === 'number'
    if (own.type !== type && !(isNumber(own.type) && isNumber(type))) {
      results.push({ column: name, drift: 'type', text: `${name} was ${type} and is ${own.type}` })
      continue
    }
    const [before, now] = [
      await read(tables, reference.name, name, type),
      await read(tables, current.name, name, own.type),
    ]
    // New data has new dates and new numbers of orders: that is what makes it new.
    if (type === 'date' || type === 'timestamp' || (type !== 'number' && namesRows(before) && namesRows(now))) {
      results.push({
        column: name,
        drift: 'none',
        text: `${name} tells rows apart or moves with time; it is not compared`,
      })
      continue
    }
    results.push(isNumber(type) ? compareNumbers(name, before, now) : compareValues(name, before, now))
  }
  for (const { name } of current.columns) {
    if (!reference.columns.some((column) => column.name === name))
      results.push({ column: name, drift: 'new', text: `${name} is new` })
  }
  return results
}

interface Sample {
  values: (string | number)[]
  nulls: number
}

function namesRows({ values }: Sample): boolean {
  return values.length > 20 && new Set(values).size > 0.9 * values.length
}

async function read(tables: Tables, table: string, name: string, type: string): Promise<Sample> {
  const column = sql.identifier(name)
  const value = type === 'integer' || type === 'number' ? column : `CAST(${column} AS TEXT)`
  const { rows } = await tables.query(`SELECT ${value} AS value FROM ${sql.identifier(table)} LIMIT ${MOST_ROWS}`, {
    rows: MOST_ROWS,
  })
  const values = rows.flatMap((row) => (row.value === null ? [] : [row.value as string | number]))
  return { values, nulls: rows.length === 0 ? 0 : 1 - values.length / rows.length }
}

function compareNumbers(column: string, before: Sample, now: Sample): DriftedColumn {
  const [left, right] = [before, now].map((sample) => Float64Array.from(sample.values as number[]).sort()) as [
    Float64Array,
    Float64Array,
  ]
  if (left.length === 0 || right.length === 0) return compareValues(column, before, now)
  const edges = [...new Set(Array.from({ length: BINS - 1 }, (_, index) => quantile([...left], (index + 1) / BINS)))]
  const binOf = (value: number) => edges.findIndex((edge) => value <= edge)
  const stability = stabilityIndex([...left].map(binOf), [...right].map(binOf))
  const distance = largestDifference(left, right)
  const size = Math.sqrt((left.length * right.length) / (left.length + right.length))
  return result(column, stability, before, now, {
    distance,
    chance: kolmogorovTail((size + 0.12 + 0.11 / size) * distance),
  })
}

function compareValues(column: string, before: Sample, now: Sample): DriftedColumn {
  return result(column, stabilityIndex(before.values, now.values), before, now)
}

function result(
  column: string,
  stability: number,
  before: Sample,
  now: Sample,
  numbers: { distance: number; chance: number } | undefined = undefined,
): DriftedColumn {
  const nulls = { reference: before.nulls, current: now.nulls }
  // A small sample has a large index by chance alone: the number of bins over its size is what it would show.
  const byChance = BINS * (1 / Math.max(1, before.values.length) + 1 / Math.max(1, now.values.length))
  const sure = numbers === undefined || numbers.chance < CHANCE
  const moreNulls = Math.abs(now.nulls - before.nulls)
  const drift =
    (stability > STRONG + byChance && sure) || moreNulls > 0.2
      ? 'strong'
      : (stability > SOME + byChance && sure) || moreNulls > 0.05
        ? 'some'
        : 'none'
  const parts = [`stability index ${stability.toFixed(3)}`]
  if (numbers !== undefined) parts.push(`largest difference ${numbers.distance.toFixed(3)}`)
  if (moreNulls > 0.05)
    parts.push(`missing values from ${(100 * before.nulls).toFixed(1)} % to ${(100 * now.nulls).toFixed(1)} %`)
  return {
    column,
    drift,
    stability,
    ...numbers,
    nulls,
    text: `${column}: ${drift === 'none' ? 'no drift' : `${drift} drift`} (${parts.join(', ')})`,
  }
}

function stabilityIndex(before: readonly (string | number)[], now: readonly (string | number)[]): number {
  const count = (values: readonly (string | number)[]) => {
    const counts = new Map<string | number, number>()
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
    return counts
  }
  const [left, right] = [count(before), count(now)]
  const places = new Set([...left.keys(), ...right.keys()])
  let sum = 0
  for (const place of places) {
    // Half an observation in every place: an empty one would make the index infinite.
    const expected = ((left.get(place) ?? 0) + 0.5) / (before.length + 0.5 * places.size)
    const actual = ((right.get(place) ?? 0) + 0.5) / (now.length + 0.5 * places.size)
    sum += (actual - expected) * Math.log(actual / expected)
  }
  return sum
}

function largestDifference(left: Float64Array, right: Float64Array): number {
  let largest = 0
  let [i, j] = [0, 0]
  while (i < left.length && j < right.length) {
    const value = Math.min(left[i]!, right[j]!)
    while (i < left.length && left[i]! <= value) i++
    while (j < right.length && right[j]! <= value) j++
    largest = Math.max(largest, Math.abs(i / left.length - j / right.length))
  }
  return largest
}

/** P(K ≥ x) of Kolmogorov's distribution. */
function kolmogorovTail(x: number): number {
  if (x < 0.3) return 1
  let sum = 0
  for (let term = 1; term <= 100; term++) sum += 2 * (-1) ** (term - 1) * Math.exp(-2 * term * term * x * x)
  return Math.min(1, Math.max(0, sum))
}
