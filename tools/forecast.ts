// forecast: the next periods of a measure with an interval, and how well the same method would have done before.
import { defineTool, TroupeError } from '@troupe/sdk'
import { z } from 'zod'
import { fillGaps, forecastSeries, nextPeriods, periodName } from './forecasting/index.ts'
import { planAnalysis, readSeries, seriesSql } from './insights/index.ts'
import { profile } from './profile-table.ts'
import { openTables, tableSource } from './tables/index.ts'

const CYCLE = { hour: 24, day: 7, week: 52, month: 12, quarter: 4, year: 1 } as const
const FEWEST = 8

export const forecast = defineTool({
  name: 'forecast',
  description:
    'Forecasts the next periods of a measure with intervals; the method is chosen by a back-test against seasonal naive',
  input: z.object({
    table: tableSource,
    measure: z.string().optional().describe('The column to forecast; the first measure when absent'),
    time: z.string().optional(),
    periods: z.int().min(1).max(120).default(12).describe('How many periods ahead'),
    coverage: z
      .number()
      .min(0.5)
      .max(0.99)
      .default(0.8)
      .describe('Share of outcomes that should fall into the interval'),
  }),
  output: z.object({
    measure: z.string(),
    grain: z.string(),
    history: z.array(z.object({ period: z.string(), value: z.number() })),
    points: z.array(z.object({ period: z.string(), value: z.number(), low: z.number(), high: z.number() })),
    backTest: z.object({
      model: z.string(),
      errors: z.array(z.object({ model: z.string(), error: z.number() })),
      againstNaive: z.number(),
      stretches: z.number(),
    }),
    warnings: z.array(z.string()),
    sql: z.string().describe('The query that gives the history'),
  }),
  async run({ table, measure: wanted, time: moment, periods, coverage }, { signal }) {
    using tables = await openTables([table], signal)
    const loaded = tables.list[0]!
    const plan = await planAnalysis(tables, loaded, await profile(tables, loaded), { measure: wanted, time: moment })
    const { time, measures } = plan
    const [measure] = measures
    if (time === undefined)
      throw new TroupeError(
        'invalid_input',
        `table ${loaded.name} has no column of dates with at least ${FEWEST} periods`,
      )
    if (measure === undefined)
      throw new TroupeError('invalid_input', `table ${loaded.name} has no measure ${wanted ?? ''} to forecast`)
    const sql = seriesSql(plan.table, time, measure)
    const series = await readSeries(tables, sql)
    if (series.values.length < FEWEST) {
      throw new TroupeError(
        'invalid_input',
        `${measure.label} has ${series.values.length} periods; a forecast needs ${FEWEST}`,
      )
    }
    const whole = fillGaps(series.periods, series.values, time.grain)
    const { points, backTest } = forecastSeries(whole.values, periods, CYCLE[time.grain], coverage)
    const labels = nextPeriods(whole.periods.at(-1)!, time.grain, periods)
    // What was never negative is not forecast to be.
    const floor = series.values.every((value) => value >= 0) ? 0 : Number.NEGATIVE_INFINITY
    return {
      measure: measure.name,
      grain: time.grain,
      history: series.periods.map((period, index) => ({
        period: periodName(period, time.grain),
        value: series.values[index]!,
      })),
      points: points.map((point, index) => ({
        period: periodName(labels[index]!, time.grain),
        value: Math.max(floor, point.value),
        low: Math.max(floor, point.low),
        high: Math.max(floor, point.high),
      })),
      backTest,
      warnings: [
        ...(whole.filled > 0
          ? [`${whole.filled} missing periods were filled on the line between their neighbours.`]
          : []),
        ...(backTest.againstNaive > 1 ? ['Seasonal naive did as well as every model tried.'] : []),
        ...(backTest.stretches < 3 ? ['The history is short; the interval rests on few tests.'] : []),
      ],
      sql,
    }
  },
})
