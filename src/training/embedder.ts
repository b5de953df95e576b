// Trains an embedder: texts that share words, pieces of words or learnt meanings get vectors that point the same way.
//
// It is lexical-semantic, not a transformer. Each n-gram has a random direction (so unknown words still match
// themselves, in any language) plus the directions of the groups of texts it was seen in (so words that keep the same
// company match each other): random indexing. A text is the weighted sum of its n-grams. What it cannot do: word order,
// negation, or words and languages whose company it has never seen.
import { setImmediate as breathe } from 'node:timers/promises'
import { TroupeError } from '../contract/errors.ts'
import { sha256Of } from '../workers/inference/model-json.ts'
import type { TrainedModel, TrainingProgress } from './classifier.ts'
import { countNgrams, createFeaturiser, type FeaturiserConfig, type SparseVector } from './featuriser.ts'
import { halves, halvesMeet } from './halves.ts'
import { round } from './measure.ts'
import { SPARSE_INPUTS, TEXT_INPUT } from './model-card.ts'
import { type Graph, writeOnnx } from './onnx-writer.ts'
import { distribution } from './profile.ts'
import { seededRandom } from './random.ts'
import { type Example, hashExamples, isHeldOut } from './split.ts'
import type { NgramOptions } from './vocabulary.ts'

export interface EmbedderOptions {
  name: string
  description?: string
  source: string
  seed?: number
  dimensions?: number
  /** The most words that get a row of their own. */
  words?: number
  /** The most n-grams, words among them, whose rarity is remembered. */
  known?: number
  /** Rows that all other n-grams share by hash. */
  hashed?: number
  /** How strongly company counts against the n-gram itself. */
  company?: number
  heldOut?: number
  /** Words that tell nothing, such as “the”: counted as if a third of all texts held them. */
  commonWords?: readonly string[]
  signal?: AbortSignal
  onProgress?: (progress: TrainingProgress) => void
}

const DEFAULTS = {
  seed: 1,
  dimensions: 256,
  words: 8_192,
  known: 65_536,
  hashed: 20_480,
  company: 0.7,
  heldOut: 0.1,
} as const

const NGRAMS: NgramOptions = {
  words: { shortest: 1, longest: 1 },
  characters: { shortest: 4, longest: 5 },
  digits: 'keep',
  longestText: 20_000,
  mostTerms: 4_096,
}

/** A text with this label teaches how rare its words are, but not which belong together. */
export const NO_COMPANY = ''

/** Words in texts of one label are held to belong together; a label of its own makes a text its words’ company. */
export async function trainEmbedder(examples: readonly Example[], options: EmbedderOptions): Promise<TrainedModel> {
  const chosen = {
    ...DEFAULTS,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  }
  const progress = options.onProgress ?? (() => {})
  const usable = examples.filter(({ text }) => text.trim() !== '')
  if (usable.length < 2) throw new TroupeError('invalid_input', `${options.source} has ${usable.length} texts`)
  const heldOut = usable.filter(({ text }) => halves(text) !== null && isHeldOut(text, chosen.heldOut))
  const apart = new Set(heldOut)
  const train = usable.filter((example) => !apart.has(example))

  progress({ stage: 'features', done: 0, of: train.length })
  const config = chooseFeatures(train, options.commonWords ?? [], chosen)
  const featuriser = createFeaturiser(config)
  await breathe()
  options.signal?.throwIfAborted()

  progress({ stage: 'training', done: 0, of: train.length })
  const table = indexRandomly(train, config, chosen)
  await breathe()
  options.signal?.throwIfAborted()

  progress({ stage: 'measuring', done: 0, of: heldOut.length })
  const onnx = writeOnnx(embedderGraph(options.name, table, config.size, chosen.dimensions))
  const embed = (text: string) => sumRows(table, chosen.dimensions, featuriser.sparse(text))
  return {
    name: options.name,
    onnx,
    heldOut,
    card: {
      kind: 'text-embedder',
      description: options.description ?? 'Lexical-semantic embedder (random indexing); not a transformer',
      sha256: sha256Of(onnx),
      inputs: [TEXT_INPUT],
      outputs: [{ name: 'embedding', datatype: 'FP32', shape: [-1, chosen.dimensions] }],
      pooling: 'none',
      normalise: true,
      lineage: {
        trainer: 'troupe train embedder',
        algorithm: 'hashed n-grams, random indexing over groups of texts, 8-bit rows',
        options: {
          seed: chosen.seed,
          dimensions: chosen.dimensions,
          words: chosen.words,
          known: chosen.known,
          hashed: chosen.hashed,
          company: chosen.company,
          heldOut: chosen.heldOut,
        },
        data: { source: options.source, sha256: hashExamples(usable), examples: train.length, heldOut: heldOut.length },
      },
      metrics: {
        dimensions: chosen.dimensions,
        examples: heldOut.length,
        halvesMeet: round(
          await halvesMeet(
            heldOut.map(({ text }) => text),
            async (texts) => texts.map(embed),
          ),
        ),
      },
      profile: {
        features: [
          distribution(
            'text.characters',
            train.map(({ text }) => text.length),
          ),
        ],
      },
      featuriser: { ...config },
    },
  }
}

type Chosen = Required<Pick<EmbedderOptions, 'seed' | 'dimensions' | 'words' | 'known' | 'hashed' | 'company'>>

