// Does a series have a trend, a step, both or neither? These (and a slow wave) are fitted and compared by Bayes's information
// criterion, because a step looks like a trend to a line and a trend looks like a step to a mean: testing each alone
// finds both wherever there is one. Neighbouring values that resemble each other count as fewer observations.
import { studentTail, varianceRatioTail } from './distributions.ts'
import { fitLeastSquares } from './regression.ts'
import { mean } from './robust.ts'

export interface ChangeModel {
  shape: 'flat' | 'curve' | 'trend' | 'step' | 'trend and step'
  /** Change per period of the linear part; 0 without one. */
  slope: number
  /** The first index after the step; undefined without one. */
  stepAt: number | undefined
  stepSize: number
  /** Chance of such a trend or step in a series without it; the step's is already corrected for trying all places. */
  trendChance: number
  stepChance: number
  /** Share of the variance that trend and step explain together. */
  explained: number
  fitted: number[]
  /** Observations the series is worth, given how alike neighbours are. */
  effectiveSize: number
}

const SHORTEST = 8
/** Parameters a step is charged for: its size, and its place, which was looked for. */
const STEP_COST = 2

export function fitChange(y: readonly number[]): ChangeModel {
  const n = y.length
  const level = mean(y)
  const total = y.reduce((sum, value) => sum + (value - level) ** 2, 0)
  const flat: ChangeModel = {
    shape: 'flat',
    slope: 0,
    stepAt: undefined,
    stepSize: 0,
    trendChance: 1,
    stepChance: 1,
    explained: 0,
    fitted: y.map(() => level),
    effectiveSize: n,
  }
  if (n < SHORTEST || total <= 1e-12 * (1 + level * level) * n) return flat

  const ones = y.map(() => 1)
  const time = y.map((_, index) => (index - (n - 1) / 2) / n)
  const line = fitLeastSquares([ones, time], y)
  const edge = Math.max(3, Math.round(n * 0.05))
  const step = bestStep(y, [], edge)
  const both = bestStep(y, time, edge)

  const floor = total * 1e-9
  const effectiveSize = n / inflation(y, both.fit.fitted)
  const score = (rss: number, parameters: number) =>
    effectiveSize * Math.log(Math.max(rss, floor) / n) + parameters * Math.log(effectiveSize)
  // A slow wave (half a year of temperatures) is neither trend nor step; a cubic that fits better than both says so.
  const curve = fitLeastSquares([ones, time, time.map((t) => t * t), time.map((t) => t * t * t)], y)
  const scores: [ChangeModel['shape'], number][] = [
    ['flat', score(total, 1)],
    ['curve', score(curve.rss, 4)],
    ['trend', score(line.rss, 2)],
    ['step', score(step.fit.rss, 1 + STEP_COST)],
    ['trend and step', score(both.fit.rss, 2 + STEP_COST)],
  ]
  const shape = scores.reduce((best, next) => (next[1] < best[1] ? next : best))[0]

  const places = n - 2 * edge + 1
  const chance = (larger: number, smaller: number, parameters: number) => {
    const freedom = effectiveSize - parameters
    return varianceRatioTail(((larger - smaller) / Math.max(smaller, floor)) * freedom, 1, freedom)
  }
  const many = (single: number) => Math.min(1, single * Math.max(1, places / 3))
  // A trend is judged against its absence within the chosen shape; where it was not chosen, alone: the adjustment for
  // many tests must see the tests that found nothing.
  switch (shape) {
    case 'flat':
    case 'curve':
      return {
        ...flat,
        shape,
        fitted: shape === 'curve' ? curve.fitted : flat.fitted,
        effectiveSize,
        trendChance: Math.max(0.05, chance(total, line.rss, 2)),
        stepChance: Math.max(0.05, many(chance(total, step.fit.rss, 3))),
      }
    case 'trend': {
      const slope = line.coefficients[1]! / n
      return {
        ...flat,
        shape,
        slope,
        trendChance: chance(total, line.rss, 2),
        explained: 1 - line.rss / total,
        fitted: line.fitted,
        effectiveSize,
      }
    }
    case 'step':
      return {
        ...flat,
        shape,
        stepAt: step.at,
        stepSize: step.fit.coefficients[1]!,
        stepChance: many(chance(total, step.fit.rss, 3)),
        explained: 1 - step.fit.rss / total,
        fitted: step.fit.fitted,
        effectiveSize,
      }
    case 'trend and step': {
      const [, stepSize = 0, slope = 0] = both.fit.coefficients
      return {
        shape,
        slope: slope / n,
        stepAt: both.at,
        stepSize,
        trendChance: chance(fitLeastSquares([ones, stepColumn(n, both.at)], y).rss, both.fit.rss, 4),
        stepChance: many(chance(line.rss, both.fit.rss, 4)),
        explained: 1 - both.fit.rss / total,
        fitted: both.fit.fitted,
        effectiveSize,
      }
    }
  }
}

