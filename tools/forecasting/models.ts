// Values in, values ahead out. `cycle` is the length of the season in values; 1 where there is none.

export interface ForecastModel {
  name: string
  forecast(values: readonly number[], ahead: number, cycle: number): number[]
}

/** The same as one cycle ago: what every other model has to beat. */
export function seasonalNaive(values: readonly number[], ahead: number, cycle: number): number[] {
  const length = Math.min(cycle, values.length)
  return Array.from({ length: ahead }, (_, step) => values[values.length - length + (step % length)]!)
}

export const MODELS: ForecastModel[] = [
  { name: 'seasonal naive', forecast: seasonalNaive },
  { name: 'damped Holt–Winters', forecast: holtWinters },
  { name: 'theta', forecast: theta },
  { name: 'level with season', forecast: levelWithSeason },
  {
    name: 'mean of three',
    forecast(values, ahead, cycle) {
      const parts = [holtWinters, theta, levelWithSeason].map((model) => model(values, ahead, cycle))
      return parts[0]!.map((_, step) => parts.reduce((sum, part) => sum + part[step]!, 0) / parts.length)
    },
  },
]

const ALPHAS = [0.05, 0.2, 0.4, 0.7]
const BETAS = [0.01, 0.1, 0.3]
const GAMMAS = [0.05, 0.2, 0.4]
const DAMPINGS = [0.9, 0.98]

function holtWinters(values: readonly number[], ahead: number, cycle: number): number[] {
  const season = cycle > 1 && values.length >= 2 * cycle ? seasonalShape(values, cycle) : [0]
  const smooth = (alpha: number, beta: number, gamma: number, damping: number) => {
    const shape = [...season]
    let level = values[0]! - shape[0]!
    let trend = 0
    let error = 0
    for (let index = 1; index < values.length; index++) {
      const place = index % shape.length
      const expected = level + damping * trend + shape[place]!
      const miss = values[index]! - expected
      error += miss * miss
      level += damping * trend + alpha * miss
      trend = damping * trend + alpha * beta * miss
      if (shape.length > 1) shape[place]! += gamma * (1 - alpha) * miss
    }
    return { level, trend, shape, error, damping }
  }
  let best = smooth(ALPHAS[0]!, BETAS[0]!, GAMMAS[0]!, DAMPINGS[0]!)
  for (const alpha of ALPHAS)
    for (const beta of BETAS)
      for (const gamma of season.length > 1 ? GAMMAS : [0])
        for (const damping of DAMPINGS) {
          const tried = smooth(alpha, beta, gamma, damping)
          if (tried.error < best.error) best = tried
        }
  let reach = 0
  return Array.from({ length: ahead }, (_, step) => {
    reach += best.damping ** (step + 1)
    return best.level + reach * best.trend + best.shape[(values.length + step) % best.shape.length]!
  })
}

/** Half of the long slope, added to the smoothed level (Assimakopoulos and Nikolopoulos, 2000). */
function theta(values: readonly number[], ahead: number, cycle: number): number[] {
  return aheadOfLevel(values, ahead, cycle, 0.5)
}

function levelWithSeason(values: readonly number[], ahead: number, cycle: number): number[] {
  return aheadOfLevel(values, ahead, cycle, 0)
}

function aheadOfLevel(values: readonly number[], ahead: number, cycle: number, shareOfSlope: number): number[] {
  const season = cycle > 1 && values.length >= 2 * cycle ? seasonalShape(values, cycle) : [0]
  const plain = values.map((value, index) => value - season[index % season.length]!)
  const slope = shareOfSlope * slopeOf(plain)
  let best = { level: plain.at(-1)!, error: Number.POSITIVE_INFINITY }
  for (const alpha of [0.05, 0.1, 0.2, 0.3, 0.5, 0.8]) {
    let level = plain[0]!
    let error = 0
    for (const value of plain) {
      error += (value - level - slope) ** 2
      level += slope + alpha * (value - level - slope)
    }
    if (error < best.error) best = { level, error }
  }
  return Array.from(
    { length: ahead },
    (_, step) => best.level + slope * (step + 1) + season[(values.length + step) % season.length]!,
  )
}

function slopeOf(values: readonly number[]): number {
  const n = values.length
  const middle = (n - 1) / 2
  let above = 0
  let below = 0
  for (const [index, value] of values.entries()) {
    above += (index - middle) * value
    below += (index - middle) ** 2
  }
  return below === 0 ? 0 : above / below
}

/** What each place of the cycle adds, from the differences to the running mean; sums to 0. */
function seasonalShape(values: readonly number[], cycle: number): number[] {
  const sums = new Array<number>(cycle).fill(0)
  const counts = new Array<number>(cycle).fill(0)
  const half = Math.floor(cycle / 2)
  for (let centre = half; centre + half < values.length; centre++) {
    let mean = 0
    for (let offset = -half; offset <= half; offset++) {
      mean += (values[centre + offset]! * (cycle % 2 === 0 && Math.abs(offset) === half ? 0.5 : 1)) / cycle
    }
    sums[centre % cycle]! += values[centre]! - mean
    counts[centre % cycle]!++
  }
  const shape = sums.map((sum, place) => (counts[place] === 0 ? 0 : sum / counts[place]!))
  const centre = shape.reduce((sum, value) => sum + value, 0) / cycle
  return shape.map((value) => value - centre)
}
