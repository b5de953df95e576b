// An expectation to SQL: how many rows were checked, how many break it, and the first of them with their values.
import { TroupeError } from '@troupe/sdk'
import { z } from 'zod'
import { type LoadedTable, sql, type Tables } from '../tables/index.ts'
import { DIMENSIONS, describeExpectation, dimensionOf, type Expectation } from './expectation.ts'

const EXAMPLES = 10

export const violation = z.object({
  expectation: z.string(),
  kind: z.string(),
  dimension: z.enum(DIMENSIONS),
  columns: z.array(z.string()),
  severity: z.enum(['error', 'warning']),
  source: z.enum(['given', 'inferred']),
  holds: z.boolean().describe('Whether no more rows break it than its tolerance allows'),
  checked: z.number(),
  broken: z.number(),
  examples: z.array(z.object({ row: z.number().optional(), value: z.string() })),
  sql: z.string().optional().describe('The query that counts the rows that break it'),
})
export type Violation = z.infer<typeof violation>

export async function checkExpectation(tables: Tables, table: LoadedTable, rule: Expectation): Promise<Violation> {
  const columns = columnsOf(rule)
  const base = {
    expectation: describeExpectation(rule),
    kind: rule.kind,
    dimension: dimensionOf(rule.kind),
    columns,
    severity: rule.severity,
    source: rule.source,
  }
  const missing = columns.filter((name) => !table.columns.some((column) => column.name === name))
  if (missing.length > 0) {
    return {
      ...base,
      holds: false,
      checked: 1,
      broken: 1,
      examples: [{ value: `there is no column ${missing.join(', ')}` }],
    }
  }
  if (rule.kind === 'column') return checkColumn(base, table, rule)
  if (rule.kind === 'rows') {
    const broken = table.rowCount < (rule.min ?? 0) || table.rowCount > (rule.max ?? Number.POSITIVE_INFINITY)
    return {
      ...base,
      holds: !broken,
      checked: 1,
      broken: Number(broken),
      examples: broken ? [{ value: `there are ${table.rowCount}` }] : [],
    }
  }
  const { applies, breaks, shows } = conditionOf(tables, table, rule)
  const from = sql.identifier(table.name)
  const query = `SELECT count(*) AS checked, coalesce(sum(CASE WHEN ${breaks} THEN 1 ELSE 0 END), 0) AS broken FROM ${from} WHERE ${applies}`
  const [row = {}] = (await tables.query(query)).rows
  const checked = Number(row.checked)
  const broken = Number(row.broken)
  const examples =
    broken === 0
      ? []
      : (
          await tables.query(
            `SELECT rowid + 1 AS row, ${shows} AS value FROM ${from} WHERE (${applies}) AND (${breaks}) ORDER BY 1`,
            { rows: EXAMPLES },
          )
        ).rows.map((one) => ({
          row: Number(one.row),
          value: one.value === null ? 'nothing' : String(one.value).slice(0, 200),
        }))
  return { ...base, holds: broken <= rule.tolerance * checked, checked, broken, examples, sql: query }
}

function columnsOf(rule: Expectation): string[] {
  switch (rule.kind) {
    case 'unique':
      return rule.columns
    case 'compare':
      return [rule.left, rule.right]
    case 'rows':
    case 'condition':
      return []
    case 'accurate':
      return [rule.column, rule.key]
    default:
      return [rule.column]
  }
}

type Base = Omit<Violation, 'holds' | 'checked' | 'broken' | 'examples' | 'sql'>

/** Values that did not fit a column's type were set aside when the table was read; they are its broken rows. */
function checkColumn(base: Base, table: LoadedTable, rule: Extract<Expectation, { kind: 'column' }>): Violation {
  const type = table.columns.find((column) => column.name === rule.column)!.type
  const fits =
    rule.type === undefined ||
    type === rule.type ||
    (rule.type === 'number' && type === 'integer') ||
    (rule.type === 'timestamp' && type === 'date')
  if (!fits)
    return {
      ...base,
      holds: false,
      checked: table.rowCount,
      broken: table.rowCount,
      examples: [{ value: `it is ${type}` }],
    }
  const bad = table.issues.filter((issue) => issue.kind === 'bad_value' && issue.column === rule.column)
  const examples = bad
    .slice(0, EXAMPLES)
    .map((issue) => ({ ...(issue.row === undefined ? {} : { row: issue.row }), value: issue.value ?? '' }))
  return {
    ...base,
    holds: bad.length <= rule.tolerance * table.rowCount,
    checked: table.rowCount,
    broken: bad.length,
    examples,
  }
}

