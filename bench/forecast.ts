// Forecasts against seasonal naive on generated series whose end is held back: level, trend, season, steps, noise that
// resembles its neighbour. Prints the mean error ratio (below 1 is better) and how many outcomes the intervals cover.
import { forecastSeries, seasonalNaive } from '../tools/forecasting/index.ts'
import { random } from './random.ts'

export function measureForecasts(count: number): { ratio: number; better: number; covered: number } {
  let logRatio = 0
  let better = 0
  let covered = 0
  let points = 0
  for (let seed = 1; seed <= count; seed++) {
    const { values, cycle } = generate(seed)
    const ahead = cycle
    const known = values.slice(0, -ahead)
    const outcome = values.slice(-ahead)
    const forecast = forecastSeries(known, ahead, cycle, 0.8).points
    const naive = seasonalNaive(known, ahead, cycle)
    const error = outcome.reduce((sum, value, step) => sum + Math.abs(value - forecast[step]!.value), 0)
    const naiveError = outcome.reduce((sum, value, step) => sum + Math.abs(value - naive[step]!), 0)
    logRatio += Math.log(error / naiveError)
    if (error < naiveError) better++
    covered += outcome.filter((value, step) => value >= forecast[step]!.low && value <= forecast[step]!.high).length
    points += ahead
  }
  return { ratio: Math.exp(logRatio / count), better: better / count, covered: covered / points }
}

function generate(seed: number): { values: number[]; cycle: number } {
  const draw = random(seed)
  const cycle = draw.uniform() < 0.5 ? 12 : 7
  const length = cycle * draw.integer(5, 20)
  const trend = draw.uniform() < 0.5 ? draw.between(-0.05, 0.05) : 0
  const season = draw.uniform() < 0.7 ? draw.between(0.5, 4) : 0
  const alike = draw.between(0, 0.9)
  const stepAt = draw.uniform() < 0.3 ? draw.integer(cycle, length - cycle) : length
  const shape = Array.from({ length: cycle }, () => season * draw.normal())
  let noise = 0
  const values = Array.from({ length }, (_, index) => {
    noise = alike * noise + Math.sqrt(1 - alike * alike) * draw.normal()
    return 50 + trend * index + shape[index % cycle]! + (index >= stepAt ? 4 : 0) + noise
  })
  return { values, cycle }
}

export async function run(options: { json?: boolean; series?: number } = {}): Promise<void> {
  const result = measureForecasts(options.series ?? 200)
  console.log(options.json === false ? result : JSON.stringify({ bench: 'forecast', ...result }))
}

if (import.meta.main) await run()
