// The methods vote. Each says how surprised it is; their mean decides. One alarm stands for an episode: while the
// surprise lasts, and for a while after, no second alarm is raised, because a person can act on one only.
import { jump, level, type Method, recentLevel, recentScatter, season, shape } from './methods.ts'
import { surprise } from './surprise.ts'

export interface Alarm {
  index: number
  /** Mean surprise of the methods: 2 is as rare as one in a hundred so far. */
  surprise: number
  /** The methods that were surprised, the most surprised first. */
  methods: string[]
}

export interface WatchOptions {
  /** Mean surprise that raises an alarm. */
  threshold?: number
  /** Values of learning before the first alarm; 15 % of the series, at most 750, when absent. */
  learning?: number
  /** Values without alarm that end an episode. */
  quiet?: number
}

const MEMORY = 2_000
const PAST_FOR_SHAPES = 3_000
const THRESHOLD = 1.6
const QUIET = 120
const SURPRISED = 1.5

export function watchSeries(
  values: readonly number[],
  times: readonly string[] = [],
  options: WatchOptions = {},
): { alarms: Alarm[]; surprise: number[] } {
  const { threshold = THRESHOLD, quiet = QUIET, learning = Math.min(750, Math.floor(values.length * 0.15)) } = options
  const methods = methodsFor(values, stepsPerDay(times))
  const surprises = methods.map((method) => surprise(method.strangeness))
  const weights = methods.map((method) => method.weight)
  const whole = weights.reduce((sum, weight) => sum + weight, 0)
  const mean = values.map((_, index) => surprises.reduce((sum, one, at) => sum + one[index]! * weights[at]!, 0) / whole)
  const alarms: Alarm[] = []
  let last = Number.NEGATIVE_INFINITY
  for (let index = learning; index < values.length; index++) {
    if (mean[index]! < threshold) continue
    if (index - last > quiet) {
      const surprised = methods
        .map((method, at) => ({ name: method.name, much: surprises[at]![index]! }))
        .filter(({ much }) => much >= SURPRISED)
        .sort((a, b) => b.much - a.much)
      alarms.push({ index, surprise: mean[index]!, methods: surprised.map(({ name }) => name) })
    }
    last = index
  }
  return { alarms, surprise: mean }
}

/** The shape of the last values and their level over a longer stretch are the surest witnesses; they count twice. */
function methodsFor(values: readonly number[], day: number | undefined): (Method & { weight: number })[] {
  const width = Math.max(8, Math.min(50, Math.round((day ?? 288) / 24)))
  const methods = [
    { name: 'level', strangeness: level(values, MEMORY), weight: 1 },
    { name: 'jump', strangeness: jump(values, MEMORY), weight: 1 },
    { name: 'recent level', strangeness: recentLevel(values, width, MEMORY), weight: 1 },
    { name: 'longer level', strangeness: recentLevel(values, 4 * width, MEMORY), weight: 2 },
    { name: 'scatter', strangeness: recentScatter(values, width, MEMORY), weight: 1 },
    { name: 'shape', strangeness: shape(values, width, PAST_FOR_SHAPES), weight: 2 },
  ]
  if (day !== undefined) {
    methods.push({ name: 'time of day', strangeness: season(values, day, MEMORY), weight: 1 })
    methods.push({ name: 'time of week', strangeness: season(values, 7 * day, MEMORY), weight: 1 })
  }
  return methods
}

/** How many values make a day; undefined where there is no clock, or a day is too short to have a shape. */
function stepsPerDay(times: readonly string[]): number | undefined {
  const moments = times.slice(0, 200).map((time) => Date.parse(time))
  const steps = moments
    .slice(1)
    .map((moment, index) => moment - moments[index]!)
    .sort((a, b) => a - b)
  const step = steps[Math.floor(steps.length / 2)]
  if (step === undefined || !(step > 0)) return undefined
  const day = Math.round(86_400_000 / step)
  return day >= 4 ? day : undefined
}
