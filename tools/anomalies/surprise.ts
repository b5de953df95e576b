// Strangeness to surprise: −log10 of how often there was that much strangeness so far. Beyond everything seen so far it
// goes on growing with the ratio to the largest, so that a little more than ever is not the same as ten times more.

/** Of a longer past only this much is remembered; it bounds the work for each value. */
const MEMORY = 20_000

export function surprise(strangeness: readonly number[]): number[] {
  const sorted: number[] = []
  return strangeness.map((value, index) => {
    const place = lowerBound(sorted, value)
    const rarer = sorted.length - place
    let result = 0
    if (sorted.length > 20) {
      result = Math.log10((sorted.length + 1) / (rarer + 1))
      const largest = sorted.at(-1)!
      if (rarer === 0 && largest > 0) result += Math.min(3, 2 * Math.log10(value / largest))
    }
    sorted.splice(place, 0, value)
    if (index >= MEMORY) sorted.splice(lowerBound(sorted, strangeness[index - MEMORY]!), 1)
    return result
  })
}

function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
