// Drift: do today's inputs and predictions look like those of training? Compared by the population stability index:
// Σ (now − then) · ln(now / then) over the bins. Below 0.1 nothing moved, above 0.25 something did.
import type { Distribution, Profile } from './model-json.ts'

export const DRIFT_THRESHOLD = 0.25

export interface DriftReport {
  /** The feature, or `predicted class`. */
  what: string
  index: number
  threshold: number
  samples: number
}

// A share of zero would make the logarithm infinite; half an observation in a thousand is what such a bin counts as.
const SMALLEST_SHARE = 0.0005

export function stabilityIndex(then: readonly number[], counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return 0
  let index = 0
  for (const [bin, share] of then.entries()) {
    const before = Math.max(share, SMALLEST_SHARE)
    const now = Math.max((counts[bin] ?? 0) / total, SMALLEST_SHARE)
    index += (now - before) * Math.log(now / before)
  }
  return index
}

/** A profile of what training saw: ten bins of equal share. For the trainer. */
export function distributionOf(name: string, values: readonly number[], bins = 10): Distribution {
  const sorted = values.toSorted((one, other) => one - other)
  const quantiles = Array.from(
    { length: bins - 1 },
    (_, bin) => sorted[Math.floor(((bin + 1) * sorted.length) / bins)] ?? 0,
  )
  const bounds = [...new Set(quantiles)]
  const counts = new Array<number>(bounds.length + 1).fill(0)
  for (const value of values) counts[binOf(bounds, value)]!++
  return { name, bounds, shares: counts.map((count) => count / Math.max(values.length, 1)) }
}

function binOf(bounds: readonly number[], value: number): number {
  let low = 0
  let high = bounds.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (value < bounds[middle]!) high = middle
    else low = middle + 1
  }
  return low
}

/** Counts in windows; each full window is judged, reported and forgotten, so that old traffic hides nothing. */
export class DriftMonitor {
  readonly #profile: Profile
  readonly #window: number
  readonly #report: (report: DriftReport, tripped: boolean) => void
  readonly #features: Map<string, { distribution: Distribution; counts: number[]; seen: number }>
  #classes: number[]
  #classesSeen = 0

  constructor(profile: Profile, report: (report: DriftReport, tripped: boolean) => void, window = 1_000) {
    this.#profile = profile
    this.#window = window
    this.#report = report
    this.#features = new Map(
      profile.features.map((distribution) => [
        distribution.name,
        { distribution, counts: new Array<number>(distribution.shares.length).fill(0), seen: 0 },
      ]),
    )
    this.#classes = new Array<number>(profile.classes?.length ?? 0).fill(0)
  }

  get featureNames(): Iterable<string> {
    return this.#features.keys()
  }

  feature(name: string, value: number): void {
    const feature = this.#features.get(name)
    if (feature === undefined || Number.isNaN(value)) return
    feature.counts[binOf(feature.distribution.bounds, value)]!++
    if (++feature.seen < this.#window) return
    this.#judge(name, feature.distribution.shares, feature.counts)
    feature.counts.fill(0)
    feature.seen = 0
  }

  prediction(index: number): void {
    const { classes } = this.#profile
    if (classes === undefined || index >= classes.length) return
    this.#classes[index]!++
    if (++this.#classesSeen < this.#window) return
    this.#judge('predicted class', classes, this.#classes)
    this.#classes.fill(0)
    this.#classesSeen = 0
  }

  #judge(what: string, shares: readonly number[], counts: readonly number[]): void {
    const index = stabilityIndex(shares, counts)
    const samples = counts.reduce((sum, count) => sum + count, 0)
    this.#report({ what, index, threshold: DRIFT_THRESHOLD, samples }, index > DRIFT_THRESHOLD)
  }
}
