// Planted facts: tables are generated with and without trends, seasons, breaks, outliers and driving segments; what
// find-insights reports is compared with what was planted. Then every number is computed again by another engine.
//   recall            planted facts that were found
//   falseDiscoveries  reported facts of the five kinds that were neither planted nor follow from what was
//   figures           numbers whose SQL gives the same value in SQLite, of all numbers reported
// A planted driver or outlier changes the total too, so a trend, break or seasonality that its measure then shows at the
// same place is neither rewarded nor punished.
import { DatabaseSync } from 'node:sqlite'
import { findInsights } from '../tools/find-insights.ts'
import { loadTable } from '../tools/load-table.ts'
import { random } from './random.ts'

type Fact = {
  kind: 'trend' | 'break' | 'seasonality' | 'outlier' | 'driver'
  measure: string
  at?: number
  segment?: string
}
interface Planted {
  rows: Record<string, string | number>[]
  facts: Fact[]
  dates: string[]
}

const MEASURES = ['revenue', 'orders', 'visits', 'cost']
const REGIONS = ['north', 'south', 'east', 'west', 'centre']

export function plantTable(seed: number): Planted {
  const draw = random(seed)
  const monthly = draw.uniform() < 0.3
  const periods = monthly ? draw.integer(36, 84) : draw.integer(150, 600)
  const start = Date.UTC(2019, draw.integer(0, 11), monthly ? 1 : draw.integer(1, 28))
  const dates = Array.from({ length: periods }, (_, index) => {
    const date = new Date(start)
    if (monthly) date.setUTCMonth(date.getUTCMonth() + index)
    else date.setUTCDate(date.getUTCDate() + index)
    return date.toISOString().slice(0, 10)
  })
  const regions = REGIONS.slice(0, draw.integer(3, 5))
  const rows = dates.flatMap((date) => regions.map((region): Record<string, string | number> => ({ date, region })))
  const facts: Fact[] = []
  for (const measure of MEASURES.slice(0, draw.integer(2, 4))) {
    facts.push(...plantMeasure(draw, measure, rows, dates, regions, monthly))
  }
  return { rows, facts, dates }
}

function plantMeasure(
  draw: ReturnType<typeof random>,
  measure: string,
  rows: Planted['rows'],
  dates: string[],
  regions: string[],
  monthly: boolean,
): Fact[] {
  const n = dates.length
  const facts: Fact[] = []
  const add = (chance: number, fact: Fact) => {
    const planted = draw.uniform() < chance
    if (planted) facts.push(fact)
    return planted
  }
  const trend = add(0.25, { kind: 'trend', measure }) ? draw.sign() * draw.between(1.5, 3) : 0
  const season = add(0.25, { kind: 'seasonality', measure }) ? draw.between(0.8, 2) : 0
  const breakAt = Math.floor(n * draw.between(0.25, 0.75))
  const jump =
    trend === 0 && add(0.25, { kind: 'break', measure, at: breakAt }) ? draw.sign() * draw.between(1.2, 3) : 0
  const wildAt = draw.integer(3, n - 4)
  const wild = add(0.2, { kind: 'outlier', measure, at: wildAt }) ? draw.sign() * draw.between(9, 16) : 0
  const driver = draw.integer(0, regions.length - 1)
  const driveAt = Math.floor(n * draw.between(0.3, 0.7))
  const drives =
    trend === 0 && jump === 0 && add(0.2, { kind: 'driver', measure, at: driveAt, segment: regions[driver]! })
  const drive = drives ? draw.sign() * draw.between(1.5, 3) : 0
  const phase = draw.uniform() * 2 * Math.PI
  const cycle = monthly ? 12 : 7
  const alike = draw.uniform() < 0.4 ? draw.between(0.2, 0.6) : 0
  const skewed = draw.uniform() < 0.3
  const scale = 10 ** draw.between(0.5, 4)
  const sizes = regions.map(() => draw.between(0.5, 2))
  const whole = sizes.reduce((sum, size) => sum + size, 0)
  const noise = regions.map(() => 0)
  for (let period = 0; period < n; period++) {
    // The total's facts are spread over the regions by their size; in units of the total's own noise.
    const place = monthly ? new Date(dates[period]!).getUTCMonth() : new Date(dates[period]!).getUTCDay()
    const shared =
      trend * (period / n - 0.5) * 2 +
      season * Math.SQRT2 * Math.cos((2 * Math.PI * place) / cycle + phase) +
      (period >= breakAt ? jump : 0) +
      (period === wildAt ? wild : 0)
    for (const [index] of regions.entries()) {
      const fresh = skewed ? Math.exp(0.8 * draw.normal()) - 1.377 : draw.normal()
      noise[index] = alike * noise[index]! + Math.sqrt(1 - alike * alike) * fresh
      const own = index === driver && period >= driveAt ? drive : 0
      const value =
        25 * (sizes[index]! / whole) +
        (shared * sizes[index]!) / whole +
        own +
        noise[index]! / Math.sqrt(regions.length)
      rows[period * regions.length + index]![measure] = Math.round(scale * value * 1000) / 1000
    }
  }
  return facts
}

interface Score {
  planted: number
  found: number
  reported: number
  wrong: number
  figures: number
  figuresEqual: number
  missed: string[]
  surprising: string[]
}

