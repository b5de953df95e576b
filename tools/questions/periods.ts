// Periods in words to half-open ranges of ISO dates: March 2024 is from 2024-03-01 up to, not including, 2024-04-01.
import type { Words } from './words.ts'

export interface Range {
  from?: string
  /** Not included. */
  before?: string
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const MONTH_WORD = `(?:${MONTHS.join('|')})[a-z]*`
const PERIOD = String.raw`\d{4}-\d{2}-\d{2}|\d{4}-q[1-4]|q[1-4] \d{4}|\d{4}-\d{2}|${MONTH_WORD} \d{4}|\d{4}`

export function takeRange(words: Words): Range | undefined {
  const between = words.take(`(?:between|from) (${PERIOD}) (?:and|to|until) (${PERIOD})`)
  if (between !== undefined) return { from: rangeOf(between[1]!).from!, before: rangeOf(between[2]!).before! }
  const since = words.take(`(?:since|from) (${PERIOD})`)
  const after = since ?? words.take(`after (${PERIOD})`)
  const until = words.take(`(?:until|up to|through) (${PERIOD})`)
  const before = until ?? words.take(`before (${PERIOD})`)
  if (after !== undefined || before !== undefined) {
    const range: Range = {}
    if (after !== undefined) range.from = since === undefined ? rangeOf(after[1]!).before! : rangeOf(after[1]!).from!
    if (before !== undefined)
      range.before = until === undefined ? rangeOf(before[1]!).from! : rangeOf(before[1]!).before!
    return range
  }
  const inside = words.take(`(?:in|during|for|of|on) (${PERIOD})`)
  return inside === undefined ? undefined : rangeOf(inside[1]!)
}

/** "last 3 months": counted back from the last row, because data is rarely from today. */
export function takeLast(
  words: Words,
): { count: number; unit: 'day' | 'week' | 'month' | 'quarter' | 'year' } | undefined {
  const match = words.take(
    String.raw`(?:in |for |over )?(?:the )?(?:last|past) (?:(\d{1,4}) )?(day|week|month|quarter|year)s?`,
  )
  if (match === undefined) return undefined
  return { count: Number(match[1] ?? 1), unit: match[2] as 'day' }
}

/** Two years to compare: "in 2023 and 2024", "2023 vs 2024". */
export function takeTwoYears(words: Words): [string, string] | undefined {
  const match = words.take(String.raw`(?:in |between |from )?(\d{4}) (?:and|vs|versus|to|with) (\d{4})`)
  return match === undefined ? undefined : [match[1]!, match[2]!]
}

export function rangeOf(period: string): Required<Range> {
  const quarter = /q([1-4])/.exec(period)
  const year = Number(/\d{4}/.exec(period)![0])
  if (quarter !== null) return months(year, (Number(quarter[1]) - 1) * 3, 3)
  const day = /^\d{4}-(\d{2})-(\d{2})$/.exec(period)
  if (day !== null) {
    const next = new Date(Date.UTC(year, Number(day[1]) - 1, Number(day[2]) + 1))
    return { from: period, before: next.toISOString().slice(0, 10) }
  }
  const month = /^\d{4}-(\d{2})$/.exec(period)
  if (month !== null) return months(year, Number(month[1]) - 1, 1)
  const word = /^[a-z]+/.exec(period)
  if (word !== null) return months(year, MONTHS.indexOf(word[0].slice(0, 3)), 1)
  return months(year, 0, 12)
}

function months(year: number, month: number, count: number): Required<Range> {
  const iso = (offset: number) => new Date(Date.UTC(year, month + offset, 1)).toISOString().slice(0, 10)
  return { from: iso(0), before: iso(count) }
}
