// Words to a query in parts. What cannot be understood is refused with the word in question: a wrong answer that looks
// right is worse than none.
import { TroupeError } from '@troupe/sdk'
import { measuresOf, type TableProfile } from '../profile-table.ts'
import type { TimeGrain } from '../tables/sql-dialect.ts'
import { type Range, takeLast, takeRange, takeTwoYears } from './periods.ts'
import { columnPattern, escapePattern, Words } from './words.ts'

export interface Query {
  subject: 'aggregate' | 'growth' | 'share'
  aggregate: 'sum' | 'avg' | 'min' | 'max' | 'count'
  /** Undefined counts rows. */
  measure: string | undefined
  dimensions: string[]
  grain: TimeGrain | undefined
  time: string | undefined
  range: Range | undefined
  last: ReturnType<typeof takeLast>
  years: [string, string] | undefined
  conditions: { column: string; value: string; not: boolean }[]
  limit: number | undefined
  order: 'most' | 'least' | undefined
  /** Growth is ranked in percent, unless the question asks who gained or lost most. */
  rankedBy: 'percent' | 'change'
  assumptions: string[]
}

const AGGREGATES: [string, Query['aggregate']][] = [
  ['total|sum|overall', 'sum'],
  ['average|mean|avg|typical', 'avg'],
  ['minimum|lowest|smallest|min', 'min'],
  ['maximum|highest|largest|biggest|max', 'max'],
  ['count', 'count'],
]
const DEFAULT_LIMIT = 5

export function understand(question: string, profile: TableProfile): Query {
  const words = new Words(question)
  const assumptions: string[] = []
  const time = profile.columns.find((column) => column.role === 'time')?.name
  const measurePattern = columnPattern(profile, (column) => column.role === 'measure')
  const dimensionPattern = columnPattern(
    profile,
    (column) => column.role === 'dimension' || column.role === 'identifier',
  )

  const ranking =
    words.take(
      String.raw`(top|best|bottom|worst|lowest|highest|largest|smallest)(?: (\d{1,4}))?(?= (?:${dimensionPattern?.pattern ?? '¦'}) by )`,
    ) ?? words.take(String.raw`(top|bottom) (\d{1,4})`)
  const extreme = words.take(
    '(?:the |our )?(best|worst|strongest|weakest|busiest|quietest|highest|lowest) (day|week|month|quarter|year)s?',
  )
  const fall = words.take('lost|lose|losing|declined?|fell|falling|dropped|shrank|decreased?')
  const rise = words.take('gained?|gaining|rose|increased')
  const moved = fall ?? rise
  const most = moved === undefined ? undefined : words.take('(?:the )?most')
  const growth =
    moved !== undefined || words.take('growth rates?|growth|grew|growing|increase|change|changes|changed') !== undefined
  const share = !growth && words.take('shares?|percentage|percent|proportion') !== undefined
  const counts = words.take('how many|number of|count of') !== undefined
  const counted = counts ? takeCounted(words, profile) : undefined
  const aggregate = AGGREGATES.find(([pattern]) => words.take(pattern) !== undefined)?.[1]

  const years =
    growth || / (?:compare|vs|versus) /.test(` ${question.toLowerCase()} `) ? takeTwoYears(words) : undefined
  words.take('compare|compared|comparison')
  const last = takeLast(words)
  const range = takeRange(words)
  const yearBefore = growth && years === undefined ? wholeYear(range) : undefined
  const grainWord =
    words.take('(?:by|per|for each|over|each|every) (hour|day|week|month|quarter|year|time)')?.[1] ??
    {
      daily: 'day',
      weekly: 'week',
      monthly: 'month',
      quarterly: 'quarter',
      yearly: 'year',
      annual: 'year',
      hourly: 'hour',
    }[words.take('daily|weekly|monthly|quarterly|yearly|annual|hourly|trend')?.[0].trim() ?? '']
  const grain =
    extreme !== undefined
      ? (extreme[2] as TimeGrain)
      : grainWord === undefined
        ? undefined
        : grainWord === 'time'
          ? 'month'
          : (grainWord as TimeGrain)
  const conditions = takeConditions(words, profile)

  const dimensions: string[] = []
  for (
    let match = take(words, dimensionPattern);
    match !== undefined && dimensions.length < 4;
    match = take(words, dimensionPattern)
  ) {
    if (!dimensions.includes(match)) dimensions.push(match)
  }
  const measure = take(words, measurePattern)

  const left = words.left()
  if (left.length > 0) {
    throw new TroupeError(
      'invalid_input',
      `the question is not understood at ${left.map((word) => JSON.stringify(word)).join(', ')}; ${known(profile)}`,
    )
  }
  if ((grain !== undefined || range !== undefined || last !== undefined || growth) && time === undefined) {
    throw new TroupeError('invalid_input', 'the question speaks of time, but the table has no column of dates')
  }
  const measures = measuresOf(profile)
  const needsMeasure = measure === undefined && !counts && aggregate !== 'count'
  // "Top 5 products by growth" has one natural reading; "total by region" of three measures has three.
  if (needsMeasure && aggregate !== undefined && measures.length !== 1) {
    throw new TroupeError('invalid_input', `the question names no measure; ${known(profile)}`)
  }
  const natural = measures.find((column) => column.aggregate === 'sum') ?? measures[0]
  const implied = needsMeasure ? natural?.name : measure
  if (implied === undefined && dimensions.length === 0 && !counts && aggregate !== 'count') {
    throw new TroupeError('invalid_input', `the question names nothing to compute; ${known(profile)}`)
  }
  if (implied !== measure) assumptions.push(`${implied} is meant`)
  const usual = profile.columns.find((column) => column.name === implied)?.aggregate ?? 'sum'
  const chosen = counts || aggregate === 'count' || implied === undefined ? 'count' : (aggregate ?? usual)
  if (aggregate === undefined && chosen !== 'count')
    assumptions.push(`${chosen === 'sum' ? 'the total' : 'the average'} of ${implied} is meant`)
  if (counted !== undefined) assumptions.push(`each row is one of the ${counted}`)
  if (yearBefore !== undefined)
    assumptions.push(`${yearBefore[1]} is compared with ${yearBefore[0]}, as far as the rows go`)
  else if (growth && years === undefined) assumptions.push('growth is from the first half of the time to the second')

  // "Which region lost the most", "our best month": one is asked for.
  const isOne = extreme !== undefined || (most !== undefined && dimensions.length > 0)
  return {
    subject: growth ? 'growth' : share ? 'share' : 'aggregate',
    aggregate: chosen,
    measure: chosen === 'count' ? undefined : implied,
    dimensions,
    grain,
    time,
    // A year is compared with the one before it, so the rows of both are needed.
    range: yearBefore === undefined ? range : undefined,
    last,
    years: years ?? yearBefore,
    conditions,
    limit: ranking !== undefined ? Number(ranking[2] ?? DEFAULT_LIMIT) : isOne ? 1 : undefined,
    order: orderOf(ranking?.[1] ?? extreme?.[1], fall !== undefined),
    rankedBy: most === undefined ? 'percent' : 'change',
    assumptions,
  }
}

