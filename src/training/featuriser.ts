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
  /** The last rows, which features without a row of their own share by hash. 0: such features are left out. */
  hashed: number
  /** Base64 of little-endian 32-bit hashes, one for each known feature. The first `size - hashed` own row 0, 1, 2 … */
  vocabulary: string
  /** Base64 of as many floats: how much each known feature tells (inverse document frequency). */
  weights: string
  /** How much a feature tells that is not in the vocabulary. */
  unseenWeight: number
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
  const vocabulary = new Uint32Array(decode(config.vocabulary))
  const weights = new Float32Array(decode(config.weights))
  if (vocabulary.length < size - config.hashed || weights.length !== vocabulary.length) {
    const lengths = `${vocabulary.length} hashes and ${weights.length} weights`
    throw new TroupeError('model_invalid', `the featuriser has ${lengths} for ${size - config.hashed} rows`)
  }
  const termOf = lookUpTerms(vocabulary, weights, config)

  function sparse(text: string): SparseVector {
    const values = new Map<number, number>()
    for (const counts of countNgrams(text, config)) addWeighted(values, counts, termOf)
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
function addWeighted(values: Map<number, number>, counts: Counts, termOf: (hash: number) => Term): void {
  const group = new Map<number, number>()
  let squares = 0
  for (const [hash, count] of counts) {
    const { row, weight } = termOf(hash)
    if (row >= 0) group.set(row, (group.get(row) ?? 0) + (1 + Math.log(count)) * weight)
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

interface Term {
  /** -1: the model has nothing for it. */
  row: number
  weight: number
}

/** Hash to term by open addressing in typed arrays: a Map of numbers takes ten times the memory and is slower. */
function lookUpTerms(
  vocabulary: Uint32Array,
  weights: Float32Array,
  { size, hashed, unseenWeight }: FeaturiserConfig,
): (hash: number) => Term {
  let slots = 16
  while (slots < vocabulary.length * 2) slots *= 2
  const places = new Int32Array(slots).fill(-1)
  const last = slots - 1
  for (const [place, hash] of vocabulary.entries()) {
    let slot = hash & last
    while (places[slot] !== -1) slot = (slot + 1) & last
    places[slot] = place
  }
  const own = size - hashed
  const shared = (hash: number) => (hashed === 0 ? -1 : own + (hash % hashed))
  // One object for all answers: it is read before the next question, and there are thousands a text.
  const term: Term = { row: -1, weight: 0 }
  return (hash) => {
    let slot = hash & last
    while (places[slot] !== -1 && vocabulary[places[slot]!] !== hash) slot = (slot + 1) & last
    const place = places[slot]!
    term.row = place >= 0 && place < own ? place : shared(hash)
    term.weight = place >= 0 ? weights[place]! : unseenWeight
    return term
  }
}

/** Copied, because a Buffer may begin at an address that is not a multiple of four. */
function decode(base64: string): ArrayBuffer {
  const bytes = Buffer.from(base64, 'base64')
  return new Uint8Array(bytes.subarray(0, bytes.length - (bytes.length % 4))).buffer
}
