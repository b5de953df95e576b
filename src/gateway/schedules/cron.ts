// A cron expression and its next moment in a time zone. Five fields as in crontab(5): minute, hour, day of month, month,
// day of week; lists, ranges, steps, names, and @hourly, @daily, @weekly, @monthly, @yearly.
//
// Where clocks change: a time that a day skips comes an hour later by the wall (02:30 at 03:30), and a time that a day
// has twice comes the first time. Only "every hour" takes each hour of such a day as it is.
import { TroupeError } from '../../contract/errors.ts'
import { localTime, type WallClock } from './wall-clock.ts'

export interface Cron {
  minutes: number[]
  hours: number[]
  everyHour: boolean
  /** Of the month and of the week; a day is meant when both say so, or one does where both are narrowed (crontab(5)). */
  days: Set<number>
  weekdays: Set<number>
  eitherDay: boolean
  months: Set<number>
}

const SHORTHANDS: Record<string, string> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
}
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

export function parseCron(text: string): Cron {
  const fields = (SHORTHANDS[text.trim().toLowerCase()] ?? text).trim().toLowerCase().split(/\s+/)
  if (fields.length !== 5) throw wrong(text, `it has ${fields.length} fields, not five`)
  const [minute, hour, day, month, weekday] = fields as [string, string, string, string, string]
  const values = (field: string, least: number, most: number, names: string[] = []) =>
    parseField(field, least, most, names, (why) => wrong(text, why))
  return {
    minutes: values(minute, 0, 59),
    hours: values(hour, 0, 23),
    everyHour: hour.startsWith('*'),
    days: new Set(values(day, 1, 31)),
    weekdays: new Set(values(weekday, 0, 7, WEEKDAYS).map((value) => value % 7)),
    eitherDay: !day.startsWith('*') && !weekday.startsWith('*'),
    months: new Set(values(month, 1, 12, ['', ...MONTHS])),
  }
}

function parseField(
  field: string,
  least: number,
  most: number,
  names: string[],
  refuse: (why: string) => TroupeError,
): number[] {
  const numberOf = (text: string): number => {
    const named = text === '' ? -1 : names.indexOf(text)
    const value = named >= 0 ? named : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= least && value <= most)) throw refuse(`"${text}" in "${field}" is not from ${least} to ${most}`)
    return value
  }
  const found = new Set<number>()
  for (const part of field.split(',')) {
    const [range = '', step, ...more] = part.split('/')
    if (more.length > 0 || (step !== undefined && !/^[1-9]\d?$/.test(step))) throw refuse(`"${part}" has a wrong step`)
    const [from = '', to, ...further] = range.split('-')
    if (further.length > 0) throw refuse(`"${part}" is no range`)
    const first = range === '*' ? least : numberOf(from)
    // `5/15` is every fifteenth from the fifth on.
    const last = range === '*' || (to === undefined && step !== undefined) ? most : numberOf(to ?? from)
    if (first > last) throw refuse(`"${part}" ends before it begins`)
    for (let value = first; value <= last; value += Number(step ?? 1)) found.add(value)
  }
  return [...found].sort((one, other) => one - other)
}

function wrong(text: string, why: string): TroupeError {
  return new TroupeError('invalid_request', `${JSON.stringify(text)} is no cron expression: ${why}.`)
}

const DAY_MS = 86_400_000
/** No zone moves its clocks by more at once, but for the few that changed sides of the date line. */
const MOST_SHIFT_MS = 3 * 3_600_000
/** February 29th on one weekday comes back within 40 years, also across a century that skips it. */
const MOST_DAYS = 41 * 366

/** The first moment after `after`; `undefined` where there is none, as for February 30th. */
export function nextAfter(cron: Cron, clock: WallClock, after: number): number | undefined {
  // The day that is now in the zone, as midnight in UTC: calendar arithmetic has no gaps there.
  const today = Math.floor((after + clock.offsetAt(after)) / DAY_MS) * DAY_MS
  for (let day = today; day < today + MOST_DAYS * DAY_MS; day += DAY_MS) {
    if (!isMeant(cron, new Date(day))) continue
    const found = nextOfDay(cron, clock, day, after)
    if (found !== undefined) return found
  }
  return undefined
}

function nextOfDay(cron: Cron, clock: WallClock, day: number, after: number): number | undefined {
  const offset = clock.offsetAt(day - DAY_MS)
  const changes = clock.offsetAt(day + 2 * DAY_MS) !== offset
  let best: number | undefined
  for (const hour of cron.hours) {
    for (const minute of cron.minutes) {
      const shown = day + (hour * 60 + minute) * 60_000
      const about = shown - offset
      // Where no clock changes the first that fits is the one. Asking the zone of each minute of a day is slow.
      if (!changes && about > after) return about
      if (!changes || about < after - MOST_SHIFT_MS) continue
      if (best !== undefined && about > best + MOST_SHIFT_MS) return best
      for (const moment of localTime(clock, shown, cron.everyHour)) {
        if (moment > after && (best === undefined || moment < best)) best = moment
      }
    }
  }
  return best
}

function isMeant(cron: Cron, day: Date): boolean {
  if (!cron.months.has(day.getUTCMonth() + 1)) return false
  const inMonth = cron.days.has(day.getUTCDate())
  const inWeek = cron.weekdays.has(day.getUTCDay())
  return cron.eitherDay ? inMonth || inWeek : inMonth && inWeek
}
