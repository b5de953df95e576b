// Separators give margins, callers want probabilities: a softmax whose temperature makes stated confidence true on
// examples that the separators have not seen (temperature scaling, Guo et al. 2017).

export function softmax(scores: ArrayLike<number>, temperature: number): Float64Array {
  const probabilities = new Float64Array(scores.length)
  let highest = Number.NEGATIVE_INFINITY
  for (let index = 0; index < scores.length; index++) highest = Math.max(highest, scores[index]!)
  let sum = 0
  for (let index = 0; index < scores.length; index++) {
    probabilities[index] = Math.exp((scores[index]! - highest) / temperature)
    sum += probabilities[index]!
  }
  return probabilities.map((value) => value / sum)
}

/** The temperature with the least log loss. The loss has one minimum in log temperature: golden section finds it. */
export function fitTemperature(scores: readonly ArrayLike<number>[], truth: ArrayLike<number>): number {
  const loss = (logTemperature: number) => {
    let sum = 0
    for (const [example, row] of scores.entries()) {
      sum -= Math.log(Math.max(softmax(row, Math.exp(logTemperature))[truth[example]!]!, 1e-12))
    }
    return sum
  }
  const ratio = (Math.sqrt(5) - 1) / 2
  let low = Math.log(0.02)
  let high = Math.log(5)
  for (let step = 0; step < 40; step++) {
    const third = (high - low) * ratio
    if (loss(high - third) < loss(low + third)) high = low + third
    else low = high - third
  }
  return Math.exp((low + high) / 2)
}
