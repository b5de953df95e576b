// One linear separator for each class against all others: support vector machines with squared hinge loss, solved in
// the dual, one example at a time (dual coordinate descent, Hsieh et al. 2008, as LIBLINEAR does). It converges in some
// ten passes over sparse text, where gradient descent needs a learning rate and hundreds.
import { setImmediate as breathe } from 'node:timers/promises'
import type { SparseVector } from './featuriser.ts'
import { type Random, seededRandom } from './random.ts'

export interface LinearOptions {
  /** How dear a mistake is against a small weight vector. */
  cost: number
  /** 0: every example weighs the same; 1: every class does. Between: in between. */
  balance: number
  passes: number
  /** A pass in which no example violated its condition by more than this ends the training. */
  tolerance: number
  seed: number
  signal?: AbortSignal | undefined
  onClass?: ((done: number, of: number) => void) | undefined
}

export interface LinearModel {
  /** Row-major [features, classes]: a feature’s row is what the model gathers. */
  weights: Float32Array
  bias: Float32Array
  classes: number
}

export async function trainLinear(
  examples: readonly SparseVector[],
  labels: Int32Array,
  features: number,
  classes: number,
  options: LinearOptions,
): Promise<LinearModel> {
  const model = { weights: new Float32Array(features * classes), bias: new Float32Array(classes), classes }
  const costs = classCosts(labels, classes, options)
  for (let label = 0; label < classes; label++) {
    options.signal?.throwIfAborted()
    const random = seededRandom(options.seed).fork(`class ${label}`)
    const separator = separate(examples, labels, label, features, costs, options, random)
    for (let feature = 0; feature < features; feature++) model.weights[feature * classes + label] = separator[feature]!
    model.bias[label] = separator[features]!
    options.onClass?.(label + 1, classes)
    // Lets progress be shown and an abort arrive: the rest of the training never leaves this thread.
    await breathe()
  }
  return model
}

export function scoreLinear(model: LinearModel, { indices, values }: SparseVector): Float64Array {
  const scores = Float64Array.from(model.bias)
  for (let at = 0; at < indices.length; at++) {
    const row = indices[at]! * model.classes
    for (let label = 0; label < model.classes; label++) scores[label]! += model.weights[row + label]! * values[at]!
  }
  return scores
}

function classCosts(labels: Int32Array, classes: number, { cost, balance }: LinearOptions): Float64Array {
  const sizes = new Float64Array(classes)
  for (const label of labels) sizes[label]! += 1
  return sizes.map((size) => cost * (labels.length / (classes * Math.max(size, 1))) ** balance)
}

/** The last weight is the bias: every example has one more feature, whose value is 1. */
function separate(
  examples: readonly SparseVector[],
  labels: Int32Array,
  positive: number,
  features: number,
  costs: Float64Array,
  options: LinearOptions,
  random: Random,
): Float64Array {
  const weights = new Float64Array(features + 1)
  const alphas = new Float64Array(examples.length)
  const slack = Float64Array.from(labels, (label) => 0.5 / costs[label]!)
  const diagonal = Float64Array.from(examples, ({ values }, at) => slack[at]! + 1 + squared(values))
  const order = Int32Array.from(examples, (_, at) => at)
  for (let pass = 0; pass < options.passes; pass++) {
    random.shuffle(order)
    let worst = 0
    for (const at of order) {
      const { indices, values } = examples[at]!
      const sign = labels[at] === positive ? 1 : -1
      let score = weights[features]!
      for (let term = 0; term < indices.length; term++) score += weights[indices[term]!]! * values[term]!
      const alpha = alphas[at]!
      const gradient = sign * score - 1 + slack[at]! * alpha
      // At alpha 0 only a move upwards is allowed, so an example that is right by a margin costs one product and no more.
      const violation = alpha === 0 ? Math.min(gradient, 0) : gradient
      if (Math.abs(violation) < 1e-12) continue
      worst = Math.max(worst, Math.abs(violation))
      const moved = Math.max(alpha - gradient / diagonal[at]!, 0)
      alphas[at] = moved
      const step = (moved - alpha) * sign
      weights[features]! += step
      for (let term = 0; term < indices.length; term++) weights[indices[term]!]! += step * values[term]!
    }
    if (worst < options.tolerance) break
  }
  return weights
}

function squared(values: Float32Array): number {
  let sum = 0
  for (const value of values) sum += value * value
  return sum
}
