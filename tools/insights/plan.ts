// Which column is time, which are measures and dimensions, and at which grain time is looked at: the finest at which
// most periods have rows and at least a dozen of them exist.
import { measuresOf, type TableProfile } from '../profile-table.ts'
import { type LoadedTable, sql, type Tables } from '../tables/index.ts'
import type { TimeGrain } from '../tables/sql-dialect.ts'

const LIMITS = { measures: 12, dimensions: 6, segments: 20 } as const

export interface Measure {
  name: string
  /** What the sentence calls it. */
  label: string
  /** Aggregate over the rows of a period or segment. */
  sql: string
  additive: boolean
}

export interface TimeAxis {
  column: string
  grain: TimeGrain
  /** SQL of the period. */
  period: string
  /** SQL condition that leaves out rows without time and half-covered first and last periods. */
  filter: string
}

export interface Plan {
  table: string
  rowCount: number
  time: TimeAxis | undefined
  measures: Measure[]
  dimensions: { name: string; segments: string[] }[]
}

export async function planAnalysis(
  tables: Tables,
  table: LoadedTable,
  profile: TableProfile,
  wanted: { measure?: string | undefined; time?: string | undefined } = {},
): Promise<Plan> {
  const measures: Measure[] = measuresOf(profile)
    .filter((column) => column.distinct > 1 && (wanted.measure ?? column.name) === column.name)
    .slice(0, LIMITS.measures)
    .map((column) => ({
      name: column.name,
      label: column.name,
      sql: `${column.aggregate}(${sql.identifier(column.name)})`,
      additive: column.aggregate === 'sum',
    }))
  if (measures.length === 0 && wanted.measure === undefined) {
    measures.push({ name: '*', label: 'the number of rows', sql: 'count(*)', additive: true })
  }
  const dimensions = profile.columns
    .filter(
      (column) =>
        column.role === 'dimension' && column.distinct >= 2 && column.distinct <= 200 && column.type !== 'number',
    )
    .slice(0, LIMITS.dimensions)
    .map((column) => ({
      name: column.name,
      segments: column.top.slice(0, LIMITS.segments).map((entry) => String(entry.value)),
    }))
  return {
    table: table.name,
    rowCount: table.rowCount,
    time: await chooseTime(tables, table, profile, wanted.time),
    measures,
    dimensions,
  }
}

async function chooseTime(
  tables: Tables,
  table: LoadedTable,
  profile: TableProfile,
  wanted: string | undefined,
): Promise<TimeAxis | undefined> {
  const candidates = profile.columns
    .filter((column) => column.role === 'time' && (wanted ?? column.name) === column.name)
    .sort((a, b) => a.nulls - b.nulls)
  for (const column of candidates) {
    const grains: TimeGrain[] =
      column.type === 'timestamp'
        ? ['hour', 'day', 'week', 'month', 'quarter', 'year']
        : ['day', 'week', 'month', 'quarter', 'year']
    for (const grain of grains) {
      const axis = await tryGrain(tables, table.name, column.name, grain)
      if (axis !== undefined) return axis
    }
  }
  return undefined
}

const FEWEST_PERIODS = 8
const COVERED = 0.7

async function tryGrain(
  tables: Tables,
  table: string,
  column: string,
  grain: TimeGrain,
): Promise<TimeAxis | undefined> {
  const period = sql.period(column, grain)
  const name = sql.identifier(table)
  const text = sql.isoText(column)
  const query =
    `SELECT count(DISTINCT ${period}) AS periods, min(${text}) AS first, max(${text}) AS last FROM ${name}` +
    ` WHERE ${sql.identifier(column)} IS NOT NULL`
  const [row] = (await tables.query(query)).rows
  const periods = Number(row?.periods)
  const first = String(row?.first)
  const last = String(row?.last)
  if (periods < FEWEST_PERIODS || periods > 20_000) return undefined
  if (periods < COVERED * expectedPeriods(first, last, grain)) return undefined
  return { column, grain, period, filter: edgeFilter(column, grain, first, last) }
}

export function expectedPeriods(first: string, last: string, grain: TimeGrain): number {
  const hours = (Date.parse(isoMoment(last)) - Date.parse(isoMoment(first))) / 3_600_000
  const perPeriod = { hour: 1, day: 24, week: 24 * 7, month: 24 * 30.44, quarter: 24 * 91.3, year: 24 * 365.25 }
  return Math.floor(hours / perPeriod[grain]) + 1
}

export function isoMoment(text: string): string {
  return text.length === 10 ? `${text}T00:00:00Z` : `${text.slice(0, 19).replace(' ', 'T')}Z`
}

/** A month of which only three days are in the data looks like a collapse; such edges are left out. */
function edgeFilter(column: string, grain: TimeGrain, first: string, last: string): string {
  const text = sql.isoText(column)
  const conditions = [`${sql.identifier(column)} IS NOT NULL`]
  if (grain === 'week' || grain === 'month' || grain === 'quarter' || grain === 'year') {
    const days = { week: 7, month: 30, quarter: 91, year: 365 }[grain]
    const start = periodStart(first.slice(0, 10), grain)
    const end = nextStart(periodStart(last.slice(0, 10), grain), grain)
    const missingBefore = daysBetween(start, first)
    const missingAfter = daysBetween(last, end) - 1
    // Data stamped with the first day of each period (2024-01-01, 2024-02-01 …) is whole as it is.
    const stamped = missingBefore === 0 && last.slice(0, 10) === periodStart(last.slice(0, 10), grain)
    if (missingBefore > days * 0.25) conditions.push(`${text} >= ${sql.literal(nextStart(start, grain))}`)
    if (missingAfter > days * 0.25 && !stamped)
      conditions.push(`${text} < ${sql.literal(periodStart(last.slice(0, 10), grain))}`)
  }
  return conditions.join(' AND ')
}

function daysBetween(from: string, to: string): number {
  return (Date.parse(isoMoment(to.slice(0, 10))) - Date.parse(isoMoment(from.slice(0, 10)))) / 86_400_000
}

function periodStart(day: string, grain: 'week' | 'month' | 'quarter' | 'year'): string {
  const date = new Date(isoMoment(day))
  if (grain === 'week') date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
  else {
    date.setUTCDate(1)
    if (grain === 'quarter') date.setUTCMonth(date.getUTCMonth() - (date.getUTCMonth() % 3))
    if (grain === 'year') date.setUTCMonth(0)
  }
  return date.toISOString().slice(0, 10)
}

function nextStart(start: string, grain: 'week' | 'month' | 'quarter' | 'year'): string {
  const date = new Date(isoMoment(start))
  if (grain === 'week') date.setUTCDate(date.getUTCDate() + 7)
  else date.setUTCMonth(date.getUTCMonth() + { month: 1, quarter: 3, year: 12 }[grain])
  return date.toISOString().slice(0, 10)
}
