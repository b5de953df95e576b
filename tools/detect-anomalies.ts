// detect-anomalies: values of a time series that do not fit, from a table or given as they are. A long series is watched
// as if it were live (each value judged by what came before); a short one is looked at as a whole. Several methods vote.
import { defineTool, TroupeError } from '@troupe/sdk'
import { z } from 'zod'
import { lookBackApart, watchApart } from './anomalies/index.ts'
import { planAnalysis, readSeries, type Series, seriesSql } from './insights/index.ts'
import { profile } from './profile-table.ts'
import { openTables, sql, tableSource } from './tables/index.ts'

const LONG = 400
const LIMIT = 200_000

const input = z.object({
  table: tableSource.optional(),
  measure: z.string().optional().describe('The column to watch; the first measure when absent'),
  time: z.string().optional().describe('The column that says when'),
  raw: z.boolean().default(false).describe('Watch every row as it is, without summing up by period'),
  series: z
    .array(z.object({ time: z.string().optional(), value: z.number() }))
    .max(LIMIT)
    .optional(),
  mode: z.enum(['live', 'whole']).optional().describe(`live from ${LONG} values on, whole below, when absent`),
  threshold: z.number().min(0.5).max(10).default(1.6).describe('Mean surprise that raises an alarm in mode live'),
})

export const detectAnomalies = defineTool({
  name: 'detect-anomalies',
  description:
    'Finds values of a time series that do not fit: several methods vote (level, jump, season, shape, scatter), each alarm says which',
  input,
  output: z.object({
    measure: z.string(),
    grain: z.string(),
    mode: z.enum(['live', 'whole']),
    values: z.number(),
    anomalies: z.array(
      z.object({
        index: z.number().describe('Place in the series, from 0'),
        time: z.string().optional(),
        value: z.number(),
        expected: z.number().optional(),
        score: z.number().describe('Surprise (live) or robust standard deviations (whole)'),
        methods: z.array(z.string()),
      }),
    ),
    sql: z.string().optional().describe('The query that gives the series'),
  }),
  async run(asked, { signal }) {
    const { measure, grain, series, query } = await seriesOf(asked, signal)
    const mode = asked.mode ?? (series.values.length >= LONG ? 'live' : 'whole')
    const at = (index: number) => ({
      index,
      ...(series.periods[index] ? { time: series.periods[index] } : {}),
      value: series.values[index]!,
    })
    const anomalies =
      mode === 'live'
        ? (await watchApart(signal, series.values, series.starts, { threshold: asked.threshold })).map((alarm) => ({
            ...at(alarm.index),
            score: alarm.surprise,
            methods: alarm.methods,
          }))
        : (await lookBackApart(signal, series, grain)).map((oddity) => ({
            ...at(oddity.index),
            expected: oddity.expected,
            score: oddity.distance,
            methods: oddity.methods,
          }))
    return {
      measure,
      grain,
      mode,
      values: series.values.length,
      anomalies,
      ...(query === undefined ? {} : { sql: query }),
    }
  },
})

type Input = z.infer<typeof input>

async function seriesOf(input: Input, signal: AbortSignal) {
  if (input.series !== undefined) {
    const periods = input.series.map((point) => point.time ?? '')
    const series: Series = { periods, starts: periods, values: input.series.map((point) => point.value) }
    return { measure: 'value', grain: grainOf(periods), series, query: undefined }
  }
  if (input.table === undefined) throw new TroupeError('invalid_input', 'detect-anomalies needs a table or a series')
  using tables = await openTables([input.table], signal)
  const loaded = tables.list[0]!
  const plan = await planAnalysis(tables, loaded, await profile(tables, loaded), {
    measure: input.measure,
    time: input.time,
  })
  const [measure] = plan.measures
  if (measure === undefined)
    throw new TroupeError('invalid_input', `table ${loaded.name} has no column of numbers to watch`)
  if (plan.time !== undefined && !input.raw) {
    const query = seriesSql(plan.table, plan.time, measure)
    return { measure: measure.name, grain: plan.time.grain, series: await readSeries(tables, query), query }
  }
  // Without periods every row is a value, in the order of time where there is a time, else in the order of the file.
  const column = sql.identifier(measure.name)
  const moment = loaded.columns.find(
    (candidate) =>
      (input.time ?? candidate.name) === candidate.name &&
      (candidate.type === 'date' || candidate.type === 'timestamp'),
  )
  const when = moment === undefined ? "''" : sql.isoText(moment.name)
  const query = `SELECT ${when} AS period, ${when} AS start, ${column} AS value FROM ${sql.identifier(loaded.name)} WHERE ${column} IS NOT NULL${moment === undefined ? '' : ' ORDER BY 1'} LIMIT ${LIMIT}`
  const { rows } = await tables.query(query, { rows: LIMIT })
  const periods = rows.map((row) => String(row.period))
  return {
    measure: measure.name,
    grain: grainOf(periods),
    series: { periods, starts: periods, values: rows.map((row) => Number(row.value)) },
    query,
  }
}

/** The cycles to look for follow from the step between values. Without a clock there is none: years have no cycle. */
function grainOf(times: string[]) {
  const [first, second] = times.filter((time) => time !== '')
  const hours = (Date.parse(second ?? '') - Date.parse(first ?? '')) / 3_600_000
  if (hours >= 0.9 && hours < 12) return 'hour' as const
  if (hours >= 12 && hours < 100) return 'day' as const
  if (hours >= 100 && hours < 300) return 'week' as const
  return hours >= 300 && hours < 1000 ? ('month' as const) : ('year' as const)
}
