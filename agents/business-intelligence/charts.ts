// Which chart shows an insight: its evidence rows to what the chart tool takes.
import type { Answer } from './request.ts'
import type { MadeForecast } from './steps.ts'

export interface Drawing {
  kind: 'line' | 'bar' | 'scatter'
  title: string
  x: (string | number)[]
  series: {
    name: string
    values: (number | null)[]
    low?: (number | null)[]
    high?: (number | null)[]
    dashed?: boolean
  }[]
  marks?: { x: string | number; label: string }[]
}

type Rows = Record<string, string | number | boolean | null>[]
const MOST_SEGMENTS = 8

export function chartOfInsight(insight: Answer['insights'][number], rows: Rows): Drawing | undefined {
  const title = insight.text.length > 120 ? `${insight.text.slice(0, 117)}…` : insight.text
  switch (insight.kind) {
    case 'trend':
    case 'break':
    case 'seasonality':
    case 'outlier':
      // A single row has no course to draw.
      return insight.at?.row === undefined ? line(title, insight, rows) : undefined
    case 'driver':
      return lines(title, insight, rows)
    case 'concentration':
      return {
        kind: 'bar',
        title,
        x: rows.slice(0, 30).map((row) => segmentName(row)),
        series: [{ name: insight.columns[0]!, values: rows.slice(0, 30).map((row) => number(row.value)) }],
      }
    case 'correlation':
      return {
        kind: 'scatter',
        title,
        x: rows.map((row) => Number(row.x)),
        series: [{ name: insight.columns.join(' and '), values: rows.map((row) => number(row.y)) }],
      }
    case 'missing_periods':
      return undefined
  }
}

function line(title: string, insight: Answer['insights'][number], rows: Rows): Drawing {
  const period = insight.at?.period
  const mark = rows.find((row) => String(row.period) === period)
  return {
    kind: 'line',
    title,
    x: rows.map(label),
    series: [{ name: insight.columns[0]!, values: rows.map((row) => number(row.value)) }],
    ...(mark === undefined ? {} : { marks: [{ x: label(mark), label: insight.kind }] }),
  }
}

/** A week's period is a number for SQL; people see its first day. */
function label(row: Rows[number]): string {
  return typeof row.period === 'number' ? String(row.start ?? row.period).slice(0, 10) : String(row.period)
}

function segmentName({ segment }: Rows[number]): string {
  return segment === null || segment === undefined ? '(none)' : String(segment)
}

function lines(title: string, insight: Answer['insights'][number], rows: Rows): Drawing {
  const periods = [...new Set(rows.map((row) => String(row.period)))].sort()
  const bySegment = Map.groupBy(rows, segmentName)
  // The driver first: it gets the first colour and the mark.
  const segments = [...bySegment]
    .sort(([a], [b]) => Number(b === insight.at?.segment) - Number(a === insight.at?.segment))
    .slice(0, MOST_SEGMENTS)
  return {
    kind: 'line',
    title,
    x: periods,
    series: segments.map(([name, own]) => {
      const values = new Map(own.map((row) => [String(row.period), number(row.value)]))
      return { name, values: periods.map((period) => values.get(period) ?? null) }
    }),
    ...(insight.at?.period === undefined ? {} : { marks: [{ x: insight.at.period, label: 'split' }] }),
  }
}

export function chartOfForecast({ measure, history, points }: MadeForecast): Drawing {
  const recent = history.slice(-Math.max(60, points.length * 4))
  const last = recent.at(-1)
  const gap = recent.slice(1).map(() => null)
  const joined = [...(last === undefined ? [] : [{ value: last.value, low: last.value, high: last.value }]), ...points]
  return {
    kind: 'line',
    title: `Forecast of ${measure}`,
    x: [...recent.map((point) => point.period), ...points.map((point) => point.period)],
    series: [
      { name: measure, values: [...recent.map((point) => point.value), ...points.map(() => null)] },
      {
        name: 'forecast',
        dashed: true,
        values: [...gap, ...joined.map((point) => point.value)],
        low: [...gap, ...joined.map((point) => point.low)],
        high: [...gap, ...joined.map((point) => point.high)],
      },
    ],
  }
}

function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}