function chooseFeatures(
  train: readonly Example[],
  commonWords: readonly string[],
  { words: ownRows, known, hashed }: Chosen,
): FeaturiserConfig {
  const [inWords, inCharacters] = [new Map<number, number>(), new Map<number, number>()]
  const count = (text: string, by: number) => {
    const [words, characters] = countNgrams(text, NGRAMS)
    for (const hash of words!.keys()) inWords.set(hash, (inWords.get(hash) ?? 0) + by)
    for (const hash of characters!.keys()) inCharacters.set(hash, (inCharacters.get(hash) ?? 0) + by)
  }
  for (const { text } of train) count(text, 1)
  for (const word of commonWords) count(word, train.length / 3)
  // Only whole words have rows of their own, because meaning hangs on them; the rest needs no more than its weight.
  const own = mostFrequent(inWords, ownRows)
  const terms = [...own, ...mostFrequent(inCharacters, Math.max(0, known - own.length))]
  const rarity = (count: number) => Math.max(0.1, Math.log((1 + train.length) / (1 + count)))
  return {
    kind: 'ngrams',
    version: 1,
    ...NGRAMS,
    size: own.length + hashed,
    hashed,
    vocabulary: Buffer.from(Uint32Array.from(terms, ([hash]) => hash).buffer).toString('base64'),
    weights: Buffer.from(Float32Array.from(terms, ([, count]) => rarity(count)).buffer).toString('base64'),
    unseenWeight: rarity(1),
  }
}

function mostFrequent(counts: ReadonlyMap<number, number>, most: number): [number, number][] {
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, most)
}

interface Table {
  rows: Int8Array
  /** A row times its scale is the n-gram’s direction. */
  scales: Float32Array
}

/** direction of an n-gram = its own random direction + company · Σ share of group g in its occurrences · direction of g */
function indexRandomly(train: readonly Example[], config: FeaturiserConfig, chosen: Chosen): Table {
  const { dimensions, company } = chosen
  const random = seededRandom(chosen.seed)
  const directions = new Float32Array(config.size * dimensions)
  const own = random.fork('n-grams')
  for (let at = 0; at < directions.length; at++) directions[at] = own.next() < 0.5 ? -1 : 1

  const groups = new Map<string, Map<number, number>>()
  const occurrences = new Float64Array(config.size)
  const featuriser = createFeaturiser(config)
  for (const { text, label } of train) {
    if (label === NO_COMPANY) continue
    const members = groups.get(label) ?? new Map<number, number>()
    groups.set(label, members)
    for (const row of featuriser.sparse(text).indices) {
      occurrences[row]! += 1
      members.set(row, (members.get(row) ?? 0) + 1)
    }
  }
  const firstHashed = config.size - chosen.hashed
  for (const [label, members] of groups) {
    const drawn = random.fork(`group ${label}`)
    const direction = Float32Array.from({ length: dimensions }, () => (drawn.next() < 0.5 ? -1 : 1))
    for (const [row, count] of members) {
      // Rows that strangers share belong to no company.
      if (row >= firstHashed) continue
      const share = (company * count) / occurrences[row]!
      for (let column = 0; column < dimensions; column++)
        directions[row * dimensions + column]! += share * direction[column]!
    }
  }
  return quantise(directions, config.size, dimensions)
}

/** Eight bits a number: a quarter of the file, and the error is far below what random directions bring themselves. */
function quantise(directions: Float32Array, size: number, dimensions: number): Table {
  const rows = new Int8Array(size * dimensions)
  const scales = new Float32Array(size)
  for (let row = 0; row < size; row++) {
    const direction = directions.subarray(row * dimensions, (row + 1) * dimensions)
    let [most, squares] = [0, 0]
    for (const value of direction) {
      most = Math.max(most, Math.abs(value))
      squares += value * value
    }
    for (let column = 0; column < dimensions; column++) {
      rows[row * dimensions + column] = Math.round((direction[column]! / most) * 127)
    }
    scales[row] = most / 127 / Math.sqrt(squares)
  }
  return { rows, scales }
}

function sumRows({ rows, scales }: Table, dimensions: number, { indices, values }: SparseVector): Float32Array {
  const vector = new Float32Array(dimensions)
  for (const [at, row] of indices.entries()) {
    const weight = values[at]! * scales[row]!
    for (let column = 0; column < dimensions; column++) vector[column]! += weight * rows[row * dimensions + column]!
  }
  return vector
}

/** embedding = normalised Σ values · scales[indices] · rows[indices] */
function embedderGraph(name: string, { rows, scales }: Table, size: number, dimensions: number): Graph {
  return {
    name,
    inputs: SPARSE_INPUTS,
    outputs: [{ name: 'embedding', type: 'FP32', shape: ['batch', dimensions] }],
    constants: [
      { name: 'rows', shape: [size, dimensions], data: rows },
      { name: 'scales', shape: [size], data: scales },
      { name: 'axis', shape: [1], data: BigInt64Array.of(1n) },
      { name: 'least', shape: [1], data: Float32Array.of(1e-9) },
    ],
    nodes: [
      { operator: 'Gather', inputs: ['rows', 'indices'], outputs: ['picked'], attributes: { axis: 0 } },
      { operator: 'Cast', inputs: ['picked'], outputs: ['directions'], attributes: { to: 1 } },
      { operator: 'Gather', inputs: ['scales', 'indices'], outputs: ['picked_scales'], attributes: { axis: 0 } },
      { operator: 'Mul', inputs: ['values', 'picked_scales'], outputs: ['weights'] },
      { operator: 'Unsqueeze', inputs: ['weights', 'axis'], outputs: ['row_weights'] },
      { operator: 'MatMul', inputs: ['row_weights', 'directions'], outputs: ['sums'] },
      { operator: 'Squeeze', inputs: ['sums', 'axis'], outputs: ['vector'] },
      { operator: 'ReduceL2', inputs: ['vector'], outputs: ['length'], attributes: { axes: [-1], keepdims: 1 } },
      { operator: 'Max', inputs: ['length', 'least'], outputs: ['divisor'] },
      { operator: 'Div', inputs: ['vector', 'divisor'], outputs: ['embedding'] },
    ],
  }
}
