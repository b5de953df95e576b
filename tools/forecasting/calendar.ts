// Periods as labels: the ones that follow, and the ones that are missing in between. A week's label is its number since
// 1900 in SQL and its Monday for people.
import type { TimeGrain } from '../tables/sql-dialect.ts'

const WEEK_ZERO = Date.UTC(1900, 0, 1)

export function nextPeriods(last: string, grain: TimeGrain, count: number): string[] {
  const labels: string[] = []
  for (let label = last; labels.length < count; ) {
    label = nextPeriod(label, grain)
    labels.push(label)
  }
  return labels
}

export function periodName(label: string, grain: TimeGrain): string {
  return grain === 'week' ? new Date(WEEK_ZERO + Number(label) * 7 * 86_400_000).toISOString().slice(0, 10) : label
}

/** Missing periods get the value on the line between their neighbours, so that the cycle stays in step. */
export function fillGaps(
  periods: readonly string[],
  values: readonly number[],
  grain: TimeGrain,
): { periods: string[]; values: number[]; filled: number } {
  const whole = { periods: periods.slice(0, 1), values: values.slice(0, 1), filled: 0 }
  for (let index = 1; index < periods.length; index++) {
    const missing: string[] = []
    let label = nextPeriod(periods[index - 1]!, grain)
    // Labels sort by time; a gap longer than the series itself is not filled.
    while (label !== periods[index] && missing.length < periods.length) {
      missing.push(label)
      label = nextPeriod(label, grain)
    }
    if (label === periods[index]) {
      for (const [at, period] of missing.entries()) {
        const share = (at + 1) / (missing.length + 1)
        whole.periods.push(period)
        whole.values.push(values[index - 1]! * (1 - share) + values[index]! * share)
      }
      whole.filled += missing.length
    }
    whole.periods.push(periods[index]!)
    whole.values.push(values[index]!)
  }
  return whole
}

function nextPeriod(label: string, grain: TimeGrain): string {
  const [year = 0, month = 1] = label.split('-').map(Number)
  switch (grain) {
    case 'year':
      return String(year + 1)
    case 'quarter': {
      const quarter = Number(label.slice(-1))
      return quarter === 4 ? `${year + 1}-Q1` : `${year}-Q${quarter + 1}`
    }
    case 'month':
      return month === 12 ? `${year + 1}-01` : `${year}-${String(month + 1).padStart(2, '0')}`
    case 'week':
      return String(Number(label) + 1)
    case 'day':
      return new Date(Date.parse(`${label}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10)
    case 'hour':
      return new Date(Date.parse(`${label.replace(' ', 'T')}:00:00Z`) + 3_600_000)
        .toISOString()
        .slice(0, 13)
        .replace('T', ' ')
  }
}