/** Which rows are looked at, when one breaks the rule, and what of it is shown. */
function conditionOf(
  tables: Tables,
  table: LoadedTable,
  rule: Exclude<Expectation, { kind: 'column' | 'rows' }>,
): { applies: string; breaks: string; shows: string } {
  const text = (name: string) => `CAST(${sql.identifier(name)} AS TEXT)`
  const filled = (name: string) => `${sql.identifier(name)} IS NOT NULL`
  switch (rule.kind) {
    case 'filled': {
      const unread = table.issues.flatMap(({ kind, column, row }) =>
        kind === 'bad_value' && column === rule.column && row !== undefined ? [row] : [],
      )
      return {
        // A value that does not fit its column was set aside, and is reported as that: the cell is not empty.
        applies: unread.length === 0 ? '1 = 1' : `rowid + 1 NOT IN (${unread.join(', ')})`,
        breaks: `${sql.identifier(rule.column)} IS NULL OR trim(${text(rule.column)}) = ''`,
        shows: text(rule.column),
      }
    }
    case 'range': {
      const column = typeof (rule.min ?? rule.max) === 'string' ? text(rule.column) : sql.identifier(rule.column)
      const limits = [
        rule.min === undefined ? undefined : `${column} < ${sql.literal(rule.min)}`,
        rule.max === undefined ? undefined : `${column} > ${sql.literal(rule.max)}`,
      ]
      return {
        applies: filled(rule.column),
        breaks: limits.filter((limit) => limit !== undefined).join(' OR ') || '1 = 0',
        shows: text(rule.column),
      }
    }
    case 'set':
      return {
        applies: filled(rule.column),
        breaks: `${text(rule.column)} NOT IN (${rule.values.map((value) => sql.literal(String(value))).join(', ')})`,
        shows: text(rule.column),
      }
    case 'unique': {
      const names = rule.columns.map((name) => sql.identifier(name)).join(', ')
      const doubled = `SELECT ${names} FROM ${sql.identifier(table.name)} GROUP BY ${names} HAVING count(*) > 1`
      return {
        applies: rule.columns.map(filled).join(' AND '),
        breaks: `(${names}) IN (${doubled})`,
        shows: rule.columns.map(text).join(` || ' ' || `),
      }
    }
    case 'pattern':
      return {
        applies: filled(rule.column),
        breaks: `NOT regexp_full_match(${text(rule.column)}, ${sql.literal(rule.pattern)})`,
        shows: text(rule.column),
      }
    case 'compare':
      return {
        applies: `${filled(rule.left)} AND ${filled(rule.right)}`,
        breaks: `NOT (${sql.identifier(rule.left)} ${rule.operator} ${sql.identifier(rule.right)})`,
        shows: `${text(rule.left)} || ' and ' || ${text(rule.right)}`,
      }
    case 'condition':
      if (/;|--|\/\*/.test(rule.sql))
        throw new TroupeError('query_refused', `the condition ${JSON.stringify(rule.sql)} is more than a condition`)
      return { applies: '1 = 1', breaks: `NOT coalesce((${rule.sql}), true)`, shows: sql.literal('') }
    case 'reference': {
      const other = knownColumn(tables, rule.table, rule.of)
      return {
        applies: filled(rule.column),
        breaks: `${text(rule.column)} NOT IN (SELECT ${text(rule.of)} FROM ${other} WHERE ${filled(rule.of)})`,
        shows: text(rule.column),
      }
    }
    case 'fresh': {
      const moment = rule.now.replace('T', ' ').slice(0, 19)
      const age = `(${sql.dayNumberOf(sql.literal(moment))} - ${sql.dayNumber(rule.column)})`
      // One old row is history; that the newest is old is staleness.
      return {
        applies: `${sql.identifier(rule.column)} = (SELECT max(${sql.identifier(rule.column)}) FROM ${sql.identifier(table.name)})`,
        breaks: `${age} > ${rule.days}`,
        shows: text(rule.column),
      }
    }
    case 'accurate': {
      const other = knownColumn(tables, rule.table, rule.of)
      const own = `${sql.identifier(table.name)}.${sql.identifier(rule.column)}`
      const match = `CAST(truth.${sql.identifier(rule.key)} AS TEXT) = CAST(${sql.identifier(table.name)}.${sql.identifier(rule.key)} AS TEXT)`
      const same =
        rule.difference === 0
          ? `CAST(truth.${sql.identifier(rule.of)} AS TEXT) = CAST(${own} AS TEXT)`
          : `abs(truth.${sql.identifier(rule.of)} - ${own}) <= ${rule.difference}`
      return {
        applies: `EXISTS (SELECT 1 FROM ${other} AS truth WHERE ${match})`,
        breaks: `NOT EXISTS (SELECT 1 FROM ${other} AS truth WHERE ${match} AND ${same})`,
        shows: text(rule.column),
      }
    }
  }
}

function knownColumn(tables: Tables, table: string, column: string): string {
  if (!tables.table(table).columns.some((candidate) => candidate.name === column)) {
    throw new TroupeError('invalid_input', `the reference table ${table} has no column ${column}`)
  }
  return sql.identifier(table)
}
