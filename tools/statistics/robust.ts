// What a few wild values cannot move.

export function mean(values: readonly number[]): number {
  let sum = 0
  for (const value of values) sum += value
  return values.length === 0 ? Number.NaN : sum / values.length
}

export function quantile(values: readonly number[], share: number): number {
  return quantileSorted(Float64Array.from(values).sort(), share)
}

function quantileSorted(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)]!
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at))
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The median absolute deviation, scaled so that it equals the standard deviation of normal values. */
export function medianDeviation(values: readonly number[], centre: number = median(values)): number {
  return 1.4826 * median(values.map((value) => Math.abs(value - centre)))
}

/** The median of the `width` values around each place; the edges use what there is. */
export function runningMedian(values: readonly number[], width: number): number[] {
  const half = Math.floor(width / 2)
  return values.map((_, index) => median(values.slice(Math.max(0, index - half), index + half + 1)))
}
