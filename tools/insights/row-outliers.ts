// Single rows far from all others, in a column of plain measurements.
import { separatedOutliers } from '../statistics/index.ts'
import { sql, type Tables } from '../tables/index.ts'
import type { Candidate } from './candidate.ts'
import type { Measure, Plan } from './plan.ts'

const MOST_ROWS = 200_000

export async function findRowOutliers(tables: Tables, plan: Plan, measure: Measure): Promise<Candidate[]> {
  if (measure.name === '*' || plan.rowCount < 20) return []
  const column = sql.identifier(measure.name)
  const from = sql.identifier(plan.table)
  const { rows } = await tables.query(
    `SELECT ${column} AS value, rowid + 1 AS row FROM ${from} WHERE ${column} IS NOT NULL LIMIT ${MOST_ROWS}`,
    { rows: MOST_ROWS },
  )
  const values = rows.map((row) => Number(row.value))
  // Amounts often spread by factors; there a value is far away when it is so on both scales.
  const found = separatedOutliers(values, 5)
  const logFound = values.every((value) => value > 0)
    ? new Set(separatedOutliers(values.map(Math.log), 4.5).map((one) => one.index))
    : undefined
  return found
    .filter((outlier) => logFound === undefined || logFound.has(outlier.index))
    .map((outlier) => {
      const value = values[outlier.index]!
      const above = outlier.distance > 0
      const rank = values.filter((other) => (above ? other > value : other < value)).length
      const order = `${column} IS NOT NULL ORDER BY ${column} ${above ? 'DESC' : 'ASC'} LIMIT 1 OFFSET`
      return {
        kind: 'outlier' as const,
        columns: [measure.name],
        sentence:
          `One row has ${above ? 'an unusually high' : 'an unusually low'} ${measure.label}: {value}; the other rows lie ` +
          `between {low} and {high} with an average of {typical}.`,
        figures: {
          value: `SELECT ${column} AS value FROM ${from} WHERE ${order} ${rank}`,
          low: `SELECT min(${column}) AS value FROM ${from} WHERE ${column} <> ${value}`,
          high: `SELECT max(${column}) AS value FROM ${from} WHERE ${column} <> ${value}`,
          typical: `SELECT avg(${column}) AS value FROM ${from} WHERE ${column} <> ${value}`,
        },
        method: 'distance from the median in robust standard deviations, with a gap to the next value',
        chance: outlier.chance,
        weight: Math.min(1, Math.abs(outlier.distance) / 20),
        at: { row: Number(rows[outlier.index]!.row), direction: above ? ('up' as const) : ('down' as const) },
        evidence: `SELECT * FROM ${from} WHERE ${column} = ${value}`,
      }
    })
}
