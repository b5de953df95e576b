// Every model forecasts stretches whose outcome is known, from the past before them only. The errors choose the model,
// and they make the intervals: what was missed before will be missed again.
import { quantile } from '../statistics/index.ts'
import { MODELS } from './models.ts'

export interface BackTest {
  model: string
  /** Mean absolute error of each model over all tested stretches. */
  errors: { model: string; error: number }[]
  /** Error of the chosen model divided by that of seasonal naive; below 1 is better. */
  againstNaive: number
  stretches: number
}

export interface Forecast {
  points: { value: number; low: number; high: number }[]
  backTest: BackTest
}

const MOST_STRETCHES = 8
/** Of a very long series the last values decide. */
const LONGEST = 2_000

export function forecastSeries(all: readonly number[], ahead: number, cycle: number, coverage: number): Forecast {
  const values = all.slice(-LONGEST)
  const shortest = Math.max(6, Math.min(2 * cycle, Math.floor(values.length / 2)))
  const origins: number[] = []
  const stride = Math.max(1, Math.floor(ahead / 2))
  for (let origin = values.length - ahead; origin >= shortest && origins.length < MOST_STRETCHES; origin -= stride)
    origins.push(origin)
  // Too short for whole stretches: single values are forecast.
  if (origins.length === 0)
    for (let origin = values.length - 1; origin >= Math.min(shortest, 3) && origins.length < MOST_STRETCHES; origin--)
      origins.push(origin)

  const tested = MODELS.map((model) => {
    const misses = origins.map((origin) => {
      const known = values.slice(origin, origin + ahead)
      return model.forecast(values.slice(0, origin), known.length, cycle).map((value, step) => known[step]! - value)
    })
    const flat = misses.flat()
    return { model, misses, error: flat.reduce((sum, miss) => sum + Math.abs(miss), 0) / Math.max(1, flat.length) }
  })
  // Few stretches choose badly: unless another model was clearly better, the mean of three is the safer choice.
  const safe = tested.at(-1)!
  const lowest = tested.reduce((best, one) => (one.error < best.error ? one : best))
  const chosen = safe.error <= lowest.error * 1.3 ? safe : lowest
  const naive = tested[0]!.error
  const spread = spreadByStep(chosen.misses, ahead, coverage)
  const points = chosen.model
    .forecast(values, ahead, cycle)
    .map((value, step) => ({ value, low: value - spread[step]!, high: value + spread[step]! }))
  return {
    points,
    backTest: {
      model: chosen.model.name,
      errors: tested.map(({ model, error }) => ({ model: model.name, error })),
      againstNaive: naive === 0 ? 1 : chosen.error / naive,
      stretches: origins.length,
    },
  }
}

/** Half-widths that grow with the distance and never shrink; few stretches are widened for what they did not see. */
function spreadByStep(misses: number[][], ahead: number, coverage: number): number[] {
  const widening = 1 + 1 / Math.max(1, misses.length)
  let widest = 0
  return Array.from({ length: ahead }, (_, step) => {
    const near = misses.flatMap((stretch) => stretch.slice(Math.max(0, step - 2), step + 3)).map(Math.abs)
    if (near.length > 0) widest = Math.max(widest, quantile(near, coverage) * widening)
    else widest *= Math.sqrt((step + 1) / Math.max(1, step))
    return widest
  })
}
