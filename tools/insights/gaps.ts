// Periods without any row, between the first and the last. A count, not a matter of chance.
import { sql, type Tables } from '../tables/index.ts'
import type { Candidate } from './candidate.ts'
import type { Plan, TimeAxis } from './plan.ts'
import { isoMoment } from './plan.ts'

const NAMED = 5

export async function findGaps(tables: Tables, plan: Plan, time: TimeAxis): Promise<Candidate[]> {
  const from = `${sql.identifier(plan.table)} WHERE ${time.filter}`
  const { rows } = await tables.query(
    `SELECT ${time.period} AS period, min(${sql.isoText(time.column)}) AS start FROM ${from} GROUP BY 1 ORDER BY 1`,
    { rows: 20_001 },
  )
  const numbers = rows.map((row) => periodNumber(String(row.start), time.grain))
  const gaps: { after: string; missing: number }[] = []
  for (let index = 1; index < numbers.length; index++) {
    const missing = numbers[index]! - numbers[index - 1]! - 1
    if (missing > 0)
      gaps.push({ after: String(rows[index - 1]!.start).slice(0, time.grain === 'hour' ? 13 : 10), missing })
  }
  if (gaps.length === 0) return []
  // Shops closed at weekends miss two days each week: that is a habit, not a gap.
  const missing = gaps.reduce((sum, gap) => sum + gap.missing, 0)
  if (gaps.length > 20 && missing / gaps.length < 3) return []
  const longest = gaps.reduce((best, gap) => (gap.missing > best.missing ? gap : best))
  const named = gaps.slice(0, NAMED).map((gap) => gap.after)
  const number = numberSql(time)
  return [
    {
      kind: 'missing_periods',
      columns: [time.column],
      sentence: `{missing} of {expected} ${time.grain}s between the first and the last have no rows; the longest gap follows ${longest.after}.`,
      figures: {
        missing: `SELECT max(${number}) - min(${number}) + 1 - count(DISTINCT ${number}) AS value FROM ${from}`,
        expected: `SELECT max(${number}) - min(${number}) + 1 AS value FROM ${from}`,
      },
      method: 'periods between the first and the last without a row',
      chance: undefined,
      weight: Math.min(0.7, 0.3 + missing / (numbers.length + missing)),
      at: { period: longest.after },
      warnings: [`Gaps follow ${named.join(', ')}${gaps.length > NAMED ? ' and others' : ''}.`],
    },
  ]
}

/** Periods counted from a fixed start, so that neighbours differ by 1; the same number in SQL below. */
function periodNumber(start: string, grain: TimeAxis['grain']): number {
  const date = new Date(isoMoment(start))
  const days = Math.floor(date.getTime() / 86_400_000)
  switch (grain) {
    case 'hour':
      return days * 24 + date.getUTCHours()
    case 'day':
      return days
    case 'week':
      return Math.floor((days + 3) / 7)
    case 'month':
      return date.getUTCFullYear() * 12 + date.getUTCMonth()
    case 'quarter':
      return date.getUTCFullYear() * 4 + Math.floor(date.getUTCMonth() / 3)
    case 'year':
      return date.getUTCFullYear()
  }
}

function numberSql(time: TimeAxis): string {
  const text = sql.isoText(time.column)
  const year = `CAST(substr(${text}, 1, 4) AS INTEGER)`
  const month = `CAST(substr(${text}, 6, 2) AS INTEGER)`
  switch (time.grain) {
    case 'hour':
      return `(${sql.dayNumber(time.column)} * 24 + CAST(substr(${text}, 12, 2) AS INTEGER))`
    case 'day':
      return sql.dayNumber(time.column)
    case 'week':
      return time.period
    case 'month':
      return `(${year} * 12 + ${month})`
    case 'quarter':
      return `(${year} * 4 + floor((${month} - 1) / 3.0))`
    case 'year':
      return year
  }
}
