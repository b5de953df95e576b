// Trains a text classifier: choose n-grams, turn texts into sparse vectors, find one separator a class, make their
// margins honest probabilities on held-out texts, write it all as an ONNX file and a model card.
import { TroupeError } from '../contract/errors.ts'
import { sha256Of } from '../workers/inference/model-json.ts'
import { fitTemperature, softmax } from './calibrate.ts'
import { createFeaturiser, type Featuriser } from './featuriser.ts'
import { type LinearModel, scoreLinear, trainLinear } from './linear.ts'
import { largest, measureClassifier, round } from './measure.ts'
import { type ModelCard, SPARSE_INPUTS, TEXT_INPUT } from './model-card.ts'
import { type Graph, writeOnnx } from './onnx-writer.ts'
import { distribution, type Profile } from './profile.ts'
import { type Example, hashExamples, isHeldOut } from './split.ts'
import { chooseVocabulary, type NgramOptions } from './vocabulary.ts'

export interface ClassifierOptions {
  name: string
  description?: string
  /** Where the examples come from, for the lineage: a file’s name or a generator’s. */
  source: string
  seed?: number
  cost?: number
  balance?: number
  passes?: number
  /** The most n-grams the model may know. */
  features?: number
  /** The share of texts that is kept from training, for metrics and calibration. */
  heldOut?: number
  ngrams?: Partial<NgramOptions>
  /** Harder texts than the held-out ones, to learn from how sure to be. Without them the held-out ones serve. */
  calibration?: readonly Example[]
  signal?: AbortSignal
  onProgress?: (progress: TrainingProgress) => void
}

export interface TrainingProgress {
  stage: 'reading' | 'features' | 'training' | 'measuring' | 'writing'
  done: number
  of: number
}

export interface TrainedModel {
  name: string
  onnx: Buffer
  /** Complete but for the promotion, which the registration decides. */
  card: ModelCard
  /** What neither this model nor its predecessors have seen. */
  heldOut: Example[]
}

export const DEFAULTS = { seed: 1, cost: 1, balance: 0.5, passes: 30, features: 65_536, heldOut: 0.1 } as const

export const DEFAULT_NGRAMS: NgramOptions = {
  words: { shortest: 1, longest: 2 },
  characters: { shortest: 3, longest: 5 },
  digits: 'shape',
  longestText: 20_000,
  mostTerms: 8_192,
}

export async function trainClassifier(examples: readonly Example[], options: ClassifierOptions): Promise<TrainedModel> {
  const chosen = { ...DEFAULTS, ...withoutUndefined(options) }
  const progress = options.onProgress ?? (() => {})
  const usable = examples.filter(({ text, label }) => text.trim() !== '' && label !== '')
  const labels = [...new Set(usable.map(({ label }) => label))].sort()
  if (labels.length < 2) {
    throw new TroupeError(
      'invalid_input',
      `a classifier needs at least two labels, ${options.source} has ${labels.length}`,
    )
  }
  const { train, heldOut } = split(usable, chosen.heldOut)
  const truth = Int32Array.from(train, ({ label }) => labels.indexOf(label))

  progress({ stage: 'features', done: 0, of: train.length })
  const config = chooseVocabulary(
    train.map(({ text }) => text),
    truth,
    labels.length,
    { ...DEFAULT_NGRAMS, ...options.ngrams },
    { fewestDocuments: train.length < 200 ? 1 : 2, largest: chosen.features },
  )
  const featuriser = createFeaturiser(config)
  const vectors = train.map(({ text }, at) => {
    if (at % 1000 === 0) progress({ stage: 'features', done: at, of: train.length })
    return featuriser.sparse(text)
  })

  const linear = await trainLinear(vectors, truth, config.size, labels.length, {
    ...chosen,
    tolerance: 0.1,
    signal: options.signal,
    onClass: (done, of) => progress({ stage: 'training', done, of }),
  })

  progress({ stage: 'measuring', done: 0, of: heldOut.length })
  const measured = measure(linear, featuriser, heldOut.length > 0 ? heldOut : train, labels, options.calibration)
  const onnx = writeOnnx(classifierGraph(options.name, linear, config.size, measured.temperature))
  return {
    name: options.name,
    onnx,
    heldOut,
    card: {
      kind: 'text-classifier',
      description: options.description ?? `Classifies texts into ${labels.length} classes`,
      sha256: sha256Of(onnx),
      inputs: [TEXT_INPUT],
      outputs: [
        { name: 'label', datatype: 'BYTES', shape: [-1] },
        { name: 'probabilities', datatype: 'FP32', shape: [-1, labels.length] },
      ],
      labels,
      activation: 'none',
      lineage: {
        trainer: 'troupe train classifier',
        algorithm: 'one-vs-rest linear SVM (squared hinge, dual coordinate descent), softmax with fitted temperature',
        options: {
          seed: chosen.seed,
          cost: chosen.cost,
          balance: chosen.balance,
          passes: chosen.passes,
          features: chosen.features,
          heldOut: chosen.heldOut,
          temperature: round(measured.temperature),
        },
        data: { source: options.source, sha256: hashExamples(usable), examples: train.length, heldOut: heldOut.length },
      },
      metrics: { ...measured.metrics },
      profile: measured.profile,
      featuriser: { ...config },
    },
  }
}

