// From a text to the sparse vector that a model eats. Trainer and inference worker import this same file: features that
// differ by one bit between the two make a model quietly wrong.
//
// Sparse, not dense: a text has hundreds of features out of tens of thousands. A model takes `indices` and `values`
// [batch, terms], gathers those rows of its weights and sums them; a dense row would be 200 times the bytes to move
// and multiply. Rows of one batch are padded with index 0 and value 0, which adds nothing.
import { TroupeError } from '../contract/errors.ts'
import { type Counts, countCharacterNgrams, countWordNgrams, type Range } from './ngrams.ts'
import { words } from './tokens.ts'

/** Plain JSON: it lives in model.json under `featuriser`. */
export interface FeaturiserConfig {
  kind: 'ngrams'
  version: 1
  words: Range | null
  characters: Range | null
  digits: 'shape' | 'keep'
  /** How many rows the model has. */
  size: number
  /** Base64 of `size` little-endian 32-bit hashes: row i is the feature with hash i. Without it, hash modulo `size`. */
  vocabulary?: string
  /** Base64 of `size` little-endian floats: how much a feature tells (inverse document frequency), by row. */
  weights?: string
  /** Characters read of a text; what follows is ignored, so that a huge text costs a bounded time. */
  longestText: number
  /** The heaviest features that are kept of a text. */
  mostTerms: number
}

export interface SparseVector {
  indices: Int32Array
  values: Float32Array
}

export interface SparseBatch extends SparseVector {
  rows: number
  terms: number
}

export interface Featuriser {
  size: number
  /** L2-normalised, indices ascending, no index twice. Empty for a text in which nothing is known. */
  sparse(text: string): SparseVector
  /** The same as one dense row of `size` numbers. */
  features(text: string): Float32Array
  /** Row-major [rows, terms], padded: the two tensors a model takes. `terms` is at least 1. */
  batch(texts: readonly string[]): SparseBatch
}

export function createFeaturiser(config: FeaturiserConfig): Featuriser {
  if (config.kind !== 'ngrams' || config.version !== 1) {
    throw new TroupeError('model_invalid', `featuriser ${config.kind} version ${config.version} is not known`)
  }
  const { size } = config
  if (!Number.isInteger(size) || size < 1 || size > 1 << 24) {
    throw new TroupeError('model_invalid', `a featuriser of size ${size} cannot be: 1 to ${1 << 24}`)
  }
  const vocabulary =
    config.vocabulary === undefined ? null : numbers(config.vocabulary, size, 'vocabulary', Uint32Array)
  const weights = config.weights === undefined ? null : numbers(config.weights, size, 'weights', Float32Array)
  const rowOf = vocabulary === null ? (hash: number) => hash % size : lookUp(vocabulary)

  function sparse(text: string): SparseVector {
    const values = new Map<number, number>()
    for (const counts of countNgrams(text, config)) addWeighted(values, counts, rowOf, weights)
    return toVector(values, config.mostTerms)
  }
  return {
    size,
    sparse,
    features(text) {
      const dense = new Float32Array(size)
      const { indices, values } = sparse(text)
      for (let at = 0; at < indices.length; at++) dense[indices[at]!] = values[at]!
      return dense
    },
    batch: (texts) => pad(texts.map(sparse)),
  }
}

/** One set of counts for each kind of n-gram in use. */
export function countNgrams(
  text: string,
  config: Pick<FeaturiserConfig, 'words' | 'characters' | 'digits' | 'longestText'>,
): Counts[] {
  const tokens = words(text.slice(0, config.longestText), config)
  const groups: Counts[] = []
  if (config.words !== null) groups.push(countWordNgrams(tokens, config.words))
  if (config.characters !== null) groups.push(countCharacterNgrams(tokens, config.characters))
  return groups
}

/** Each kind of n-gram has length 1 before they are joined: characters, being many, would drown the words. */
function addWeighted(
  values: Map<number, number>,
  counts: Counts,
  rowOf: (hash: number) => number,
  weights: Float32Array | null,
): void {
  const group = new Map<number, number>()
  let squares = 0
  for (const [hash, count] of counts) {
    const row = rowOf(hash)
    if (row < 0) continue
    const value = (1 + Math.log(count)) * (weights === null ? 1 : weights[row]!)
    group.set(row, (group.get(row) ?? 0) + value)
  }
  for (const value of group.values()) squares += value * value
  const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares)
  for (const [row, value] of group) values.set(row, (values.get(row) ?? 0) + value * scale)
}

function toVector(values: Map<number, number>, mostTerms: number): SparseVector {
  let terms = [...values]
  if (terms.length > mostTerms) terms = terms.sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, mostTerms)
  terms.sort((a, b) => a[0] - b[0])
  let squares = 0
  for (const [, value] of terms) squares += value * value
  const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares)
  const vector = { indices: new Int32Array(terms.length), values: new Float32Array(terms.length) }
  for (let at = 0; at < terms.length; at++) {
    vector.indices[at] = terms[at]![0]
    vector.values[at] = terms[at]![1] * scale
  }
  return vector
}

export function pad(vectors: readonly SparseVector[]): SparseBatch {
  const terms = vectors.reduce((most, vector) => Math.max(most, vector.indices.length), 1)
  const indices = new Int32Array(vectors.length * terms)
  const values = new Float32Array(vectors.length * terms)
  for (const [row, vector] of vectors.entries()) {
    indices.set(vector.indices, row * terms)
    values.set(vector.values, row * terms)
  }
  return { rows: vectors.length, terms, indices, values }
}

/** Hash to row by open addressing in two typed arrays: a Map of numbers takes ten times the memory and is slower. */
function lookUp(vocabulary: Uint32Array): (hash: number) => number {
  let slots = 16
  while (slots < vocabulary.length * 2) slots *= 2
  const keys = new Uint32Array(slots)
  const rows = new Int32Array(slots).fill(-1)
  const last = slots - 1
  for (const [row, hash] of vocabulary.entries()) {
    let slot = hash & last
    while (rows[slot] !== -1) slot = (slot + 1) & last
    keys[slot] = hash
    rows[slot] = row
  }
  return (hash) => {
    let slot = hash & last
    while (rows[slot] !== -1) {
      if (keys[slot] === hash) return rows[slot]!
      slot = (slot + 1) & last
    }
    return -1
  }
}

function numbers<Numbers>(
  base64: string,
  size: number,
  name: string,
  kind: new (buffer: ArrayBuffer) => Numbers,
): Numbers {
  const decoded = Buffer.from(base64, 'base64')
  if (decoded.byteLength !== size * 4) {
    throw new TroupeError(
      'model_invalid',
      `the featuriser’s ${name} has ${decoded.byteLength} bytes instead of ${size * 4}`,
    )
  }
  // Copied, because a Buffer may begin at an address that is not a multiple of four.
  return new kind(new Uint8Array(decoded).buffer)
}
