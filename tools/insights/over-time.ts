// Trend, break, seasonality and outliers of one series. They are taken apart in this order: wild values are put aside,
// the cycle is measured and taken out, the change model tells trend from step, and what then still stands apart is an
// outlier. Any other order sees the same fact twice: a December peak as an outlier, a step as a trend.
import {
  findSeason,
  fitChange,
  mean,
  median,
  medianDeviation,
  runningMedian,
  type Season,
  separatedOutliers,
} from '../statistics/index.ts'
import { sql } from '../tables/index.ts'
import type { Candidate } from './candidate.ts'
import type { Measure, TimeAxis } from './plan.ts'
import { type Cycle, cyclesOf, placeInCycle, type Series, seriesSql } from './series.ts'

export interface TakenApart {
  seasons: { cycle: Cycle; season: Season; places: number[] }[]
  /** What the cycles add to each value. */
  seasonal: number[]
  model: ReturnType<typeof fitChange>
  outliers: ReturnType<typeof separatedOutliers>
  /** The series without cycle and wild values. */
  clean: number[]
}

const SEASON_COUNTS = 0.001
/** The share of the level between the highest and the lowest place of a cycle that is worth telling. */
const LEAST_SWING = 0.04
/** Robust standard deviations from the neighbours beyond which a value is put aside while the rest is measured. */
const WILD = 4.5

export function takeApart(series: Series, grain: TimeAxis['grain']): TakenApart {
  const { values, starts } = series
  // Twice: the cycle hides the wild values, and the wild values blur the cycle.
  const first = findSeasons(values, starts, grain)
  const calm = drawIn(first.level, WILD).map((value, index) => value + values[index]! - first.level[index]!)
  const { tested, seasonal } = findSeasons(calm, starts, grain)
  const level = values.map((value, index) => value - seasonal[index]!)
  let clean = drawIn(level, WILD)
  let model = fitChange(clean)
  const residual = level.map((value, index) => value - model.fitted[index]!)
  const outliers = separatedOutliers(residual, 5.5)
  clean = level.map((value, index) =>
    outliers.some((outlier) => outlier.index === index) ? model.fitted[index]! : value,
  )
  model = fitChange(clean)
  return { seasons: tested, seasonal, model, outliers, clean }
}

function findSeasons(values: readonly number[], starts: readonly string[], grain: TimeAxis['grain']) {
  let level = [...values]
  const tested = cyclesOf(grain).flatMap((cycle) => {
    const places = starts.map((start) => placeInCycle(start, cycle))
    const season = findSeason(level, places, cycle.length)
    if (season === undefined) return []
    // Only a cycle that is there is taken out; taking out chance would hide chance from the later tests.
    if (season.chance < SEASON_COUNTS) level = level.map((value, index) => value - season.shape.get(places[index]!)!)
    return [{ cycle, season, places }]
  })
  return { tested, level, seasonal: values.map((value, index) => value - level[index]!) }
}

/** Values far from their neighbours are replaced by the neighbours' median. */
function drawIn(values: readonly number[], distance: number): number[] {
  const smooth = runningMedian(values, 9)
  const rest = values.map((value, index) => value - smooth[index]!)
  const spread = medianDeviation(rest, median(rest))
  return spread === 0
    ? [...values]
    : values.map((value, index) => (Math.abs(rest[index]!) > distance * spread ? smooth[index]! : value))
}

export function overTime(table: string, time: TimeAxis, measure: Measure, series: Series): Candidate[] {
  if (series.values.length < 8) return []
  const { seasons, model, outliers } = takeApart(series, time.grain)
  const query = seriesSql(table, time, measure)
  const context: Context = { table, time, measure, series, query }
  return [
    trendOf(context, model),
    breakOf(context, model),
    ...seasons.map(({ cycle, season }) => seasonOf(context, cycle, season)),
    ...outliers.map((outlier) => outlierOf(context, outlier)),
  ]
}

interface Context {
  table: string
  time: TimeAxis
  measure: Measure
  series: Series
  query: string
}

/** One value over the rows of the series (period, start, value). */
function over(query: string, value: string, condition = ''): string {
  return `SELECT ${value} AS value FROM (${query}) AS series${condition === '' ? '' : ` WHERE ${condition}`}`
}

function periodLiteral(time: TimeAxis, period: string): string {
  return time.grain === 'week' ? period : sql.literal(period)
}

/** How a period is called in a sentence; a week by its first day with rows. */
function periodName({ time, series }: Context, index: number): string {
  return time.grain === 'week' ? `the week of ${series.starts[index]!.slice(0, 10)}` : series.periods[index]!
}

function trendOf(context: Context, model: TakenApart['model']): Candidate {
  const { time, measure, series, query } = context
  const n = series.values.length
  const quarter = Math.max(2, Math.round(n / 4))
  const numbered = `SELECT 1.0 * row_number() OVER (ORDER BY period) AS x, value AS y FROM (${query}) AS series WHERE value IS NOT NULL`
  const slope =
    'SELECT (count(*) * sum(x * y) - sum(x) * sum(y)) / (count(*) * sum(x * x) - sum(x) * sum(x)) AS value' +
    ` FROM (${numbered}) AS numbered`
  const up = model.slope > 0
  return {
    kind: 'trend',
    columns: [measure.name],
    sentence:
      `${measure.label} ${up ? 'rises' : 'falls'} over time, from {early} a ${time.grain} at the start to {late} at the end: ` +
      `{slope} a ${time.grain}.`,
    figures: {
      slope,
      early: over(query, 'avg(value)', `period <= ${periodLiteral(time, series.periods[quarter - 1]!)}`),
      late: over(query, 'avg(value)', `period >= ${periodLiteral(time, series.periods[n - quarter]!)}`),
    },
    method: 'least squares among flat, trend, step and both, chosen by BIC; t-test corrected for autocorrelation',
    chance: model.trendChance,
    weight: model.shape.startsWith('trend') ? model.explained : 0,
    at: { direction: up ? 'up' : 'down' },
    evidence: query,
  }
}

