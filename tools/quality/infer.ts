// Expectations that nearly all rows of a table itself suggest. What 99 rows of 100 agree on is taken as meant, and the
// one as a violation to look at; so inferred expectations are warnings, never errors.

import type { TableProfile } from '../profile-table.ts'
import { median, separatedOutliers } from '../statistics/index.ts'
import { type LoadedTable, sql, type Tables } from '../tables/index.ts'
import { type Expectation, KNOWN_PATTERNS } from './expectation.ts'

const NEARLY_ALL = 0.95
const MOST_ROWS = 50_000
const FEWEST_ROWS = 10
const SIGN_FREE = /change|delta|diff|growth|balance|profit|temp|lat|lon|return|margin|net|score|longitude|latitude/i

const inferred = { severity: 'warning', tolerance: 0, source: 'inferred' } as const

export async function inferExpectations(
  tables: Tables,
  table: LoadedTable,
  profile: TableProfile,
): Promise<Expectation[]> {
  const rules: Expectation[] = []
  for (const column of profile.columns) {
    const { name, type, role, count, nulls, distinct } = column
    const filled = count - nulls
    if (type !== 'text') rules.push({ kind: 'column', column: name, type, ...inferred })
    if (count < FEWEST_ROWS) continue
    if (nulls <= count * (1 - NEARLY_ALL)) rules.push({ kind: 'filled', column: name, ...inferred })
    // Nearly all different, or called an identifier: a repeated one is a mistake.
    if (
      (role === 'identifier' && distinct >= filled * 0.9) ||
      (/(^|_)(id|uuid|email)$/i.test(name) && distinct >= filled * 0.9)
    ) {
      rules.push({ kind: 'unique', columns: [name], ...inferred })
    }
    if (type === 'text') rules.push(...(await textRules(tables, table, column)))
    if (type === 'integer' || type === 'number') rules.push(...(await numberRules(tables, table, name)))
  }
  if (profile.rowCount >= FEWEST_ROWS) rules.push(...(await pairRules(tables, table, profile)))
  const names = profile.columns.map((column) => column.name)
  if (names.length > 1 && names.length <= 10 && (await nearlyAllDifferent(tables, table)))
    rules.push({ kind: 'unique', columns: names, ...inferred })
  return rules
}

/** Where rows repeat often they are measurements, not records. */
async function nearlyAllDifferent(tables: Tables, table: LoadedTable): Promise<boolean> {
  if (table.rowCount < FEWEST_ROWS) return false
  const [row = {}] = (
    await tables.query(
      `SELECT count(*) AS different FROM (SELECT DISTINCT * FROM ${sql.identifier(table.name)}) AS rows`,
    )
  ).rows
  return Number(row.different) >= NEARLY_ALL * table.rowCount
}

const PATTERNS_BY_NAME: [RegExp, string][] = [
  [/e-?mail/i, KNOWN_PATTERNS.email],
  [/(^|_)(url|website|link)$/i, KNOWN_PATTERNS.address],
]

async function textRules(
  tables: Tables,
  table: LoadedTable,
  column: TableProfile['columns'][number],
): Promise<Expectation[]> {
  const name = sql.identifier(column.name)
  const known = PATTERNS_BY_NAME.find(([pattern]) => pattern.test(column.name))
  if (known !== undefined) return [{ kind: 'pattern', column: column.name, pattern: known[1], ...inferred }]
  if (column.role === 'dimension') return misspelled(column)
  // Codes share a shape (AB-1234 is AA-9999); prose does not.
  const shape = `regexp_replace(regexp_replace(regexp_replace(${name}, '[A-Z]', 'A', 'g'), '[a-z]', 'a', 'g'), '[0-9]', '9', 'g')`
  const { rows } = await tables.query(
    `SELECT ${shape} AS shape, count(*) AS count FROM ${sql.identifier(table.name)} WHERE ${name} IS NOT NULL AND length(${name}) <= 40 GROUP BY 1 ORDER BY 2 DESC LIMIT 1`,
  )
  const [most] = rows
  if (
    most === undefined ||
    Number(most.count) < NEARLY_ALL * (column.count - column.nulls) ||
    !String(most.shape).includes('9')
  )
    return []
  const pattern = String(most.shape)
    .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('A', '[A-Z]')
    .replaceAll('a', '[a-z]')
    .replaceAll('9', '[0-9]')
  return [{ kind: 'pattern', column: column.name, pattern, ...inferred }]
}