export async function scoreTable(seed: number): Promise<Score> {
  const { rows, facts, dates } = plantTable(seed)
  const table = { name: 'data', text: toCsv(rows) }
  const context = { signal: new AbortController().signal }
  const { insights } = await findInsights.call({ table, most: 200 }, context)
  const score: Score = {
    planted: facts.length,
    found: 0,
    reported: 0,
    wrong: 0,
    figures: 0,
    figuresEqual: 0,
    missed: [],
    surprising: [],
  }
  const near = (period: string | undefined, at: number | undefined, share: number) =>
    period !== undefined &&
    at !== undefined &&
    Math.abs(dates.findIndex((date) => date.startsWith(period)) - at) <= Math.max(2, dates.length * share)
  const matches = (insight: (typeof insights)[number], fact: Fact) =>
    insight.kind === fact.kind &&
    insight.columns[0] === fact.measure &&
    (fact.kind !== 'break' || near(insight.at?.period, fact.at, 0.05)) &&
    (fact.kind !== 'outlier' || near(insight.at?.period, fact.at, 0)) &&
    (fact.kind !== 'driver' || insight.at?.segment === fact.segment)
  for (const fact of facts) {
    if (insights.some((insight) => matches(insight, fact))) score.found++
    else score.missed.push(`${seed} ${JSON.stringify(fact)}`)
  }
  for (const insight of insights) {
    if (!['trend', 'break', 'seasonality', 'outlier', 'driver'].includes(insight.kind)) continue
    const follows = facts.some(
      (fact) =>
        fact.measure === insight.columns[0] &&
        fact.kind === 'driver' &&
        (insight.kind === 'break' ? near(insight.at?.period, fact.at, 0.05) : insight.kind === 'trend'),
    )
    if (follows) continue
    score.reported++
    if (!facts.some((fact) => matches(insight, fact))) {
      score.wrong++
      score.surprising.push(
        `${seed} ${insight.text} ${insight.adjusted} ${JSON.stringify(facts.filter((fact) => fact.measure === insight.columns[0]))}`,
      )
    }
  }
  const check = await checkFigures(
    table,
    insights.flatMap((insight) => insight.figures),
  )
  return { ...score, ...check }
}

/** Runs every figure's SQL in SQLite on the normalised table and counts equal values (to nine digits). */
export async function checkFigures(
  table: { name?: string; text: string },
  figures: { value: unknown; sql: string }[],
): Promise<{ figures: number; figuresEqual: number; unequal: string[] }> {
  using database = await sqliteCopy(table)
  const unequal: string[] = []
  for (const { value, sql } of figures) {
    const other = Object.values(database.prepare(sql).get() ?? {})[0] ?? null
    const equal =
      typeof value === 'number'
        ? Math.abs(Number(other) - value) <= 1e-9 * Math.max(1, Math.abs(value))
        : other === value
    if (!equal) unequal.push(`${value} is ${other} by SQLite: ${sql}`)
  }
  return { figures: figures.length, figuresEqual: figures.length - unequal.length, unequal }
}

async function sqliteCopy(table: { name?: string; text: string }): Promise<DatabaseSync> {
  const loaded = await loadTable.call({ table, rows: 10_000 }, { signal: new AbortController().signal })
  const database = new DatabaseSync(':memory:')
  const quoted = loaded.columns.map((column) => `"${column.name.replaceAll('"', '""')}"`)
  database.exec(`CREATE TABLE ${loaded.name} (${quoted.join(', ')})`)
  const insert = database.prepare(`INSERT INTO ${loaded.name} VALUES (${quoted.map(() => '?').join(', ')})`)
  database.exec('BEGIN')
  for (const row of loaded.rows)
    insert.run(
      ...loaded.columns.map(({ name }) => (typeof row[name] === 'boolean' ? String(row[name]) : (row[name] ?? null))),
    )
  database.exec('COMMIT')
  return database
}

function toCsv(rows: Record<string, string | number>[]): string {
  const names = Object.keys(rows[0]!)
  return [names.join(','), ...rows.map((row) => names.map((name) => row[name]).join(','))].join('\n')
}

export async function measureInsights(
  tables: number,
  firstSeed = 1,
): Promise<
  Omit<Score, 'missed' | 'surprising'> & {
    recall: number
    falseDiscoveries: number
    missed: string[]
    surprising: string[]
  }
> {
  const sum: Score = {
    planted: 0,
    found: 0,
    reported: 0,
    wrong: 0,
    figures: 0,
    figuresEqual: 0,
    missed: [],
    surprising: [],
  }
  for (let seed = firstSeed; seed < firstSeed + tables; seed++) {
    const score = await scoreTable(seed)
    for (const key of ['planted', 'found', 'reported', 'wrong', 'figures', 'figuresEqual'] as const)
      sum[key] += score[key]
    sum.missed.push(...score.missed)
    sum.surprising.push(...score.surprising)
  }
  return { ...sum, recall: sum.found / sum.planted, falseDiscoveries: sum.wrong / Math.max(1, sum.reported) }
}

export async function run(options: { json?: boolean; tables?: number; show?: boolean } = {}): Promise<void> {
  const result = await measureInsights(options.tables ?? 200)
  const { missed, surprising, ...figures } = result
  if (options.show)
    for (const line of [...missed.map((text) => `missed ${text}`), ...surprising.map((text) => `wrong ${text}`)])
      console.log(line)
  console.log(options.json === false ? figures : JSON.stringify({ bench: 'insights', ...figures }))
}

if (import.meta.main) await run({ show: process.argv.includes('--show'), tables: Number(process.argv[2]) || 200 })
