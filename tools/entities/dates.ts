// Dates, normalised to ISO 8601. A pattern finds what looks like one, so that the slow part, chrono's grammar, only
// sees a few words at a time.
import * as chrono from 'chrono-node'
import type { Entity } from './entity.ts'

const MONTH =
  'jan(?:uary|uar|vier|eiro)?|feb(?:ruary|ruar)?|f[ée]vrier|fevereiro|mar(?:ch|s|zo|ço)?|m[äa]rz|apr(?:il)?|avril|abril|may|mai|mayo|maio|june?|juni|juin|junio|junho|july?|juli|juillet|julio|julho|aug(?:ust)?|ao[ûu]t|agosto|sept?(?:ember|embre|iembre)?|setembro|oct(?:ober|obre|ubre)?|okt(?:ober)?|outubro|nov(?:ember|embre|iembre)?|novembro|de[cz](?:ember|embre|iembre|embro)?|d[ée]cembre|enero|febrero'
const MONTHS = new RegExp(
  `^(?:(${[
    'jan|enero',
    'feb|f[ée]v',
    'mar|m[äa]r',
    'a[pvb]r',
    'ma[iy]',
    'jun|juin',
    'jul|juil',
    'aug|ao|ago',
    'sep|set',
    'o[cku]',
    'nov',
    'd[eé]',
  ].join(')|(')}))`,
  'i',
)
const WEEKDAY = '(?:mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)(?:day)?'
const TIME = String.raw`(?:,?\s(?:at\s)?\d{1,2}(?::\d{2}){1,2}(?:\s?[ap]\.?m\.?)?|,?\s(?:at\s)?\d{1,2}\s?[ap]\.?m\b\.?)?`
const DAY = String.raw`(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|\.)?`
const YEAR = String.raw`(?:1[5-9]|20|21)\d{2}`

const WRITTEN = new RegExp(
  [
    `(?:${WEEKDAY},?\\s)?(?<day>${DAY})(?:\\s(?:of\\s|de\\s)?|-)(?<month>${MONTH})\\.?(?:,?\\s(?:de\\s)?|-)(?<year>${YEAR})`,
    `(?:${WEEKDAY},?\\s)?(?<month2>${MONTH})\\.?\\s(?<day2>${DAY}),?\\s(?<year2>${YEAR})`,
    `(?<month3>${MONTH})\\.?,?\\s(?<year3>${YEAR})`,
  ]
    .map((form) => `(?<![\\p{L}\\d.,/-])(?:${form})${TIME}(?![\\p{L}\\d])`)
    .join('|'),
  'giu',
)
const NUMERIC =
  /(?<![\d.,/:-])(?:(?<iso>(?:1[5-9]|20|21)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01]))(?:[T ](?<time>\d{2}:\d{2}(?::\d{2})?)(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?)?|(?<a>\d{1,2})(?<mark>[./-])(?<b>\d{1,2})\k<mark>(?<y>(?:1[5-9]|20|21)\d\d|\d{2}))(?![\d/:-]|[.,]\d)/g
