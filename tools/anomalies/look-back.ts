// A short series seen as a whole. Three judges: the course (trend, steps and seasons taken out), the neighbours, and
// the jumps in and out. Two have to agree, because each has a kind of series in which it is wrong.

import { takeApart } from '../insights/over-time.ts'
import type { Series } from '../insights/series.ts'
import { runningMedian, separatedOutliers } from '../statistics/index.ts'
import type { TimeGrain } from '../tables/sql-dialect.ts'

export interface Oddity {
  index: number
  /** What the course would have given. */
  expected: number
  /** Robust standard deviations from the course. */
  distance: number
  methods: string[]
}

const FAR = 4
const AGREEING = 2

export function lookBack(series: Series, grain: TimeGrain): Oddity[] {
  const { values } = series
  if (values.length < 8) return []
  const { seasonal, model } = takeApart(series, grain)
  const expected = values.map((_, index) => model.fitted[index]! + seasonal[index]!)
  const level = values.map((value, index) => value - seasonal[index]!)
  const smooth = runningMedian(level, 7)
  // In a jump out and back the value differs from both neighbours in the same direction; at a step it does not.
  const spikes = level.map((value, index) => {
    const before = value - (level[index - 1] ?? level[index + 1] ?? value)
    const after = value - (level[index + 1] ?? level[index - 1] ?? value)
    return before * after <= 0 ? 0 : Math.sign(before) * Math.min(Math.abs(before), Math.abs(after))
  })
  const judges: [string, Map<number, number>][] = [
    ['course', far(values.map((value, index) => value - expected[index]!))],
    ['neighbours', far(level.map((value, index) => value - smooth[index]!))],
    ['jump', far(spikes)],
  ]
  return values.flatMap((_, index) => {
    const methods = judges.filter(([, found]) => found.has(index)).map(([name]) => name)
    if (methods.length < AGREEING) return []
    const distance = judges
      .map(([, found]) => found.get(index) ?? 0)
      .reduce((a, b) => (Math.abs(a) > Math.abs(b) ? a : b))
    return [{ index, expected: expected[index]!, distance, methods }]
  })
}

function far(rest: readonly number[]): Map<number, number> {
  return new Map(separatedOutliers(rest, FAR).map(({ index, distance }) => [index, distance]))
}