/** The chance of a difference that large between before and after a place that was known beforehand. */
export function stepChanceAt(y: readonly number[], at: number): number {
  const level = mean(y)
  const total = y.reduce((sum, value) => sum + (value - level) ** 2, 0)
  const { rss, fitted } = fitLeastSquares([y.map(() => 1), stepColumn(y.length, at)], y)
  const freedom = y.length / inflation(y, fitted) - 2
  return varianceRatioTail(((total - rss) / Math.max(rss, total * 1e-9)) * freedom, 1, freedom)
}

function stepColumn(n: number, at: number): number[] {
  return Array.from({ length: n }, (_, index) => (index >= at ? 1 : 0))
}

/** Every place is tried through running sums (one pass); only the best is fitted in full. */
function bestStep(y: readonly number[], time: readonly number[], edge: number) {
  const n = y.length
  const level = mean(y)
  const line = time.length === 0 ? undefined : fitLeastSquares([y.map(() => 1), time], y)
  const residual = y.map((value, index) => value - (line?.fitted[index] ?? level))
  const timeSquares = time.reduce((sum, value) => sum + value * value, 0)
  let best = edge
  let bestGain = -1
  let sum = 0
  let timeSum = 0
  for (let at = 1; at <= n - edge; at++) {
    sum += residual[at - 1]!
    timeSum += time[at - 1] ?? 0
    if (at < edge) continue
    // What is left of the step's column after mean and line are taken out of it.
    const spread = (at * (n - at)) / n - (line === undefined ? 0 : (timeSum * timeSum) / timeSquares)
    const gain = spread > 1e-9 ? (sum * sum) / spread : 0
    if (gain > bestGain) {
      bestGain = gain
      best = at
    }
  }
  const columns = [y.map(() => 1), stepColumn(n, best), ...(line === undefined ? [] : [time])]
  return { at: best, fit: fitLeastSquares(columns, y) }
}

/** How many times fewer observations a series is worth when neighbours are alike (an AR(1) correction). */
function inflation(y: readonly number[], fitted: readonly number[]): number {
  const residual = y.map((value, index) => value - fitted[index]!)
  let above = 0
  let below = 1e-300
  for (let index = 0; index < residual.length; index++) {
    below += residual[index]! ** 2
    if (index > 0) above += residual[index]! * residual[index - 1]!
  }
  const n = y.length
  const raw = above / below
  if (raw < 1 / Math.sqrt(n)) return 1
  // Residuals look less alike than the noise they come from; Kendall's correction.
  const alike = Math.min(0.97, raw + (1 + 3 * raw) / n)
  return Math.min((1 + alike) / (1 - alike), n / 4)
}

/** The chance of a correlation that strong among so many pairs. */
export function correlationChance(r: number, n: number): number {
  if (n < 4) return 1
  return studentTail(r * Math.sqrt((n - 2) / Math.max(1e-12, 1 - r * r)), n - 2)
}
