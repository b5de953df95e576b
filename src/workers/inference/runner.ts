// One loaded model: an onnxruntime session with what surrounds it (tokenizer before, pooling after). `run` holds the
// thread it runs on, so a runner lives in a worker thread (instance-thread.ts) or in the probe's process.
import { join } from 'node:path'
import { InferenceSession, type Tensor as OrtTensor } from 'onnxruntime-node'
import { TroupeError } from '../../contract/errors.ts'
import type { ModelJson, TensorSpec } from './model-json.ts'
import { DATATYPE_OF_ORT, fromOrt, toOrt } from './ort-tensor.ts'
import type { Tensor } from './tensor.ts'
import { textModel } from './text-model.ts'

export type Provider = 'cuda' | 'webgpu' | 'cpu'

export interface PassedOver {
  provider: Provider
  reason: string
}

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
  /** Providers that were wanted more, and why they are not in use. */
  passedOver: PassedOver[]
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
  const { session, provider, passedOver } = await openSession(settings)
  const inputs = session.inputMetadata.map(specOf)
  const outputs = session.outputMetadata.map(specOf)
  const runSession = async (feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>> =>
    (await session.run(feeds)) as Record<string, OrtTensor>
  const core = { inputs, outputs, runSession }
  const { signature, run } =
    settings.model.kind === 'tensor'
      ? tensorModel(settings.model, core)
      : textModel(settings.folder, settings.model, core)
  return { signature: { ...signature, provider, passedOver }, run, release: () => session.release() }
}

/** A session, with what it takes and gives. */
export interface Core {
  inputs: TensorSpec[]
  outputs: TensorSpec[]
  runSession(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>
}

export interface Kind {
  signature: Omit<Signature, 'provider' | 'passedOver'>
  run: Runner['run']
}

/** A provider that this machine lacks throws at creation: the next one is tried, the last one's failure counts. */
async function openSession(
  settings: RunnerSettings,
): Promise<{ session: InferenceSession; provider: Provider; passedOver: PassedOver[] }> {
  const file = join(settings.folder, settings.model.file)
  const passedOver: PassedOver[] = []
  let failure: unknown
  for (const provider of settings.providers) {
    try {
      const session = await InferenceSession.create(file, {
        executionProviders: [provider],
        intraOpNumThreads: settings.threads,
        interOpNumThreads: 1,
        logSeverityLevel: 4,
      })
      return { session, provider, passedOver }
    } catch (error) {
      failure = error
      passedOver.push({ provider, reason: error instanceof Error ? error.message : String(error) })
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
