// The date spellings that are understood. Each reader turns one spelling into ISO text, or answers undefined.
// Day and month are told apart by the whole column (infer-types.ts tries each reader on all values): one value alone
// cannot say whether 03/04 is in March or in April.

export type DateReader = { name: string; read: (text: string) => string | undefined }

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const CLOCK = String.raw`(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?\s*(Z|[+-]\d{2}:?\d{2}|[AaPp][Mm])?)?`

const yearFirst = new RegExp(String.raw`^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})${CLOCK}$`)
const yearLast = new RegExp(String.raw`^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})${CLOCK}$`)
const dayMonthName = /^(\d{1,2})[ -]([A-Za-z]{3,9})\.?,?[ -](\d{4})$/
const monthNameDay = /^([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})$/
const yearMonth = /^(\d{4})-(\d{2})$/
const monthNameYear = /^([A-Za-z]{3,9})\.?[ -](\d{4})$/

type Part = string | undefined

export const DATE_READERS: DateReader[] = [
  { name: 'year-month-day', read: match(yearFirst, (year, month, day, ...clock) => iso(year, month, day, clock)) },
  { name: 'month/day/year', read: match(yearLast, (month, day, year, ...clock) => iso(year, month, day, clock)) },
  { name: 'day/month/year', read: match(yearLast, (day, month, year, ...clock) => iso(year, month, day, clock)) },
  { name: 'day month-name year', read: match(dayMonthName, (day, name, year) => iso(year, monthNumber(name), day)) },
  { name: 'month-name day year', read: match(monthNameDay, (name, day, year) => iso(year, monthNumber(name), day)) },
  { name: 'year-month', read: match(yearMonth, (year, month) => iso(year, month, '1')) },
  { name: 'month-name year', read: match(monthNameYear, (name, year) => iso(year, monthNumber(name), '1')) },
]

function match(pattern: RegExp, build: (...parts: Part[]) => string | undefined) {
  return (text: string): string | undefined => {
    const found = pattern.exec(text)
    return found === null ? undefined : build(...found.slice(1))
  }
}

function monthNumber(name: Part): string {
  return String(MONTHS.indexOf((name ?? '').slice(0, 3).toLowerCase()) + 1)
}

function iso(yearText: Part, monthText: Part, dayText: Part, clock: Part[] = []): string | undefined {
  let year = Number(yearText)
  if (year < 100) year += year < 70 ? 2000 : 1900
  const month = Number(monthText)
  const day = Number(dayText)
  const date = new Date(Date.UTC(year, month - 1, day))
  if (month < 1 || month > 12 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  const [hourText, minuteText, secondText = '0', zone = ''] = clock
  if (hourText === undefined) return date.toISOString().slice(0, 10)
  let hour = Number(hourText)
  if (/p/i.test(zone) && hour < 12) hour += 12
  if (/a/i.test(zone) && hour === 12) hour = 0
  if (hour > 23 || Number(minuteText) > 59 || Number(secondText) > 60) return undefined
  date.setUTCHours(hour, Number(minuteText), Number(secondText))
  // An offset is applied, so that one column is in one zone: UTC.
  const offset = /^([+-])(\d{2}):?(\d{2})$/.exec(zone)
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3])
    date.setTime(date.getTime() - (offset[1] === '-' ? -minutes : minutes) * 60_000)
  }
  return date.toISOString().slice(0, 19).replace('T', ' ')
}
