// Values that stand apart: far from the centre, and with a gap to the next. Distance alone finds "outliers" in every
// skewed column; the gap is what a person sees.
import { normalTail } from './distributions.ts'
import { median, quantile } from './robust.ts'

export interface Outlier {
  index: number
  /** Signed distance from the centre in robust standard deviations. */
  distance: number
  /** Corrected for looking at all values. */
  chance: number
}

const MOST = 5
const GAP = 1.5

export function separatedOutliers(values: readonly number[], farthest = 4.5): Outlier[] {
  if (values.length < 8) return []
  const centre = median(values)
  const above = tailSpread(values.filter((value) => value > centre).map((value) => value - centre))
  const below = tailSpread(values.filter((value) => value < centre).map((value) => centre - value))
  // A side without scatter has none to measure by; the other side's is the only yardstick there is.
  const yardstick = (value: number) => (value > centre ? above || below : below || above)
  if (!(above > 0 || below > 0)) return []
  const ranked = values
    .map((value, index) => ({ index, distance: (value - centre) / yardstick(value) }))
    .sort((a, b) => Math.abs(b.distance) - Math.abs(a.distance))
  const most = Math.min(MOST, Math.max(1, Math.floor(values.length / 20)))
  for (let count = most; count >= 1; count--) {
    const last = Math.abs(ranked[count - 1]!.distance)
    const next = Math.abs(ranked[count]!.distance)
    if (last < farthest || last < GAP * next) continue
    return ranked.slice(0, count).map(({ index, distance }) => ({
      index,
      distance,
      chance: Math.min(1, normalTail(distance) * values.length),
    }))
  }
  return []
}

/** Shares of a side's values, and where a normal distribution has them in standard deviations. */
const NORMAL_PLACES: [number, number][] = [
  [0.5, 0.6745],
  [0.8, 1.2816],
  [0.9, 1.6449],
  [0.95, 1.96],
  [0.98, 2.3263],
]

/**
 * The standard deviation that the side's own tail suggests: a heavy tail gets the wider yardstick it deserves. Places
 * with fewer than three values beyond them are not asked, or the outliers would measure themselves.
 */
function tailSpread(distances: readonly number[]): number {
  let widest = 0
  for (const [share, place] of NORMAL_PLACES) {
    if (distances.length * (1 - share) >= 3) widest = Math.max(widest, quantile(distances, share) / place)
  }
  return widest
}
