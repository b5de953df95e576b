// The parts of a query to SQL.
import { sql } from '../tables/index.ts'
import type { Query } from './understand.ts'

export function writeSql(query: Query, table: string): string {
  if (query.subject === 'growth') return growthSql(query, table)
  const value = valueSql(query)
  const groups = groupsOf(query)
  const from = `${sql.identifier(table)}${where(query, table)}`
  const select = [...groups.map(({ expression, name }) => `${expression} AS ${sql.identifier(name)}`)]
  if (query.subject === 'share') {
    select.push(`100.0 * ${value} / (SELECT ${value} FROM ${from}) AS ${sql.identifier('share_percent')}`)
  }
  select.push(`${value} AS ${sql.identifier(valueName(query))}`)
  const grouped = groups.length === 0 ? '' : ` GROUP BY ${groups.map((_, index) => index + 1).join(', ')}`
  return `SELECT ${select.join(', ')} FROM ${from}${grouped}${ordering(query, groups, select.length)}`
}

function valueSql(query: Query): string {
  return query.measure === undefined ? 'count(*)' : `${query.aggregate}(${sql.identifier(query.measure)})`
}

function valueName(query: Query): string {
  if (query.measure === undefined) return 'count'
  return { sum: 'total', avg: 'average', min: 'lowest', max: 'highest', count: 'count' }[query.aggregate].concat(
    '_',
    query.measure,
  )
}

function groupsOf(query: Query): { expression: string; name: string }[] {
  const groups = query.dimensions.map((name) => ({ expression: sql.identifier(name), name }))
  if (query.grain !== undefined && query.time !== undefined) {
    groups.unshift({ expression: sql.period(query.time, query.grain), name: query.grain })
  }
  return groups
}

function ordering(query: Query, groups: { name: string }[], valueAt: number): string {
  if (groups.length === 0) return ''
  const names = groups.map((_, index) => index + 1).join(', ')
  if (query.limit !== undefined)
    return ` ORDER BY ${valueAt} ${query.order === 'least' ? 'ASC' : 'DESC'}, ${names} LIMIT ${query.limit}`
  return query.grain === undefined ? ` ORDER BY ${valueAt} DESC, ${names}` : ` ORDER BY ${names}`
}

function where(query: Query, table: string, extra: string[] = []): string {
  const conditions = [...extra]
  const byColumn = Map.groupBy(query.conditions, (condition) => `${condition.column} ${condition.not}`)
  for (const [first, ...more] of byColumn.values()) {
    const values = [first!, ...more].map((condition) => sql.literal(condition.value)).join(', ')
    conditions.push(`CAST(${sql.identifier(first!.column)} AS TEXT) ${first!.not ? 'NOT IN' : 'IN'} (${values})`)
  }
  if (query.time !== undefined) {
    const text = sql.isoText(query.time)
    if (query.range?.from !== undefined) conditions.push(`${text} >= ${sql.literal(query.range.from)}`)
    if (query.range?.before !== undefined) conditions.push(`${text} < ${sql.literal(query.range.before)}`)
    if (query.last !== undefined) conditions.push(lastSql(query, table))
  }
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
}

/** Counted back from the last row in days, because the calendar functions of the engines differ. */
function lastSql(query: Query, table: string): string {
  const days = query.last!.count * { day: 1, week: 7, month: 30.4375, quarter: 91.3125, year: 365.25 }[query.last!.unit]
  const number = sql.dayNumber(query.time!)
  return `${number} > (SELECT max(${number}) FROM ${sql.identifier(table)}) - ${days}`
}

/** Both sides of a change beside each other. Without years: the first half of the days against the second. */
function growthSql(query: Query, table: string): string {
  const column = query.measure === undefined ? '1' : sql.identifier(query.measure)
  const aggregate = query.measure === undefined ? 'sum' : query.aggregate
  const time = query.time!
  const all = `${sql.identifier(table)}${where(query, table)}`
  // Named once, because the day of a date is a long expression in SQL that several engines read.
  const halves =
    `WITH numbered AS (SELECT *, ${sql.dayNumber(time)} AS day_number_ FROM ${all}), ` +
    'middle AS (SELECT (min(day_number_) + max(day_number_)) / 2.0 AS day_ FROM numbered) '
  const [early, late] =
    query.years === undefined
      ? ['day_number_ <= (SELECT day_ FROM middle)', 'day_number_ > (SELECT day_ FROM middle)']
      : query.years.map((year) => `${sql.period(time, 'year')} = ${sql.literal(year)}`)
  const side = (condition: string) => `1.0 * ${aggregate}(CASE WHEN ${condition} THEN ${column} END)`
  const groups = query.dimensions.map((name) => sql.identifier(name))
  const order = query.order === 'least' ? 'ASC' : 'DESC'
  const ranking = query.rankedBy === 'change' ? 'change' : 'growth_percent'
  const names = [
    ...groups,
    'before_value AS before',
    'after_value AS after',
    'after_value - before_value AS change',
    '100.0 * (after_value - before_value) / nullif(before_value, 0) AS growth_percent',
  ]
  const inner = `SELECT ${[...groups, `${side(early!)} AS before_value`, `${side(late!)} AS after_value`].join(', ')} FROM ${query.years === undefined ? 'numbered' : all}${groups.length === 0 ? '' : ` GROUP BY ${groups.join(', ')}`}`
  const ranked =
    groups.length === 0
      ? ''
      : ` ORDER BY ${ranking} IS NULL, ${ranking} ${order}, ${groups.join(', ')}${query.limit === undefined ? '' : ` LIMIT ${query.limit}`}`
  return `${query.years === undefined ? halves : ''}SELECT ${names.join(', ')} FROM (${inner}) AS sides${ranked}`
}
