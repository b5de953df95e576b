// Key figures of a table and the queries behind them: totals or means of each measure, and the last whole period
// against the one before.
import { formatFigure } from '@troupe/tools/insights/discover'
import type { TableProfile } from '@troupe/tools/profile-table'
import * as sql from '@troupe/tools/tables/sql-dialect'
import type { KeyFigure } from './request.ts'

const MOST = 12

export function keyFigureQueries(profile: TableProfile): { name: string; sql: string }[] {
  const queries = [{ name: 'rows', sql: 'SELECT count(*) AS value FROM "data"' }]
  for (const column of profile.columns) {
    if (column.role !== 'measure' || queries.length >= MOST) continue
    const what = column.aggregate === 'sum' ? 'total' : 'average'
    queries.push({
      name: `${what} ${column.name}`,
      sql: `SELECT ${column.aggregate}(${sql.identifier(column.name)}) AS value FROM "data"`,
    })
  }
  for (const column of profile.columns) {
    if (column.role === 'dimension' && queries.length < MOST) {
      queries.push({
        name: `different values of ${column.name}`,
        sql: `SELECT count(DISTINCT ${sql.identifier(column.name)}) AS value FROM "data"`,
      })
    }
  }
  return queries
}

export function toKeyFigures(
  queries: { name: string; sql: string }[],
  answers: { rows: Record<string, unknown>[] }[],
): KeyFigure[] {
  return queries.map(({ name, sql }, index) => {
    const value = answers[index]?.rows[0]?.value
    return { name, value: typeof value === 'number' ? value : null, text: formatFigure(value), sql }
  })
}
