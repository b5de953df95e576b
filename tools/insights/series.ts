// One measure over time, as SQL and as numbers. Each point knows its first day, so that seasons can be looked up.
import { sql, type Tables } from '../tables/index.ts'
import type { Measure, TimeAxis } from './plan.ts'
import { isoMoment } from './plan.ts'

export interface Series {
  periods: string[]
  /** The first moment of each period that has rows, as ISO text. */
  starts: string[]
  values: number[]
}

/** Rows of period, start, value in the order of time. `segment` narrows to one value of a dimension. */
export function seriesSql(table: string, time: TimeAxis, measure: Measure, condition?: string): string {
  const where = condition === undefined ? time.filter : `${time.filter} AND ${condition}`
  return (
    `SELECT ${time.period} AS period, min(${sql.isoText(time.column)}) AS start, ${measure.sql} AS value` +
    ` FROM ${sql.identifier(table)} WHERE ${where} GROUP BY 1 ORDER BY 1`
  )
}

export async function readSeries(tables: Tables, query: string): Promise<Series> {
  const { rows } = await tables.query(query, { rows: 20_001 })
  const series: Series = { periods: [], starts: [], values: [] }
  for (const row of rows) {
    if (typeof row.value !== 'number') continue
    series.periods.push(String(row.period))
    series.starts.push(String(row.start))
    series.values.push(row.value)
  }
  return series
}

export function segmentIs(dimension: string, segment: string): string {
  return `CAST(${sql.identifier(dimension)} AS TEXT) = ${sql.literal(segment)}`
}

export type Cycle = {
  name: 'month of the year' | 'day of the week' | 'hour of the day' | 'quarter of the year'
  key: 'month' | 'weekday' | 'hour'
  length: number
}

/** The cycles that can show at a grain. */
export function cyclesOf(grain: TimeAxis['grain']): Cycle[] {
  const year = (length: number): Cycle => ({ name: 'month of the year', key: 'month', length })
  switch (grain) {
    case 'hour':
      return [
        { name: 'hour of the day', key: 'hour', length: 24 },
        { name: 'day of the week', key: 'weekday', length: 168 },
      ]
    case 'day':
      return [{ name: 'day of the week', key: 'weekday', length: 7 }, year(365)]
    case 'week':
      return [year(52)]
    case 'month':
      return [year(12)]
    case 'quarter':
      return [{ name: 'quarter of the year', key: 'month', length: 4 }]
    case 'year':
      return []
  }
}

export function placeInCycle(start: string, cycle: Cycle): number {
  const date = new Date(isoMoment(start))
  if (cycle.key === 'hour') return date.getUTCHours()
  if (cycle.key === 'weekday') return (date.getUTCDay() + 6) % 7
  // A quarter's first row may fall into any of its months; its place is the quarter's first month.
  return cycle.length === 4 ? date.getUTCMonth() - (date.getUTCMonth() % 3) + 1 : date.getUTCMonth() + 1
}
