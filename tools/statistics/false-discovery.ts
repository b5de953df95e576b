// Benjamini–Hochberg. A table with ten columns asks a hundred questions; at a one-in-twenty threshold five answers
// would be chance. The adjusted value says: reporting everything up to here, this share is expected to be chance.

export function adjustForDiscovery(probabilities: readonly number[]): number[] {
  const order = probabilities.map((_, index) => index).sort((a, b) => probabilities[a]! - probabilities[b]!)
  const adjusted = new Array<number>(probabilities.length).fill(1)
  let smallest = 1
  for (let rank = order.length; rank >= 1; rank--) {
    const index = order[rank - 1]!
    smallest = Math.min(smallest, (probabilities[index]! * order.length) / rank)
    adjusted[index] = smallest
  }
  return adjusted
}
