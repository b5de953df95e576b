// Does a series repeat with a cycle? The slow part is taken out by a running mean one cycle long, wild values are
// drawn in, and the means of the cycle's places are compared with the scatter inside them (analysis of variance).
import { varianceRatioTail } from './distributions.ts'
import { mean, median, medianDeviation } from './robust.ts'

export interface Season {
  /** What to add for each place of the cycle; sums to 0 over the places. */
  shape: Map<number, number>
  chance: number
  /** Share of the variance around the slow part that the cycle explains. */
  explained: number
}

/** `places[i]` is where value i falls in the cycle (month 1–12, weekday 0–6 …); `length` is the cycle in values. */
export function findSeason(y: readonly number[], places: readonly number[], length: number): Season | undefined {
  if (y.length < 2 * length) return undefined
  const slow = slowPart(y, length)
  const rest = y.map((value, index) => value - slow[index]!)
  const groups = Map.groupBy(rest.keys(), (index) => places[index]!)
  if (groups.size < 2) return undefined
  // Wild values are drawn in around their own place: drawn in around the whole, a sharp peak each Saturday would go too.
  const middles = new Map([...groups].map(([place, indices]) => [place, median(indices.map((index) => rest[index]!))]))
  const deviations = rest.map((value, index) => value - middles.get(places[index]!)!)
  const bound = 4 * medianDeviation(deviations, 0)
  const drawn = deviations.map(
    (value, index) => middles.get(places[index]!)! + (bound > 0 ? Math.max(-bound, Math.min(bound, value)) : value),
  )
  const overall = mean(drawn)
  let between = 0
  let within = 0
  const shape = new Map<number, number>()
  for (const [place, indices] of groups) {
    const values = indices.map((index) => drawn[index]!)
    const level = mean(values)
    shape.set(place, level)
    between += values.length * (level - overall) ** 2
    for (const value of values) within += (value - level) ** 2
  }
  const centreOfShape = mean([...shape.values()])
  for (const [place, level] of shape) shape.set(place, level - centreOfShape)
  // The running mean has used up one degree of freedom for each cycle.
  const freedom = y.length - groups.size - y.length / length
  if (freedom < 2 || between + within === 0) return undefined
  const ratio = within === 0 ? Number.POSITIVE_INFINITY : between / (groups.size - 1) / (within / freedom)
  return { shape, chance: varianceRatioTail(ratio, groups.size - 1, freedom), explained: between / (between + within) }
}

/**
 * A centred running mean one cycle long; an even cycle counts its two outermost values half. Before the first whole
 * window and after the last it goes on in a straight line: a shorter window would swallow part of the cycle.
 */
function slowPart(y: readonly number[], length: number): number[] {
  const half = Math.floor(length / 2)
  const last = y.length - 1 - half
  const slow = new Array<number>(y.length)
  for (let centre = half; centre <= last; centre++) {
    let sum = 0
    for (let offset = -half; offset <= half; offset++) {
      sum += y[centre + offset]! * (length % 2 === 0 && Math.abs(offset) === half ? 0.5 : 1)
    }
    slow[centre] = sum / length
  }
  const reach = Math.min(length, last - half)
  const slopeAt = (from: number, to: number) => (reach > 0 ? (slow[to]! - slow[from]!) / reach : 0)
  const early = slopeAt(half, half + reach)
  const late = slopeAt(last - reach, last)
  for (let index = 0; index < half; index++) slow[index] = slow[half]! - early * (half - index)
  for (let index = last + 1; index < y.length; index++) slow[index] = slow[last]! + late * (index - last)
  return slow
}