/** A class of few examples lends none: it would learn worse, and a handful of held-out texts measures nothing. */
const FEWEST_TO_LEND = 30

function split(examples: readonly Example[], share: number): { train: Example[]; heldOut: Example[] } {
  const sizes = new Map<string, number>()
  for (const { label } of examples) sizes.set(label, (sizes.get(label) ?? 0) + 1)
  const lent = ({ text, label }: Example) => sizes.get(label)! >= FEWEST_TO_LEND && isHeldOut(text, share)
  return { train: examples.filter((example) => !lent(example)), heldOut: examples.filter(lent) }
}

function measure(
  linear: LinearModel,
  featuriser: Featuriser,
  sample: readonly Example[],
  labels: readonly string[],
  calibration: readonly Example[] = sample,
) {
  const vectors = sample.map(({ text }) => featuriser.sparse(text))
  const scores = vectors.map((vector) => scoreLinear(linear, vector))
  const truth = sample.map(({ label }) => labels.indexOf(label))
  const temperature = fitTemperature(
    calibration.map(({ text }) => scoreLinear(linear, featuriser.sparse(text))),
    calibration.map(({ label }) => labels.indexOf(label)),
  )
  const probabilities = scores.map((row) => softmax(row, temperature))
  const predicted = new Array<number>(labels.length).fill(0)
  for (const row of probabilities) predicted[largest(row)]! += 1
  const profile: Profile = {
    features: [
      distribution(
        'text.characters',
        sample.map(({ text }) => text.length),
      ),
      distribution(
        'text.terms',
        vectors.map(({ indices }) => indices.length),
      ),
    ],
    classes: predicted.map((count) => round(count / Math.max(1, sample.length))),
  }
  return { temperature, metrics: measureClassifier(truth, probabilities, labels), profile }
}

/** probabilities = softmax((values · weights[indices] + bias) / temperature) */
function classifierGraph(name: string, linear: LinearModel, size: number, temperature: number): Graph {
  return {
    name,
    inputs: SPARSE_INPUTS,
    outputs: [{ name: 'probabilities', type: 'FP32', shape: ['batch', linear.classes] }],
    constants: [
      { name: 'weights', shape: [size, linear.classes], data: linear.weights },
      { name: 'bias', shape: [linear.classes], data: linear.bias },
      { name: 'temperature', shape: [1], data: Float32Array.of(temperature) },
      { name: 'axis', shape: [1], data: BigInt64Array.of(1n) },
    ],
    nodes: [
      { operator: 'Gather', inputs: ['weights', 'indices'], outputs: ['rows'], attributes: { axis: 0 } },
      { operator: 'Unsqueeze', inputs: ['values', 'axis'], outputs: ['row_weights'] },
      { operator: 'MatMul', inputs: ['row_weights', 'rows'], outputs: ['sums'] },
      { operator: 'Squeeze', inputs: ['sums', 'axis'], outputs: ['products'] },
      { operator: 'Add', inputs: ['products', 'bias'], outputs: ['margins'] },
      { operator: 'Div', inputs: ['margins', 'temperature'], outputs: ['scaled'] },
      { operator: 'Softmax', inputs: ['scaled'], outputs: ['probabilities'], attributes: { axis: -1 } },
    ],
  }
}

function withoutUndefined<Options extends object>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options
}