function breakOf(context: Context, model: TakenApart['model']): Candidate {
  const { time, measure, series, query } = context
  const n = series.values.length
  const at = model.stepAt ?? 1
  // Beside a trend only the nearby periods tell the step from the slope.
  const reach = model.shape === 'trend and step' ? Math.max(4, Math.round(n / 10)) : n
  const period = (index: number) => periodLiteral(time, series.periods[Math.max(0, Math.min(n - 1, index))]!)
  const before = over(query, 'avg(value)', `period >= ${period(at - reach)} AND period < ${period(at)}`)
  const after = over(query, 'avg(value)', `period >= ${period(at)} AND period <= ${period(at + reach - 1)}`)
  const up = model.stepSize > 0
  return {
    kind: 'break',
    columns: [measure.name],
    sentence:
      `${measure.label} ${up ? 'jumps' : 'drops'} at ${periodName(context, at)}: {before} a ${time.grain} on average before, ` +
      '{after} from then on, a difference of {change}.',
    figures: { before, after, change: `SELECT (${after}) - (${before}) AS value` },
    method:
      'least squares among flat, trend, step and both, chosen by BIC; F-test corrected for autocorrelation and for trying every place',
    chance: model.stepChance,
    weight: model.shape.endsWith('step') ? model.explained : 0,
    at: { period: series.periods[at]!, direction: up ? 'up' : 'down' },
    evidence: query,
  }
}

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

function seasonOf({ table, time, measure, query, series }: Context, cycle: Cycle, season: Season): Candidate {
  const ranked = [...season.shape].sort((a, b) => b[1] - a[1])
  const [peak = 0] = ranked[0] ?? []
  const [trough = 0] = ranked.at(-1) ?? []
  // Sure and yet of no matter: nobody plans by two percent.
  const swing = (season.shape.get(peak) ?? 0) - (season.shape.get(trough) ?? 0)
  const matters = swing >= LEAST_SWING * Math.abs(mean(series.values))
  const raw = sql.season(time.column, cycle.key)
  const place = cycle.length === 4 ? `(3 * floor((${raw} - 1) / 3.0) + 1)` : raw
  const placed = `SELECT min(${place}) AS place, ${measure.sql} AS value FROM ${sql.identifier(table)} WHERE ${time.filter} GROUP BY ${time.period}`
  const name = (at: number, figure: string) => {
    if (cycle.key === 'hour') return `hour {${figure}_hour}`
    return cycle.key === 'weekday'
      ? WEEKDAYS[at]!
      : `${cycle.length === 4 ? 'the quarter from ' : ''}${MONTHS[at - 1]!}`
  }
  const hour = (at: number) => `SELECT DISTINCT place AS value FROM (${placed}) AS placed WHERE place = ${at}`
  return {
    kind: 'seasonality',
    columns: [measure.name],
    sentence:
      `${measure.label} follows the ${cycle.name}: highest in ${name(peak, 'peak')} with {peak} on average, ` +
      `lowest in ${name(trough, 'trough')} with {trough}; {overall} overall.`,
    figures: {
      peak: over(placed, 'avg(value)', `place = ${peak}`),
      trough: over(placed, 'avg(value)', `place = ${trough}`),
      overall: over(query, 'avg(value)'),
      ...(cycle.key === 'hour' ? { peak_hour: hour(peak), trough_hour: hour(trough) } : {}),
    },
    method: 'analysis of variance of the places in the cycle, after the slow part is taken out',
    chance: season.chance,
    weight: matters ? season.explained : 0,
    at: { cycle: cycle.name },
    evidence: query,
  }
}

function outlierOf(context: Context, outlier: { index: number; distance: number; chance: number }): Candidate {
  const { time, measure, series, query } = context
  const { index } = outlier
  const literal = periodLiteral(time, series.periods[index]!)
  const near = (offset: number) =>
    periodLiteral(time, series.periods[Math.max(0, Math.min(series.periods.length - 1, index + offset))]!)
  return {
    kind: 'outlier',
    columns: [measure.name],
    sentence:
      `${measure.label} is ${outlier.distance > 0 ? 'far above' : 'far below'} its usual course in ${periodName(context, index)}: ` +
      `{value}, while the periods around it have {around} on average.`,
    figures: {
      value: over(query, 'value', `period = ${literal}`),
      around: over(query, 'avg(value)', `period >= ${near(-7)} AND period <= ${near(7)} AND period <> ${literal}`),
    },
    method: 'distance from the fitted course in robust standard deviations, with a gap to the next value',
    chance: outlier.chance,
    weight: Math.min(1, Math.abs(outlier.distance) / 20),
    at: { period: series.periods[index]!, direction: outlier.distance > 0 ? 'up' : 'down' },
    evidence: query,
  }
}
