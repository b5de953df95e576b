// Words to a query in parts. What cannot be understood is refused with the word in question: a wrong answer that looks
// right is worse than none.
import { TroupeError } from '@troupe/sdk'
import type { TableProfile } from '../profile-table.ts'
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
  const growth = words.take('growth rates?|growth|grew|growing|increase|change|changes|changed') !== undefined
  const share = !growth && words.take('shares?|percentage|percent|proportion') !== undefined
  const counts = words.take('how many|number of|count of') !== undefined
  const aggregate = AGGREGATES.find(([pattern]) => words.take(pattern) !== undefined)?.[1]

  const years =
    growth || / (?:compare|vs|versus) /.test(` ${question.toLowerCase()} `) ? takeTwoYears(words) : undefined
  words.take('compare|compared|comparison')
  const last = takeLast(words)
  const range = takeRange(words)
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
  const grain = grainWord === undefined ? undefined : grainWord === 'time' ? 'month' : (grainWord as TimeGrain)
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
  const measures = profile.columns.filter((column) => column.role === 'measure')
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
  if (growth && years === undefined && range === undefined)
    assumptions.push('growth is from the first half of the time to the second')

  return {
    subject: growth ? 'growth' : share ? 'share' : 'aggregate',
    aggregate: chosen,
    measure: chosen === 'count' ? undefined : implied,
    dimensions,
    grain,
    time,
    range,
    last,
    years,
    conditions,
    limit: ranking === undefined ? undefined : Number(ranking[2] ?? DEFAULT_LIMIT),
    order: ranking === undefined ? undefined : /bottom|worst|lowest|smallest/.test(ranking[1]!) ? 'least' : 'most',
    assumptions,
  }
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