/** A rare value one letter, one case or some space away from a frequent one is most likely that one. */
function misspelled(column: TableProfile['columns'][number]): Expectation[] {
  const values = column.top.map((entry) => ({ value: String(entry.value), count: entry.count }))
  const wrong = values.filter((rare) =>
    values.some((often) => often.count >= 10 * rare.count && closeTo(rare.value, often.value)),
  )
  if (wrong.length === 0 || column.distinct > column.top.length) return []
  return [
    {
      kind: 'set',
      column: column.name,
      values: values.filter((entry) => !wrong.includes(entry)).map((entry) => entry.value),
      ...inferred,
    },
  ]
}

function closeTo(one: string, other: string): boolean {
  const plain = (text: string) => text.toLowerCase().replaceAll(/\s+/g, ' ').trim()
  const [a, b] = [plain(one), plain(other)]
  if (a === b) return true
  if (Math.min(a.length, b.length) < 4 || Math.abs(a.length - b.length) > 1 || /\d/.test(a + b)) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++
  const [restA, restB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)]
  const swapped = restA.length === 2 && restA[0] === restB[1] && restA[1] === restB[0]
  return swapped || (restA.length <= 1 && restB.length <= 1)
}

async function numberRules(tables: Tables, table: LoadedTable, name: string): Promise<Expectation[]> {
  const column = sql.identifier(name)
  const { rows } = await tables.query(
    `SELECT ${column} AS value FROM ${sql.identifier(table.name)} WHERE ${column} IS NOT NULL LIMIT ${MOST_ROWS}`,
    { rows: MOST_ROWS },
  )
  const values = rows.map((row) => Number(row.value))
  if (values.length < 20) return []
  const negative = values.filter((value) => value < 0).length
  if (negative > 0 && negative <= values.length * 0.02 && median(values) > 0 && !SIGN_FREE.test(name)) {
    return [{ kind: 'range', column: name, min: 0, ...inferred }]
  }
  const wild = new Set(separatedOutliers(values, 6).map((outlier) => outlier.index))
  if (wild.size === 0) return []
  const usual = values.filter((_, index) => !wild.has(index))
  return [
    {
      kind: 'range',
      column: name,
      min: usual.reduce((a, b) => Math.min(a, b)),
      max: usual.reduce((a, b) => Math.max(a, b)),
      ...inferred,
    },
  ]
}

/** Dates in an order that nearly all rows keep, and a column that is nearly always the product or sum of two others. */
async function pairRules(tables: Tables, table: LoadedTable, profile: TableProfile): Promise<Expectation[]> {
  const rules: Expectation[] = []
  const from = sql.identifier(table.name)
  const share = async (condition: string, filled: string[]) => {
    const where = filled.map((name) => `${sql.identifier(name)} IS NOT NULL`).join(' AND ')
    const [row = {}] = (
      await tables.query(
        `SELECT avg(CASE WHEN ${condition} THEN 1.0 ELSE 0.0 END) AS share, count(*) AS rows FROM ${from} WHERE ${where}`,
      )
    ).rows
    return Number(row.rows) >= FEWEST_ROWS ? Number(row.share) : 0
  }
  const times = profile.columns.filter((column) => column.role === 'time').slice(0, 6)
  for (const left of times) {
    for (const right of times) {
      if (left === right) continue
      const holds = await share(`${sql.identifier(left.name)} <= ${sql.identifier(right.name)}`, [
        left.name,
        right.name,
      ])
      const both = await share(`${sql.identifier(left.name)} = ${sql.identifier(right.name)}`, [left.name, right.name])
      if (holds >= NEARLY_ALL && both < 0.9)
        rules.push({ kind: 'compare', left: left.name, operator: '<=', right: right.name, ...inferred })
    }
  }
  const numbers = profile.columns
    .filter(
      (column) =>
        (column.type === 'integer' || column.type === 'number') && column.role === 'measure' && column.distinct > 5,
    )
    .slice(0, 8)
  for (const result of numbers) {
    for (const [index, left] of numbers.entries()) {
      for (const right of numbers.slice(index + 1)) {
        if (left === result || right === result) continue
        const [a, b, c] = [left.name, right.name, result.name].map((name) => sql.identifier(name)) as [
          string,
          string,
          string,
        ]
        for (const operator of ['*', '+']) {
          // Amounts are rounded to cents.
          const condition = `abs(${a} ${operator} ${b} - ${c}) <= 0.01 + 0.0001 * abs(${c})`
          const holds = await share(condition, [left.name, right.name, result.name])
          if (holds >= NEARLY_ALL) rules.push({ kind: 'condition', sql: condition, ...inferred })
        }
      }
    }
  }
  return rules
}
