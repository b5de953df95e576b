// Measures that move together. A correlation says nothing of cause; where a third thing (time, a dimension) moves both,
// the sentence says so and how much is left when it is held still.
import { correlationChance, mean } from '../statistics/index.ts'
import { sql, type Tables } from '../tables/index.ts'
import type { Candidate } from './candidate.ts'
import type { Plan } from './plan.ts'

const MOST_ROWS = 50_000
const MOST_COLUMNS = 12
const WEAKEST = 0.3

export async function findCorrelations(tables: Tables, plan: Plan): Promise<Candidate[]> {
  const columns = plan.measures.filter((measure) => measure.name !== '*').slice(0, MOST_COLUMNS)
  if (columns.length < 2 || plan.rowCount < 10) return []
  const extra = [
    ...(plan.time === undefined ? [] : [`${sql.dayNumber(plan.time.column)} AS time_of_row`]),
    ...plan.dimensions
      .slice(0, 3)
      .map((dimension, index) => `CAST(${sql.identifier(dimension.name)} AS TEXT) AS dimension_${index}`),
  ]
  const list = [
    ...columns.map((measure, index) => `${sql.identifier(measure.name)} AS measure_${index}`),
    ...extra,
  ].join(', ')
  const { rows } = await tables.query(`SELECT ${list} FROM ${sql.identifier(plan.table)} LIMIT ${MOST_ROWS}`, {
    rows: MOST_ROWS,
  })
  const column = (name: string) => rows.map((row) => row[name] ?? null)
  const numbers = columns.map((_, index) => column(`measure_${index}`))
  const times = column('time_of_row')
  const candidates: Candidate[] = []
  for (let left = 0; left < columns.length; left++) {
    for (let right = left + 1; right < columns.length; right++) {
      const both = rows
        .map((_, row) => row)
        .filter((row) => typeof numbers[left]![row] === 'number' && typeof numbers[right]![row] === 'number')
      if (both.length < 10) continue
      const x = both.map((row) => Number(numbers[left]![row]))
      const y = both.map((row) => Number(numbers[right]![row]))
      const straight = pearson(x, y)
      const ranked = pearson(ranks(x), ranks(y))
      if (Number.isNaN(straight)) continue
      const warnings = ['A correlation is not a cause.']
      if (plan.time !== undefined) {
        const t = both.map((row) => Number(times[row] ?? 0))
        const left = withoutThird(straight, pearson(x, t), pearson(y, t))
        if (Math.abs(left) < Math.abs(straight) / 2) {
          warnings.push(
            'Both move with time: with time held still little of it is left, so time, or what changes with it, may be behind both.',
          )
        }
      }
      for (const [index, dimension] of plan.dimensions.slice(0, 3).entries()) {
        const groups = both.map((row) => String(column(`dimension_${index}`)[row]))
        const inside = pearson(centred(x, groups), centred(y, groups))
        if (Math.abs(inside) < Math.abs(straight) / 2 || inside * straight < 0) {
          warnings.push(
            `Inside the groups of ${dimension.name} it is much weaker or turned around: ${dimension.name} may be behind both.`,
          )
        }
      }
      // Both the straight and the ranked correlation have to hold: one far point can make the first alone.
      const weaker = Math.min(Math.abs(straight), Math.abs(ranked))
      const strong = weaker >= WEAKEST && straight * ranked > 0
      candidates.push(
        describe(
          plan.table,
          columns[left]!.name,
          columns[right]!.name,
          straight,
          both.length,
          strong ? weaker : 0,
          warnings,
        ),
      )
    }
  }
  return strongestLinks(candidates)
}

/**
 * Ten columns that all move together are forty-five pairs and one fact. Only the strongest pairs that join columns not
 * yet joined are told; the others keep their place in the count of tests.
 */
function strongestLinks(candidates: Candidate[]): Candidate[] {
  const family = new Map<string, string>()
  const root = (name: string): string => {
    const parent = family.get(name) ?? name
    return parent === name ? name : root(parent)
  }
  return candidates
    .sort((a, b) => b.weight - a.weight)
    .map((candidate) => {
      const [left, right] = candidate.columns.map(root) as [string, string]
      if (left === right) return { ...candidate, weight: 0 }
      if (candidate.weight > 0) family.set(left, right)
      return candidate
    })
}

function describe(
  table: string,
  left: string,
  right: string,
  r: number,
  n: number,
  weaker: number,
  warnings: string[],
): Candidate {
  const x = `1.0 * ${sql.identifier(left)}`
  const y = `1.0 * ${sql.identifier(right)}`
  const from = `${sql.identifier(table)} WHERE ${sql.identifier(left)} IS NOT NULL AND ${sql.identifier(right)} IS NOT NULL`
  // Means are taken out first: the textbook formula on raw sums loses its digits on large values.
  const means = `SELECT avg(${x}) AS mx, avg(${y}) AS my FROM ${from}`
  const centredRows = `SELECT ${x} - means.mx AS dx, ${y} - means.my AS dy FROM ${sql.identifier(table)}, (${means}) AS means WHERE ${sql.identifier(left)} IS NOT NULL AND ${sql.identifier(right)} IS NOT NULL`
  return {
    kind: 'correlation',
    columns: [left, right],
    sentence: `${left} and ${right} move ${r > 0 ? 'together' : 'against each other'}: a correlation of {correlation} over {rows} rows.`,
    figures: {
      correlation: `SELECT sum(dx * dy) / sqrt(sum(dx * dx) * sum(dy * dy)) AS value FROM (${centredRows}) AS centred`,
      rows: `SELECT count(*) AS value FROM ${from}`,
    },
    method: 'the weaker of Pearson’s and Spearman’s correlation, t-test',
    chance: weaker === 0 ? Math.max(0.05, correlationChance(r, n)) : correlationChance(weaker, n),
    weight: weaker * 0.8,
    at: { direction: r > 0 ? 'up' : 'down' },
    warnings,
    evidence: `SELECT ${sql.identifier(left)} AS x, ${sql.identifier(right)} AS y FROM ${from} LIMIT 2000`,
  }
}

function pearson(x: readonly number[], y: readonly number[]): number {
  const mx = mean(x)
  const my = mean(y)
  let xy = 0
  let xx = 0
  let yy = 0
  for (let index = 0; index < x.length; index++) {
    const dx = x[index]! - mx
    const dy = y[index]! - my
    xy += dx * dy
    xx += dx * dx
    yy += dy * dy
  }
  return xy / Math.sqrt(xx * yy)
}

/** Equal values share the mean of their ranks. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!)
  const result = new Array<number>(values.length)
  for (let start = 0; start < order.length; ) {
    let end = start
    while (end + 1 < order.length && values[order[end + 1]!] === values[order[start]!]) end++
    for (let at = start; at <= end; at++) result[order[at]!] = (start + end) / 2
    start = end + 1
  }
  return result
}

/** The correlation that is left when a third thing is held still. */
function withoutThird(xy: number, xt: number, yt: number): number {
  if (Number.isNaN(xt) || Number.isNaN(yt)) return xy
  return (xy - xt * yt) / Math.sqrt(Math.max(1e-12, (1 - xt * xt) * (1 - yt * yt)))
}

function centred(values: readonly number[], groups: readonly string[]): number[] {
  const sums = new Map<string, { sum: number; count: number }>()
  for (const [index, group] of groups.entries()) {
    const entry = sums.get(group) ?? { sum: 0, count: 0 }
    entry.sum += values[index]!
    entry.count++
    sums.set(group, entry)
  }
  return values.map((value, index) => {
    const { sum, count } = sums.get(groups[index]!)!
    return value - sum / count
  })
}
