// One loaded model: an onnxruntime session with what surrounds it (tokenizer before, pooling after). `run` holds the
// thread it runs on, so a runner lives in a worker thread (instance-thread.ts) or in the probe's process.
import { join } from 'node:path'
import { InferenceSession, type Tensor as OrtTensor } from 'onnxruntime-node'
import { TroupeError } from '../../contract/errors.ts'
import type { ModelJson, TensorSpec } from './model-json.ts'
import { DATATYPE_OF_ORT, feedToOrt, fromOrt, toOrt } from './ort-tensor.ts'
import { splitElements, type Tensor } from './tensor.ts'
import { createTextEncoder } from './text-input.ts'
import { classifierOutput, embeddingOutput } from './text-output.ts'

export type Provider = 'cuda' | 'webgpu' | 'cpu'

export interface RunnerSettings {
  folder: string
  model: ModelJson
  /** Tried in order. */
  providers: readonly Provider[]
  /** Threads that one run may use. */
  threads: number
}

/** What callers see of a loaded model. */
export interface Signature {
  provider: Provider
  inputs: TensorSpec[]
  outputs: TensorSpec[]
  /** Whether requests may be joined along the first dimension. */
  batches: boolean
}

export interface Runner {
  signature: Signature
  run(inputs: readonly Tensor[]): Promise<Tensor[]>
  release(): Promise<void>
}

export async function createRunner(settings: RunnerSettings): Promise<Runner> {
  const { session, provider } = await openSession(settings)
  const inputs = session.inputMetadata.map(specOf)
  const outputs = session.outputMetadata.map(specOf)
  const runSession = async (feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>> =>
    (await session.run(feeds)) as Record<string, OrtTensor>
  const core = { inputs, outputs, runSession }
  const { signature, run } =
    settings.model.kind === 'tensor' ? tensorModel(settings.model, core) : textModel(settings, core)
  return { signature: { ...signature, provider }, run, release: () => session.release() }
}

interface Core {
  inputs: TensorSpec[]
  outputs: TensorSpec[]
  runSession(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>
}

interface Kind {
  signature: Omit<Signature, 'provider'>
  run: Runner['run']
}

/** A provider that this machine lacks throws at creation: the next one is tried, the last one's failure counts. */
async function openSession(settings: RunnerSettings): Promise<{ session: InferenceSession; provider: Provider }> {
  const file = join(settings.folder, settings.model.file)
  let failure: unknown
  for (const provider of settings.providers) {
    try {
      const session = await InferenceSession.create(file, {
        executionProviders: [provider],
        intraOpNumThreads: settings.threads,
        interOpNumThreads: 1,
        logSeverityLevel: 4,
      })
      return { session, provider }
    } catch (error) {
      failure = error
    }
  }
  throw new TroupeError('model_invalid', `onnxruntime does not load it: ${(failure as Error).message}`, {
    cause: failure,
  })
}

function specOf(value: InferenceSession.ValueMetadata): TensorSpec {
  if (!value.isTensor) throw new TroupeError('model_invalid', `${value.name} is no tensor`)
  const datatype = DATATYPE_OF_ORT[value.type]
  if (datatype === undefined)
    throw new TroupeError('model_invalid', `${value.name} is ${value.type}, which cannot travel`)
  return { name: value.name, datatype, shape: value.shape.map((size) => (typeof size === 'number' ? size : -1)) }
}

function tensorModel(model: ModelJson, core: Core): Kind {
  const all = [...core.inputs, ...core.outputs]
  const batches = core.inputs.length > 0 && all.every(({ shape }) => shape[0] === -1)
  return {
    signature: { inputs: model.inputs ?? core.inputs, outputs: model.outputs ?? core.outputs, batches },
    async run(inputs) {
      const feeds: Record<string, OrtTensor> = {}
      for (const input of inputs) feeds[input.name] = toOrt(input)
      const results = await core.runSession(feeds)
      return core.outputs.map(({ name }) => fromOrt(name, results[name]!))
    },
  }
}

const USUAL_OUTPUTS = [
  'sentence_embedding',
  'embedding',
  'probabilities',
  'logits',
  'last_hidden_state',
  'token_embeddings',
]

function textModel({ folder, model }: RunnerSettings, core: Core): Kind {
  const names = core.outputs.map(({ name }) => name)
  const output = model.output ?? USUAL_OUTPUTS.find((name) => names.includes(name)) ?? names[0] ?? ''
  const spec = core.outputs.find(({ name }) => name === output)
  if (spec === undefined)
    throw new TroupeError('model_invalid', `no output ${output}; the file has ${names.join(', ')}`)
  const encode = createTextEncoder(
    folder,
    model,
    core.inputs.map(({ name }) => name),
  )
  const datatypes = new Map(core.inputs.map(({ name, datatype }) => [name, datatype]))
  const classifies = model.kind === 'text-classifier'
  const width = classifies ? (model.labels?.length ?? -1) : (spec.shape.at(-1) ?? -1)
  const outputs: TensorSpec[] = classifies
    ? [
        { name: 'label', datatype: 'BYTES', shape: [-1] },
        { name: 'probabilities', datatype: 'FP32', shape: [-1, width] },
      ]
    : [{ name: 'embedding', datatype: 'FP32', shape: [-1, width] }]
  return {
    signature: { inputs: [{ name: 'text', datatype: 'BYTES', shape: [-1] }], outputs, batches: true },
    async run([input]) {
      const texts = splitElements(input!.bytes).map((bytes) => bytes.toString('utf8'))
      const { feeds, mask } = encode(texts)
      const tensors: Record<string, OrtTensor> = {}
      for (const [name, feed] of Object.entries(feeds)) tensors[name] = feedToOrt(name, feed, datatypes.get(name))
      const result = (await core.runSession(tensors))[output]!
      if (!(result.data instanceof Float32Array)) throw new TroupeError('model_invalid', `output ${output} is no FP32`)
      const raw = { dims: result.dims, data: result.data }
      return classifies ? classifierOutput(model, raw, mask) : embeddingOutput(model, raw, mask)
    },
  }
}
