// The distribution of what a model was trained on, kept in its model.json, and the population stability index that
// compares it with what the model is asked today.

export interface Distribution {
  name: string
  /** Upper bounds of all bins but the last, ascending. */
  bounds: number[]
  /** The share of each bin; one more than bounds; they sum to 1. */
  shares: number[]
}

export interface Profile {
  /** `text.characters`: the length of the text. `text.terms`: how many known features it has. */
  features: Distribution[]
  /** How often each class was predicted on held-out texts, in the order of the labels. */
  classes?: number[]
}

const BINS = 10

/** Bins that hold a tenth of the training texts each: the index is then equally sensitive everywhere. */
export function distribution(name: string, values: readonly number[]): Distribution {
  const sorted = [...values].sort((a, b) => a - b)
  const bounds: number[] = []
  for (let bin = 1; bin < BINS; bin++) {
    const bound = sorted[Math.floor((bin * sorted.length) / BINS)] ?? 0
    if (bound !== bounds.at(-1)) bounds.push(bound)
  }
  return { name, bounds, shares: shares(values, bounds) }
}

export function shares(values: readonly number[], bounds: readonly number[]): number[] {
  const counts = new Array<number>(bounds.length + 1).fill(0)
  for (const value of values) {
    let bin = 0
    while (bin < bounds.length && value > bounds[bin]!) bin++
    counts[bin]! += 1
  }
  return counts.map((count) => Math.round((count / Math.max(1, values.length)) * 1e6) / 1e6)
}

/** Below 0.1: the same population; above 0.25: another one. An empty bin counts as a thousandth, or it would be infinite. */
export function populationStability(expected: readonly number[], actual: readonly number[]): number {
  let index = 0
  for (const [bin, share] of expected.entries()) {
    const before = Math.max(share, 0.001)
    const now = Math.max(actual[bin] ?? 0, 0.001)
    index += (now - before) * Math.log(now / before)
  }
  return index
}