const RELATIVE = new RegExp(
  `(?<![\\p{L}\\d])(?:today|tomorrow|yesterday|(?:next|last|this)\\s(?:week|month|quarter|year|${WEEKDAY})|\\d{1,3}\\s(?:days?|weeks?|months?|years?)\\sago|in\\s\\d{1,3}\\s(?:days?|weeks?|months?|years?)|(?:${MONTH})\\.?\\s${DAY}(?!\\s?\\d|[:.,]\\d)|${DAY}\\s(?:of\\s)?(?:${MONTH}))(?![\\p{L}\\d])`,
  'giu',
)
const YEAR_ALONE =
  /(?:\b(?:in|of|since|from|until|till|by|before|after|during|year|to|and|a|an|the|fiscal|fy|©)\s|\()(?<it>(?:19|20)\d{2})(?![\d.,%€$£-]*\d|\s?[%€$£]|\s?(?:kg|km|m|units?|pieces|people|employees)\b)/gi

export interface DateOptions {
  /** Reads 03/04/2025 as 3 April. Without it: where the text proves one order, that one; else the American. */
  dayFirst?: boolean | undefined
  /** What "yesterday" counts from. */
  reference?: Date | undefined
}

export function findDates(text: string, options: DateOptions): Entity[] {
  const found: Entity[] = []
  const add = (match: RegExpMatchArray, value: string | undefined, confidence: number, inner?: string) => {
    const start = match.index! + (inner === undefined ? 0 : match[0].lastIndexOf(inner))
    const shown = inner ?? match[0]
    found.push({ kind: 'date', text: shown, start, end: start + shown.length, confidence, ...(value ? { value } : {}) })
  }
  for (const match of text.matchAll(WRITTEN)) add(match, writtenDate(match), 0.96)
  const dayFirst = options.dayFirst ?? provesDayFirst(text)
  for (const match of text.matchAll(NUMERIC)) {
    const value = numericDate(match, dayFirst)
    if (value !== undefined) add(match, value, match.groups?.['iso'] === undefined ? 0.88 : 0.97)
  }
  for (const match of text.matchAll(RELATIVE)) {
    // "may 3" may be a date or not; without a day to count from there is nothing to normalise.
    add(match, options.reference && relativeDate(match[0], options.reference), 0.75)
  }
  for (const match of text.matchAll(YEAR_ALONE)) add(match, match.groups?.['it'], 0.7, match.groups?.['it'])
  return found
}

function writtenDate(match: RegExpMatchArray): string | undefined {
  const groups = match.groups ?? {}
  const year = Number(groups['year'] ?? groups['year2'] ?? groups['year3'])
  const named = MONTHS.exec(groups['month'] ?? groups['month2'] ?? groups['month3'] ?? '')
  const month = named === null ? 0 : named.slice(1).findIndex((group) => group !== undefined) + 1
  if (month === 0) return undefined
  const day = Number.parseInt(groups['day'] ?? groups['day2'] ?? '', 10)
  if (Number.isNaN(day)) return `${year}-${String(month).padStart(2, '0')}`
  const date = iso(year, month, day)
  if (date === undefined || !/:\d\d|[ap]\.?m/i.test(match[0])) return date
  const time = chrono.parse(match[0], new Date(Date.UTC(year, month - 1, day)))[0]?.start
  return time?.isCertain('hour') ? `${date}T${two(time.get('hour'))}:${two(time.get('minute'))}` : date
}

/** Counted in UTC, as the reference is: in the zone of the process it would be another day in half of the world. */
function relativeDate(shown: string, reference: Date): string | undefined {
  const start = chrono.parse(shown, { instant: reference, timezone: 0 })[0]?.start
  return start && iso(start.get('year')!, start.get('month')!, start.get('day')!)
}

function numericDate(match: RegExpMatchArray, dayFirst: boolean): string | undefined {
  const { iso: written, time, a, b, y, mark } = match.groups ?? {}
  if (written !== undefined) {
    const [year, month, day] = written.split(/[-/.]/).map(Number)
    const date = iso(year!, month!, day!)
    return date !== undefined && time !== undefined ? `${date}T${time}` : date
  }
  const first = Number(a)
  const second = Number(b)
  const short = Number(y)
  const year = y!.length === 4 ? short : short + (short < 70 ? 2000 : 1900)
  // With points the day is always first; 1.2.34 without leading zeros is more often a version.
  if (mark === '.' && y!.length === 2 && a!.length < 2) return undefined
  const dayLeads = mark === '.' || first > 12 || (dayFirst && second <= 12)
  return dayLeads ? iso(year, second, first) : iso(year, first, second)
}

/** A first number above 12, and nowhere a second one: this text writes the day first. */
function provesDayFirst(text: string): boolean {
  let dayFirst = 0
  let monthFirst = 0
  for (const { groups } of text.matchAll(NUMERIC)) {
    if (groups?.['a'] === undefined || groups['mark'] === '.') continue
    if (Number(groups['a']) > 12) dayFirst += 1
    if (Number(groups['b']) > 12) monthFirst += 1
  }
  return dayFirst > monthFirst
}

function iso(year: number, month: number, day: number): string | undefined {
  const date = new Date(Date.UTC(year, month - 1, day))
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  return `${year}-${two(month)}-${two(day)}`
}

function two(number: number | null): string {
  return String(number ?? 0).padStart(2, '0')
}
