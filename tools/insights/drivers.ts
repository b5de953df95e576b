// The segment that makes a total change. A segment drives a change when, against what all other segments do, it moves
// on its own, and when it makes more of the total's change than its size would. Growing along with the rest is no drive.
import { mean, stepChanceAt } from '../statistics/index.ts'
import { sql, type Tables } from '../tables/index.ts'
import type { Candidate } from './candidate.ts'
import { takeApart } from './over-time.ts'
import type { Measure, Plan, TimeAxis } from './plan.ts'
import { readSeries, type Series, segmentIs, seriesSql } from './series.ts'

const MOST_SEGMENTS = 12
/** A driver makes at least this share of the total's change … */
const SHARE_OF_CHANGE = 0.5
/** … and this much more than its share of the total. */
const BEYOND_SIZE = 0.25

export async function findDrivers(tables: Tables, plan: Plan, time: TimeAxis, measure: Measure): Promise<Candidate[]> {
  // An average's change has no parts to add up; and one row a period has no segments.
  if (!measure.additive) return []
  const candidates: Candidate[] = []
  const total = await readSeries(tables, seriesSql(plan.table, time, measure))
  for (const dimension of plan.dimensions) {
    const found: { candidate: Candidate; chance: number; share: number }[] = []
    for (const segment of dimension.segments.slice(0, MOST_SEGMENTS)) {
      const part = await readSeries(tables, seriesSql(plan.table, time, measure, segmentIs(dimension.name, segment)))
      const driver = compare(total, part, time)
      if (driver === undefined) continue
      const candidate = describe(plan.table, time, measure, dimension.name, segment, total, driver)
      found.push({ candidate, chance: driver.chance, share: driver.share })
    }
    // One change has one driver in a dimension; the others' tests count towards false discovery all the same.
    found.sort((a, b) => a.chance - b.chance || b.share - a.share)
    for (const [rank, { candidate }] of found.entries()) {
      candidates.push(
        rank === 0 ? candidate : { ...candidate, chance: Math.max(0.05, candidate.chance ?? 1), weight: 0 },
      )
    }
  }
  return candidates
}

interface Driver {
  splitAt: number
  chance: number
  share: number
  up: boolean
}

function compare(total: Series, part: Series, time: TimeAxis): Driver | undefined {
  if (total.values.length < 8 || part.values.length < total.values.length / 2) return undefined
  const own = align(total, part)
  const rest = total.values.map((value, index) => value - own[index]!)
  const sizeHere = mean(rest) === 0 ? 0 : mean(own) / mean(rest)
  // Under "everything moves alike" this difference stays flat, whatever the total does.
  const apart = own.map((value, index) => value - sizeHere * rest[index]!)
  const { model, clean } = takeApart({ ...total, values: apart }, time.grain)
  // Where the total itself has a step, the place is known and need not be looked for: a far sharper question.
  const known = takeApart(total, time.grain).model
  const splitAt = known.stepAt ?? model.stepAt ?? Math.floor(clean.length / 2)
  const chance =
    known.stepAt === undefined ? Math.min(model.trendChance, model.stepChance) : stepChanceAt(clean, known.stepAt)
  const change = (values: number[]) => mean(values.slice(splitAt)) - mean(values.slice(0, splitAt))
  const totalChange = change(total.values)
  const ownChange = change(own)
  if (totalChange === 0) return undefined
  const share = ownChange / totalChange
  const sizeBefore = mean(own.slice(0, splitAt)) / mean(total.values.slice(0, splitAt))
  // The total itself has to change: pieces of noise have a largest piece too.
  const changes = known.shape !== 'flat' && (known.stepAt !== undefined || model.shape !== 'flat')
  const drives = changes && share >= SHARE_OF_CHANGE && share - sizeBefore >= BEYOND_SIZE
  return { splitAt, chance: drives ? chance : Math.max(0.05, chance), share, up: ownChange > 0 }
}

/** The segment's values at the total's periods; without a row it adds nothing. */
function align(total: Series, part: Series): number[] {
  const values = new Map(part.periods.map((period, index) => [period, part.values[index]!]))
  return total.periods.map((period) => values.get(period) ?? 0)
}

function describe(
  table: string,
  time: TimeAxis,
  measure: Measure,
  dimension: string,
  segment: string,
  total: Series,
  driver: Driver,
): Candidate {
  const split = time.grain === 'week' ? total.periods[driver.splitAt]! : sql.literal(total.periods[driver.splitAt]!)
  const from = sql.identifier(table)
  // Both sides are divided by the same count of periods, those of the total, so that the parts add up to the whole.
  const perPeriod = (condition: string, side: string) =>
    `(SELECT coalesce(${measure.sql}, 0) FROM ${from} WHERE ${time.filter} AND ${time.period} ${side} ${split}${condition}) * 1.0` +
    ` / (SELECT count(DISTINCT ${time.period}) FROM ${from} WHERE ${time.filter} AND ${time.period} ${side} ${split})`
  const only = ` AND ${segmentIs(dimension, segment)}`
  const before = perPeriod(only, '<')
  const after = perPeriod(only, '>=')
  const totalChange = `((${perPeriod('', '>=')}) - (${perPeriod('', '<')}))`
  const name =
    time.grain === 'week' ? `the week of ${total.starts[driver.splitAt]!.slice(0, 10)}` : total.periods[driver.splitAt]!
  return {
    kind: 'driver',
    columns: [measure.name, dimension],
    sentence:
      `${dimension} ${segment} drives the ${driver.up ? 'rise' : 'fall'} of ${measure.label}: it goes from {before} to {after} a ${time.grain} ` +
      `around ${name}, which is {share} % of the total change of {total_change}.`,
    figures: {
      before: `SELECT ${before} AS value`,
      after: `SELECT ${after} AS value`,
      total_change: `SELECT ${totalChange} AS value`,
      share: `SELECT 100.0 * ((${after}) - (${before})) / ${totalChange} AS value`,
    },
    method:
      'change model of the segment against the rest scaled to its size; share of the total change beyond its share of the total',
    chance: driver.chance,
    weight: Math.min(1, Math.max(0, driver.share)) * 0.9,
    at: { period: total.periods[driver.splitAt]!, segment, dimension, direction: driver.up ? 'up' : 'down' },
    evidence:
      `SELECT CAST(${sql.identifier(dimension)} AS TEXT) AS segment, ${time.period} AS period, ${measure.sql} AS value` +
      ` FROM ${from} WHERE ${time.filter} GROUP BY 1, 2 ORDER BY 1, 2`,
  }
}
