// Few segments that make most of a total (Pareto). A count, not a matter of chance.
import { sql, type Tables } from '../tables/index.ts'
import type { Candidate } from './candidate.ts'
import type { Measure, Plan } from './plan.ts'

const MOST_OF_TOTAL = 0.8
const FEW = 0.35

export async function findConcentration(tables: Tables, plan: Plan, measure: Measure): Promise<Candidate[]> {
  if (!measure.additive) return []
  const candidates: Candidate[] = []
  const from = sql.identifier(plan.table)
  for (const { name } of plan.dimensions) {
    const segment = sql.identifier(name)
    const query = `SELECT CAST(${segment} AS TEXT) AS segment, ${measure.sql} AS value FROM ${from} WHERE ${segment} IS NOT NULL GROUP BY 1`
    const { rows } = await tables.query(`${query} ORDER BY 2 DESC, 1`)
    const values = rows.map((row) => Number(row.value))
    const total = values.reduce((sum, value) => sum + value, 0)
    // Shares of a total make sense only where nothing is negative.
    if (values.length < 5 || total <= 0 || values.some((value) => value < 0)) continue
    let few = 0
    for (let sum = 0; sum < MOST_OF_TOTAL * total; few++) sum += values[few]!
    if (few / values.length > FEW) continue
    const share = values.slice(0, few).reduce((sum, value) => sum + value, 0) / total
    candidates.push({
      kind: 'concentration',
      columns: [measure.name, name],
      sentence: `{few} of {segments} values of ${name} make {share} % of ${measure.label}; the largest, ${rows[0]!.segment}, makes {largest} %.`,
      figures: {
        few: `SELECT count(*) AS value FROM (SELECT value, sum(value) OVER (ORDER BY value DESC, segment) - value AS before, sum(value) OVER () AS total FROM (${query}) AS segments) AS ranked WHERE before < ${MOST_OF_TOTAL} * total`,
        segments: `SELECT count(*) AS value FROM (${query}) AS segments`,
        share: `SELECT 100.0 * sum(value) / (SELECT sum(value) FROM (${query}) AS every) AS value FROM (${query} ORDER BY 2 DESC, 1 LIMIT ${few}) AS largest`,
        largest: `SELECT 100.0 * max(value) / sum(value) AS value FROM (${query}) AS segments`,
      },
      method: `the fewest segments that together make ${100 * MOST_OF_TOTAL} %`,
      chance: undefined,
      weight: share * (1 - few / values.length) * 0.6,
      at: { segment: String(rows[0]!.segment), dimension: name },
      evidence: `${query} ORDER BY 2 DESC, 1`,
    })
  }
  return candidates
}
