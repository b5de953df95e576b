// Drift: do today's inputs and predictions look like those of training? Compared by the population stability index,
// Σ (now − then) · ln(now / then) over the bins: below 0.1 nothing moved, above 0.25 something did.
import { populationStability } from '../../training/profile.ts'
import type { Distribution, Profile } from './model-json.ts'

export const DRIFT_THRESHOLD = 0.25

export interface DriftReport {
  /** The feature, or `predicted class`. */
  what: string
  index: number
  threshold: number
  samples: number
}

/** The first bin whose upper bound holds the value; as profile.ts counts. */
function binOf(bounds: readonly number[], value: number): number {
  let low = 0
  let high = bounds.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (value <= bounds[middle]!) high = middle
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
  /** What the last window of each found moved. */
  readonly #moved = new Map<string, number>()

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

  /** In words; empty: nothing has moved, or no window was full yet. */
  get moved(): string {
    const all = Array.from(this.#moved, ([what, index]) => `${what} (${index.toFixed(2)})`)
    return all.length === 0 ? '' : `moved away from what it was trained on: ${all.join(', ')}`
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
    const samples = counts.reduce((sum, count) => sum + count, 0)
    const now = counts.map((count) => count / samples)
    const index = populationStability(shares, now)
    const tripped = index > DRIFT_THRESHOLD
    if (tripped) this.#moved.set(what, index)
    else this.#moved.delete(what)
    this.#report({ what, index, threshold: DRIFT_THRESHOLD, samples }, tripped)
  }
}
