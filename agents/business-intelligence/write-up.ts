// The report's content: what matters first, and under each section where its figures come from.
import { formatFigure } from '@troupe/tools/insights/discover'
import type { ReportContent } from '@troupe/tools/reports/content'
import type { Findings } from './steps.ts'

/** Without a number: whatever a summary states has to be a figure with SQL behind it. */
const NOTHING_FOUND = 'Nothing beyond chance was found.'

type Cell = string | number | boolean | null
type Section = ReportContent['sections'][number]

export function summarise({ keyFigures, insights }: Pick<Findings, 'keyFigures' | 'insights'>): string {
  const figures = keyFigures.slice(0, 4).map((figure) => `${figure.name}: ${figure.text}`)
  const found =
    insights.length === 0
      ? NOTHING_FOUND
      : insights
          .slice(0, 3)
          .map((insight) => insight.text)
          .join(' ')
  return `${figures.join('; ')}. ${found}`
}

export function writeUp(findings: Findings, images: Map<string, { svg: string; png: string }>): ReportContent {
  const { profile, keyFigures, answer, insights, forecast, charts } = findings
  const sections: Section[] = [
    section('Key figures', {
      table: { columns: ['figure', 'value'], rows: keyFigures.map((figure) => [figure.name, figure.text]) },
      sources: keyFigures.map((figure) => ({ figure: figure.name, value: figure.text, sql: figure.sql })),
    }),
  ]
  if (answer !== undefined) {
    sections.unshift(
      section(answer.question, {
        paragraphs: answer.understood ? answer.notes : [`This was not understood: ${answer.notes.join(' ')}`],
        ...(answer.rows.length === 0
          ? {}
          : {
              table: {
                columns: answer.columns.slice(0, 30),
                rows: answer.rows
                  .slice(0, 100)
                  .map((row) => answer.columns.slice(0, 30).map((name) => shown(row[name] ?? null, name, profile))),
              },
            }),
        ...(answer.sql === undefined
          ? {}
          : { sources: [{ figure: 'the answer', value: `${answer.rows.length} rows`, sql: answer.sql }] }),
      }),
    )
  }
  if (insights.length === 0) sections.push(section('Insights', { paragraphs: [NOTHING_FOUND] }))
  for (const insight of insights) {
    const chart = charts.find((one) => insight.text.startsWith(one.title.replace(/…$/, '')))
    const image = chart === undefined ? undefined : images.get(chart.title)
    sections.push(
      section(`${insight.kind.replaceAll('_', ' ')}: ${insight.columns.join(', ')}`, {
        paragraphs: [insight.text],
        bullets: [...insight.warnings, `How: ${insight.method}${chanceOf(insight.adjusted)}`],
        ...(image === undefined ? {} : { chart: { ...image, title: chart!.title } }),
        sources: insight.figures.map((figure) => ({ figure: figure.name, value: figure.text, sql: figure.sql })),
      }),
    )
  }
  if (forecast !== undefined) {
    const image = images.get(`Forecast of ${forecast.measure}`)
    sections.push(
      section(`Forecast of ${forecast.measure}`, {
        paragraphs: [
          `By ${forecast.backTest.model}; in the back-test over ${forecast.backTest.stretches} stretches its error was ${formatFigure(forecast.backTest.againstNaive)} times that of seasonal naive.`,
          ...forecast.warnings,
        ],
        table: {
          columns: ['period', 'value', 'low', 'high'],
          rows: forecast.points.map((point) => [
            point.period,
            formatFigure(point.value),
            formatFigure(point.low),
            formatFigure(point.high),
          ]),
        },
        ...(image === undefined ? {} : { chart: { ...image, title: `Forecast of ${forecast.measure}` } }),
        sources: [{ figure: 'the history', value: `${forecast.history.length} periods`, sql: forecast.sql }],
      }),
    )
  }
  sections.push(
    section('The data', {
      table: {
        columns: ['column', 'type', 'role', 'missing', 'different'],
        rows: profile.columns.map((column) => [column.name, column.type, column.role, column.nulls, column.distinct]),
      },
    }),
  )
  return {
    title: 'What the data says',
    subtitle: `${profile.rowCount} rows, ${profile.columns.length} columns`,
    sections: sections.slice(0, 200),
  }
}

function section(heading: string, parts: Partial<Section>): Section {
  return { heading, paragraphs: [], bullets: [], sources: [], ...parts }
}

/** A row whose group has no name says so: an empty cell looks like a mistake. */
function shown(value: Cell, name: string, profile: Findings['profile']): Cell {
  if (typeof value === 'number') return formatFigure(value)
  if (value !== null && value !== '') return value
  const column = profile.columns.find((one) => one.name === name)
  return column === undefined || column.role === 'measure' ? '–' : `(no ${name})`
}

function chanceOf(adjusted: number | undefined): string {
  if (adjusted === undefined) return ''
  return `; chance of a false finding ${adjusted < 0.001 ? 'below 0.001' : adjusted.toPrecision(2)}`
}
