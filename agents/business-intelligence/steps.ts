// What each state of the machine does. Each step reads the table anew and leaves only its result.
import { type StepContext, step } from '@troupe/sdk'
import { chart } from '@troupe/tools/chart'
import { findInsights } from '@troupe/tools/find-insights'
import { forecast } from '@troupe/tools/forecast'
import { loadTable } from '@troupe/tools/load-table'
import { profileTable, type TableProfile } from '@troupe/tools/profile-table'
import { queryMany } from '@troupe/tools/query-many'
import { report } from '@troupe/tools/report'
import { fetchDataset, tableOf } from '@troupe/tools/tables/dataset'
import { answerQuestion } from './answer.ts'
import { chartOfForecast, chartOfInsight, type Drawing } from './charts.ts'
import { keyFigureQueries, toKeyFigures } from './figures.ts'
import type { Answer, KeyFigure, QuestionAnswer, Request } from './request.ts'
import { writeUp } from './write-up.ts'

/** A database answers differently tomorrow: everything after this works on what it answered now. */
export const fetched = step(
  async ({ input, ctx }: { input: Request; ctx: StepContext }) => {
    ctx.progress({ message: `asking ${input.dataset.source}` })
    const { dataset, origin } = await fetchDataset(input.dataset, ctx)
    return { request: { ...input, dataset }, origin }
  },
  { timeout: 660_000 },
)

export const profiled = step(async ({ input, ctx }: { input: Request; ctx: StepContext }) => {
  const table = await tableOf(input.dataset, 'data', ctx)
  const { issues, issueCount } = await ctx.tool(loadTable, { table, rows: 0 })
  const profile = await ctx.tool(profileTable, { table })
  const queries = keyFigureQueries(profile)
  const { answers } = await ctx.tool(queryMany, { tables: [table], queries, rows: 1 })
  const named = issues.slice(0, 20).map((issue) => issue.message)
  const warnings =
    issueCount > named.length ? [...named, `and ${issueCount - named.length} more problems in the file`] : named
  return { profile, keyFigures: toKeyFigures(queries, answers), warnings }
})

export const answered = step(
  async ({
    input,
    ctx,
  }: {
    input: { request: Request; profile: TableProfile }
    ctx: StepContext
  }): Promise<QuestionAnswer> => {
    const table = await tableOf(input.request.dataset, 'data', ctx)
    return await answerQuestion(input.request.question ?? '', table, input.profile, ctx)
  },
)

export const insightsFound = step(async ({ input, ctx }: { input: Request; ctx: StepContext }) => {
  const { measure, time } = input
  const table = await tableOf(input.dataset, 'data', ctx)
  const { insights, tested } = await ctx.tool(findInsights, {
    table,
    ...(measure === undefined ? {} : { measure }),
    ...(time === undefined ? {} : { time }),
  })
  ctx.progress({ message: `${insights.length} insights of ${tested} tested` })
  return { insights, tested }
})

export const forecastMade = step(async ({ input, ctx }: { input: Request; ctx: StepContext }) => {
  const { measure, time, forecastPeriods } = input
  const table = await tableOf(input.dataset, 'data', ctx)
  return await ctx.tool(forecast, {
    table,
    periods: forecastPeriods,
    ...(measure === undefined ? {} : { measure }),
    ...(time === undefined ? {} : { time }),
  })
})

export type MadeForecast = Awaited<ReturnType<typeof forecast.call>>

export const chartsDrawn = step(
  async ({
    input,
    ctx,
  }: {
    input: { request: Request; insights: Answer['insights']; forecast: MadeForecast | undefined }
    ctx: StepContext
  }): Promise<Answer['charts']> => {
    const table = await tableOf(input.request.dataset, 'data', ctx)
    const drawings: Drawing[] = input.forecast === undefined ? [] : [chartOfForecast(input.forecast)]
    const shown = input.insights
      .filter((insight) => insight.evidence !== undefined)
      .slice(0, Math.max(0, input.request.charts - drawings.length))
    const { answers } = await ctx.tool(queryMany, {
      tables: [table],
      queries: shown.map((insight) => ({ name: insight.kind, sql: insight.evidence! })),
      rows: 5_000,
    })
    for (const [index, insight] of shown.entries()) {
      const drawing = chartOfInsight(insight, answers[index]!.rows)
      if (drawing !== undefined) drawings.push(drawing)
    }
    const charts: Answer['charts'] = []
    for (const [index, drawing] of drawings.slice(0, input.request.charts).entries()) {
      const { svg, png = '' } = await ctx.tool(chart, { ...drawing, png: true })
      const name = `chart-${index + 1}`
      const asSvg = await ctx.documents.put({ name: `${name}.svg`, mime: 'image/svg+xml', content: Buffer.from(svg) })
      const asPng = await ctx.documents.put({
        name: `${name}.png`,
        mime: 'image/png',
        content: Buffer.from(png, 'base64'),
      })
      charts.push({ title: drawing.title, svg: asSvg.id, png: asPng.id })
      ctx.progress({ fraction: (index + 1) / drawings.length, message: `drew ${drawing.title}` })
    }
    return charts
  },
)

export interface Findings {
  profile: TableProfile
  keyFigures: KeyFigure[]
  answer: QuestionAnswer | undefined
  insights: Answer['insights']
  forecast: MadeForecast | undefined
  charts: Answer['charts']
}

const MIME = { html: 'text/html', markdown: 'text/markdown', pdf: 'application/pdf' } as const
const ENDING = { html: 'html', markdown: 'md', pdf: 'pdf' } as const

export const reportWritten = step(
  async ({
    input,
    ctx,
  }: {
    input: { formats: Request['report']; findings: Findings }
    ctx: StepContext
  }): Promise<Record<string, string>> => {
    const images = new Map<string, { svg: string; png: string }>()
    for (const { title, svg, png } of input.findings.charts) {
      images.set(title, {
        svg: Buffer.from(await ctx.documents.read(svg)).toString(),
        png: Buffer.from(await ctx.documents.read(png)).toString('base64'),
      })
    }
    const written = await ctx.tool(report, { content: writeUp(input.findings, images), formats: input.formats })
    const reports: Record<string, string> = {}
    for (const format of input.formats) {
      const content = format === 'pdf' ? Buffer.from(written.pdf ?? '', 'base64') : Buffer.from(written[format] ?? '')
      reports[format] = (await ctx.documents.put({ name: `report.${ENDING[format]}`, mime: MIME[format], content })).id
    }
    return reports
  },
)
