// profile-table: what each column of a table holds and what it is for: a point in time, a measure to add up or to
// average, a dimension to group by, an identifier to leave alone.
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { type LoadedTable, openTables, sql, type Tables, tableSource } from './tables/index.ts'

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()])
const columnProfile = z.object({
  name: z.string(),
  type: z.enum(['integer', 'number', 'boolean', 'date', 'timestamp', 'text']),
  role: z.enum(['time', 'measure', 'dimension', 'identifier', 'other']),
  aggregate: z.enum(['sum', 'avg']).optional().describe('How values of a measure are put together'),
  count: z.number(),
  nulls: z.number(),
  distinct: z.number(),
  min: cell,
  max: cell,
  mean: z.number().nullable(),
  top: z.array(z.object({ value: cell, count: z.number() })).describe('The most frequent values of a dimension'),
  sql: z.string().describe('The query behind count, nulls, distinct, min, max and mean'),
})
export type ColumnProfile = z.infer<typeof columnProfile>
export interface TableProfile {
  table: string
  rowCount: number
  columns: ColumnProfile[]
}

export const profileTable = defineTool({
  name: 'profile-table',
  description:
    'Describes each column of a table: type, role, missing and distinct values, range, mean, frequent values',
  input: z.object({ table: tableSource }),
  output: z.object({ table: z.string(), rowCount: z.number(), columns: z.array(columnProfile) }),
  async run({ table }, { signal }) {
    using tables = await openTables([table], signal)
    return await profile(tables, tables.list[0]!)
  },
})

export async function profile(tables: Tables, table: LoadedTable): Promise<TableProfile> {
  const columns: ColumnProfile[] = []
  for (const { name, type } of table.columns) {
    const column = sql.identifier(name)
    const isNumber = type === 'integer' || type === 'number'
    const range =
      type === 'date' || type === 'timestamp'
        ? sql.isoText(name)
        : type === 'boolean'
          ? `CAST(${column} AS INTEGER)`
          : column
    const query =
      `SELECT count(*) AS count, count(*) - count(${column}) AS nulls, count(DISTINCT ${column}) AS distinct_values, ` +
      `min(${range}) AS min, max(${range}) AS max, ${isNumber ? `avg(${column})` : 'NULL'} AS mean FROM ${sql.identifier(table.name)}`
    const [row = {}] = (await tables.query(query)).rows
    const facts = {
      count: Number(row.count),
      nulls: Number(row.nulls),
      distinct: Number(row.distinct_values),
      min: row.min ?? null,
      max: row.max ?? null,
      mean: typeof row.mean === 'number' ? row.mean : null,
    }
    const role = roleOf(name, type, facts)
    const top = role === 'dimension' ? await frequentValues(tables, table.name, name) : []
    columns.push({
      name,
      type,
      role,
      ...(role === 'measure' ? { aggregate: aggregateOf(name) } : {}),
      ...facts,
      top,
      sql: query,
    })
  }
  return { table: table.name, rowCount: table.rowCount, columns }
}

async function frequentValues(tables: Tables, table: string, column: string) {
  const name = sql.identifier(column)
  const query = `SELECT ${name} AS value, count(*) AS count FROM ${sql.identifier(table)} WHERE ${name} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20`
  const { rows } = await tables.query(query)
  return rows.map((row) => ({ value: row.value ?? null, count: Number(row.count) }))
}

const IDENTIFIER_NAME =
  /(^|[_\s-])(id|code|key|uuid|no|nr|number|rank|index|zip|postcode|row|lat|lon|latitude|longitude)$|[a-z]Id$/i
const YEAR_NAME = /(^|[_\s-])year$/i
/** Adding these up makes no sense; their mean does. */
const AVERAGED_NAME =
  /rate|ratio|share|percent|pct|price|temp|score|avg|average|mean|median|age$|margin|index|level|speed|latency|duration|humidity|pressure|rating|utili[sz]ation|p\d\d(th)?$|min|max|satisfaction|nps/i

function roleOf(
  name: string,
  type: ColumnProfile['type'],
  facts: { count: number; nulls: number; distinct: number; min: unknown; max: unknown },
): ColumnProfile['role'] {
  const filled = facts.count - facts.nulls
  if (filled === 0) return 'other'
  if (type === 'date' || type === 'timestamp') return 'time'
  const fewValues = facts.distinct <= 50 && facts.distinct * 2 <= filled
  if (type === 'text' || type === 'boolean') {
    if (facts.distinct === filled && filled > 20) return 'identifier'
    return fewValues || facts.distinct <= Math.min(200, filled / 4) ? 'dimension' : 'other'
  }
  if (IDENTIFIER_NAME.test(name)) return fewValues && type === 'integer' ? 'dimension' : 'identifier'
  if (YEAR_NAME.test(name)) return fewValues ? 'dimension' : 'other'
  // 1, 2, 3 … to the last row counts rows, it measures nothing.
  const counts = type === 'integer' && facts.distinct === filled && Number(facts.max) - Number(facts.min) === filled - 1
  return counts && filled > 10 && !MONEY_NAME.test(name) ? 'identifier' : 'measure'
}

const MONEY_NAME = /revenue|sales|turnover|profit|income|earnings|amount|spend|cost|expense|value|total/i

/** The measures, what money says first: whoever names none means the revenue rather than the count of units. */
export function measuresOf({ columns }: TableProfile): ColumnProfile[] {
  const telling = ({ name, aggregate }: ColumnProfile) => (aggregate === 'sum' && MONEY_NAME.test(name) ? 0 : 1)
  return columns.filter((column) => column.role === 'measure').sort((a, b) => telling(a) - telling(b))
}

function aggregateOf(name: string): 'sum' | 'avg' {
  return AVERAGED_NAME.test(name) ? 'avg' : 'sum'
}
