// Strangeness: for each value a number that is larger the less it fits what came before. Units do not matter; each
// method is only ever compared with its own past (surprise.ts).

export interface Method {
  name: string
  strangeness: number[]
}

/** The value against the middle and spread of everything so far, old values fading out. */
export function level(values: readonly number[], memory: number): number[] {
  return againstPast(values, values, memory)
}

/** The change from the value before. */
export function jump(values: readonly number[], memory: number): number[] {
  const steps = values.map((value, index) => (index === 0 ? 0 : value - values[index - 1]!))
  return againstPast(steps, steps, memory)
}

/** The value against those at the same place of the cycles before. */
export function season(values: readonly number[], cycle: number, memory: number): number[] {
  const rest = values.map((value, index) => {
    const before: number[] = []
    for (let back = 1; back <= 5 && index - back * cycle >= 0; back++) {
      // A neighbourhood, because daily habits do not keep to the minute.
      const at = index - back * cycle
      for (let near = Math.max(0, at - 2); near <= at + 2; near++) before.push(values[near]!)
    }
    if (before.length === 0) return 0
    const sorted = before.sort((a, b) => a - b)
    const [low, high] = [sorted[Math.floor(sorted.length * 0.1)]!, sorted[Math.floor(sorted.length * 0.9)]!]
    return value > high ? value - high : value < low ? value - low : 0
  })
  return againstPast(rest, rest, memory)
}

/** The mean of the last few values against the level so far. */
export function recentLevel(values: readonly number[], width: number, memory: number): number[] {
  return againstPast(runningMean(values, width), values, memory)
}

/** The scatter of the last few values, too large or too small, against the scatter so far. */
export function recentScatter(values: readonly number[], width: number, memory: number): number[] {
  const level = runningMean(values, width)
  const squares = runningMean(
    values.map((value) => value * value),
    width,
  )
  const scatter = values.map((_, index) =>
    Math.log(Math.sqrt(Math.max(0, squares[index]! - level[index]! ** 2)) + 1e-9 * (1 + Math.abs(level[index]!))),
  )
  return againstPast(scatter, scatter, memory)
}

/** How far the last few values together are from the most similar stretches seen before. */
export function shape(values: readonly number[], width: number, past: number): number[] {
  const n = values.length
  const strangeness = new Array<number>(n).fill(0)
  const stride = Math.max(1, Math.floor(past / 600))
  for (let end = 2 * width; end < n; end++) {
    let nearest = Number.POSITIVE_INFINITY
    let second = Number.POSITIVE_INFINITY
    // Only stretches that do not overlap with this one; of a long past every few rows.
    for (let other = Math.max(width, end - past); other <= end - width; other += stride) {
      let distance = 0
      for (let back = 0; back < width && distance < second; back++)
        distance += (values[end - back]! - values[other - back]!) ** 2
      if (distance < nearest) {
        second = nearest
        nearest = distance
      } else if (distance < second) second = distance
    }
    strangeness[end] = Math.sqrt(second)
  }
  return strangeness
}

function runningMean(values: readonly number[], width: number): number[] {
  let sum = 0
  return values.map((value, index) => {
    sum += value
    if (index >= width) sum -= values[index - width]!
    return sum / Math.min(index + 1, width)
  })
}

/** |value − mean| over the deviation of the past, both fading with `memory`; the value itself joins the past after. */
function againstPast(values: readonly number[], past: readonly number[], memory: number): number[] {
  let mean = past[0] ?? 0
  let variance = 0
  return values.map((value, index) => {
    const deviation = Math.sqrt(variance)
    const result = index === 0 ? 0 : Math.abs(value - mean) / (deviation + 1e-9 * (1 + Math.abs(mean)))
    const weight = 1 / Math.min(index + 1, memory)
    const difference = past[index]! - mean
    mean += weight * difference
    variance = (1 - weight) * (variance + weight * difference * difference)
    return result
  })
}
