// SQL that DuckDB and SQLite read alike. Every figure that an agent states comes with such SQL, so that anyone can check
// it with another engine. Dates are cast to text and cut, because ISO text is the one calendar that both agree on;
// integers are divided as 1.0 * a / b, because SQLite drops the rest of an integer division and DuckDB does not.

export const TIME_GRAINS = ['hour', 'day', 'week', 'month', 'quarter', 'year'] as const
export type TimeGrain = (typeof TIME_GRAINS)[number]

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function literal(value: string | number | boolean | null): string {
  if (value === null) return 'NULL'
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}

/** A date or timestamp column as ISO text. */
export function isoText(column: string): string {
  return `CAST(${identifier(column)} AS TEXT)`
}

/** The period a date falls into, as text that sorts by time: 2024-03-05 14, 2024-03-05, 2024-03, 2024-Q1, 2024. */
export function period(column: string, grain: TimeGrain): string {
  const text = isoText(column)
  switch (grain) {
    case 'hour':
      return `substr(${text}, 1, 13)`
    case 'day':
      return `substr(${text}, 1, 10)`
    case 'week':
      // Weeks are numbered from Monday 1 January 1900, because the calendar's own week numbers restart each year.
      return `CAST(floor((${dayNumber(column)} - 2415021) / 7.0) AS INTEGER)`
    case 'month':
      return `substr(${text}, 1, 7)`
    case 'quarter':
      return `(substr(${text}, 1, 4) || '-Q' || CAST(floor((CAST(substr(${text}, 6, 2) AS INTEGER) + 2) / 3.0) AS INTEGER))`
    case 'year':
      return `substr(${text}, 1, 4)`
  }
}

/** Days since the start of the Julian calendar; 2415021 is Monday, 1 January 1900. */
export function dayNumber(column: string): string {
  return dayNumberOf(isoText(column))
}

export function dayNumberOf(text: string): string {
  const year = `CAST(substr(${text}, 1, 4) AS INTEGER)`
  const month = `CAST(substr(${text}, 6, 2) AS INTEGER)`
  const day = `CAST(substr(${text}, 9, 2) AS INTEGER)`
  const early = `(CASE WHEN ${month} < 3 THEN 1 ELSE 0 END)`
  const marchYear = `(${year} + 4800 - ${early})`
  const marchMonth = `(${month} - 3 + 12 * ${early})`
  return (
    `(${day} + floor((153 * ${marchMonth} + 2) / 5.0) + 365 * ${marchYear}` +
    ` + floor(${marchYear} / 4.0) - floor(${marchYear} / 100.0) + floor(${marchYear} / 400.0) - 32045)`
  )
}

/** Where in the year, week or day a date falls: month 1–12, weekday 0 (Monday) – 6, hour 0–23. */
export function season(column: string, cycle: 'month' | 'weekday' | 'hour'): string {
  const text = isoText(column)
  if (cycle === 'month') return `CAST(substr(${text}, 6, 2) AS INTEGER)`
  if (cycle === 'hour') return `CAST(substr(${text}, 12, 2) AS INTEGER)`
  const days = `(${dayNumber(column)} - 2415021)`
  return `CAST(${days} - 7 * floor(${days} / 7.0) AS INTEGER)`
}