function orderOf(word: string | undefined, falls: boolean): Query['order'] {
  if (word !== undefined) return /bottom|worst|lowest|smallest|weakest|quietest/.test(word) ? 'least' : 'most'
  return falls ? 'least' : undefined
}

/** 2024 → [2023, 2024]; undefined for any other stretch of time. */
function wholeYear(range: Range | undefined): [string, string] | undefined {
  const year = Number(range?.from?.slice(0, 4))
  const isWhole = range?.from === `${year}-01-01` && range.before === `${year + 1}-01-01`
  return isWhole ? [String(year - 1), String(year)] : undefined
}

/** "How many orders": rows that an order_id tells apart are orders. */
function takeCounted(words: Words, profile: TableProfile): string | undefined {
  for (const { name } of profile.columns.filter((column) => column.role === 'identifier')) {
    const thing = /^([a-z]{3,})[_\s-]?(?:id|no|nr|number|key|code)$/i.exec(name)?.[1]?.toLowerCase()
    const found = thing === undefined ? undefined : words.take(`${escapePattern(thing)}s?`)
    if (found !== undefined) return `${thing}s`
  }
  return undefined
}

function take(words: Words, pattern: ReturnType<typeof columnPattern>): string | undefined {
  const match = pattern === undefined ? undefined : words.take(`(${pattern.pattern})`)
  return match === undefined ? undefined : pattern!.nameOf(match[1]!)
}

/** A value of a dimension, with or without its column: "in the north", "where region is not north". */
function takeConditions(words: Words, profile: TableProfile): Query['conditions'] {
  const conditions: Query['conditions'] = []
  for (const column of profile.columns.filter((candidate) => candidate.role === 'dimension')) {
    const values = column.top
      .map((entry) => String(entry.value))
      .filter((value) => value.length > 1 || column.top.length <= 2)
    const name = columnPattern(profile, (candidate) => candidate.name === column.name)!.pattern
    for (const value of values.sort((a, b) => b.length - a.length)) {
      const spelled = escapePattern(value.toLowerCase())
      const match = words.take(
        `(?:(?:where|for|in|of|with|and|from) )?(?:the )?(?:(?:${name}) )?(?:(is not|not|except|without|excluding|is|=|equals) )?(?:the )?${spelled}(?: (?:${name}))?`,
      )
      if (match !== undefined)
        conditions.push({ column: column.name, value, not: /not|except|without|excluding/.test(match[1] ?? '') })
    }
  }
  return conditions
}

function known(profile: TableProfile): string {
  const names = (role: string) =>
    profile.columns
      .filter((column) => column.role === role)
      .map((column) => column.name)
      .join(', ') || 'none'
  return `measures: ${names('measure')}; dimensions: ${names('dimension')}; time: ${names('time')}`
}
