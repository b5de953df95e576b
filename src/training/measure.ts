// How good a classifier is: what an operator compares before a new version replaces the live one.

export interface ClassMeasure {
  label: string
  precision: number
  recall: number
  f1: number
  support: number
}

export interface ClassifierMetrics {
  examples: number
  accuracy: number
  macroF1: number
  /** Mean of -log of the probability given to the truth. */
  logLoss: number
  /** How far stated confidence is from reality, on average over ten bins: 0 is honest. */
  calibrationError: number
  perClass: ClassMeasure[]
  /** Row: the truth; column: what was said. */
  confusion: number[][]
}

export function measureClassifier(
  truth: ArrayLike<number>,
  probabilities: readonly ArrayLike<number>[],
  labels: readonly string[],
): ClassifierMetrics {
  const confusion = labels.map(() => labels.map(() => 0))
  const bins = Array.from({ length: 10 }, () => ({ count: 0, right: 0, confidence: 0 }))
  let loss = 0
  for (const [example, row] of probabilities.entries()) {
    const said = largest(row)
    const actual = truth[example]!
    confusion[actual]![said]! += 1
    loss -= Math.log(Math.max(row[actual]!, 1e-12))
    const bin = bins[Math.min(9, Math.floor(row[said]! * 10))]!
    bin.count += 1
    bin.confidence += row[said]!
    if (said === actual) bin.right += 1
  }
  const examples = probabilities.length
  const perClass = labels.map((label, index) => measureClass(label, index, confusion))
  // A class that the sample holds no example of has no F1, rather than one of 0.
  const present = perClass.filter(({ support }) => support > 0)
  return {
    examples,
    accuracy: round(perClass.reduce((sum, { recall, support }) => sum + recall * support, 0) / Math.max(1, examples)),
    macroF1: round(present.reduce((sum, { f1 }) => sum + f1, 0) / Math.max(1, present.length)),
    logLoss: round(loss / Math.max(1, examples)),
    calibrationError: round(
      bins.reduce((sum, bin) => sum + Math.abs(bin.right - bin.confidence), 0) / Math.max(1, examples),
    ),
    perClass: perClass.map((each) => ({
      ...each,
      precision: round(each.precision),
      recall: round(each.recall),
      f1: round(each.f1),
    })),
    confusion,
  }
}

function measureClass(label: string, index: number, confusion: readonly number[][]): ClassMeasure {
  const support = confusion[index]!.reduce((sum, count) => sum + count, 0)
  const said = confusion.reduce((sum, row) => sum + row[index]!, 0)
  const right = confusion[index]![index]!
  const precision = said === 0 ? 0 : right / said
  const recall = support === 0 ? 0 : right / support
  return {
    label,
    precision,
    recall,
    f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    support,
  }
}

export function largest(row: ArrayLike<number>): number {
  let best = 0
  for (let index = 1; index < row.length; index++) if (row[index]! > row[best]!) best = index
  return best
}

/** Six decimals: enough to compare by, and a file that reads well. */
export function round(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
