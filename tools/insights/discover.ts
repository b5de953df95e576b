// Runs the finders, controls false discovery over everything that was tested, fills each sentence by running its SQL,
// and ranks what is left by how much it explains.
import { z } from 'zod'
import { adjustForDiscovery } from '../statistics/index.ts'
import type { Tables } from '../tables/index.ts'
import { type Candidate, INSIGHT_KINDS } from './candidate.ts'
import { findConcentration } from './concentration.ts'
import { findCorrelations } from './correlations.ts'
import { findDrivers } from './drivers.ts'
import { findGaps } from './gaps.ts'
import { overTime } from './over-time.ts'
import type { Plan } from './plan.ts'
import { findRowOutliers } from './row-outliers.ts'
import { readSeries, seriesSql } from './series.ts'

export const insight = z.object({
  kind: z.enum(INSIGHT_KINDS),
  columns: z.array(z.string()),
  text: z.string(),
  figures: z.array(
    z.object({
      name: z.string(),
      value: z.union([z.number(), z.string(), z.null()]),
      text: z.string(),
      sql: z.string(),
    }),
  ),
  method: z.string(),
  chance: z.number().optional().describe('The chance of seeing this where there is nothing'),
  adjusted: z.number().optional().describe('The same, adjusted for everything that was looked at (Benjamini–Hochberg)'),
  weight: z.number(),
  at: z
    .object({
      period: z.string(),
      row: z.number(),
      segment: z.string(),
      dimension: z.string(),
      cycle: z.string(),
      direction: z.enum(['up', 'down']),
    })
    .partial()
    .optional(),
  warnings: z.array(z.string()),
  evidence: z.string().optional().describe('The query whose rows show it'),
})
export type Insight = z.infer<typeof insight>

export async function discover(
  tables: Tables,
  plan: Plan,
  options: { falseDiscoveryRate: number; most: number },
): Promise<{ insights: Insight[]; tested: number }> {
  const candidates: Candidate[] = []
  const { time } = plan
  for (const measure of plan.measures) {
    const byTime: Candidate[] = []
    if (time !== undefined) {
      byTime.push(
        ...overTime(plan.table, time, measure, await readSeries(tables, seriesSql(plan.table, time, measure))),
      )
      byTime.push(...(await findDrivers(tables, plan, time, measure)))
    }
    candidates.push(...byTime)
    // A wild row that already shows as a wild period would be said twice.
    if (!byTime.some((candidate) => candidate.kind === 'outlier'))
      candidates.push(...(await findRowOutliers(tables, plan, measure)))
    candidates.push(...(await findConcentration(tables, plan, measure)))
  }
  candidates.push(...(await findCorrelations(tables, plan)))
  if (time !== undefined) candidates.push(...(await findGaps(tables, plan, time)))

  const tested = candidates.filter((candidate) => candidate.chance !== undefined)
  const adjusted = adjustForDiscovery(tested.map((candidate) => candidate.chance!))
  const level = new Map(tested.map((candidate, index) => [candidate, adjusted[index]!]))
  const kept = candidates
    .filter((candidate) => candidate.weight > 0 && (level.get(candidate) ?? 0) <= options.falseDiscoveryRate)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, options.most)
  const insights: Insight[] = []
  for (const candidate of kept) insights.push(await fill(tables, candidate, level.get(candidate)))
  return { insights, tested: tested.length }
}

async function fill(tables: Tables, candidate: Candidate, adjusted: number | undefined): Promise<Insight> {
  const figures: Insight['figures'] = []
  for (const [name, sql] of Object.entries(candidate.figures)) {
    const [row = {}] = (await tables.query(sql, { rows: 1 })).rows
    const value = Object.values(row)[0] ?? null
    figures.push({ name, value: typeof value === 'boolean' ? String(value) : value, text: formatFigure(value), sql })
  }
  const text = candidate.sentence.replaceAll(
    /\{(\w+)\}/g,
    (_, name) => figures.find((figure) => figure.name === name)?.text ?? '?',
  )
  const { kind, columns, method, chance, weight, at, warnings = [], evidence } = candidate
  return {
    kind,
    columns,
    text,
    figures,
    method,
    ...(chance === undefined ? {} : { chance, adjusted: adjusted ?? 1 }),
    weight,
    ...(at === undefined ? {} : { at }),
    warnings,
    ...(evidence === undefined ? {} : { evidence }),
  }
}

/** Four digits are what a reader takes in; whole numbers are written whole. */
export function formatFigure(value: unknown): string {
  if (typeof value !== 'number') return value === null || value === undefined ? 'nothing' : String(value)
  if (Number.isInteger(value)) return value.toLocaleString('en-US')
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 })
}
