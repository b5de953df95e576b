// A model that takes texts: encode each, run those of like length together, put the answers back in order.
import { TroupeError } from '../../contract/errors.ts'
import type { ModelJson, TensorSpec } from './model-json.ts'
import { feedToOrt } from './ort-tensor.ts'
import type { Core, Kind } from './runner.ts'
import { splitElements, type Tensor } from './tensor.ts'
import { createTextEncoder, type EncodedText } from './text-input.ts'
import { classifierOutput, embeddingOutput, pool, type RawOutput } from './text-output.ts'

/** Beside the outputs that callers see, for drift only. */
export const TERMS = 'text.terms'

const USUAL_OUTPUTS = [
  'sentence_embedding',
  'embedding',
  'probabilities',
  'logits',
  'last_hidden_state',
  'token_embeddings',
]
// Terms of one run, padding included. A run of 64 long texts would otherwise need gigabytes between its operators, and
// onnxruntime keeps the most it ever needed.
const TERMS_OF_A_RUN = 16_384

export function textModel(folder: string, model: ModelJson, core: Core): Kind {
  const output = outputOf(model, core)
  const encoder = createTextEncoder(
    folder,
    model,
    core.inputs.map(({ name }) => name),
  )
  const datatypes = new Map(core.inputs.map(({ name, datatype }) => [name, datatype]))
  const classifies = model.kind === 'text-classifier'
  const watchesTerms = model.profile?.features.some(({ name }) => name === TERMS) ?? false

  async function runTogether(texts: readonly EncodedText[]): Promise<RawOutput> {
    const { feeds, mask } = encoder.pad(texts)
    const tensors = Object.entries(feeds).map(([name, feed]) => [name, feedToOrt(name, feed, datatypes.get(name))])
    const result = (await core.runSession(Object.fromEntries(tensors)))[output.name]!
    if (!(result.data instanceof Float32Array)) throw new TroupeError('model_invalid', `${output.name} is no FP32`)
    return pool(model, { dims: result.dims, data: result.data }, mask)
  }

  return {
    signature: {
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [-1] }],
      outputs: outputsOf(model, output),
      batches: true,
    },
    async run([input]) {
      const texts = splitElements(input!.bytes).map((bytes) => encoder.encode(bytes.toString('utf8')))
      const runs = likeLengths(texts.map(({ terms }) => terms))
      let all: RawOutput = { dims: [0, 0], data: new Float32Array(0) }
      for (const rows of runs) {
        const { dims, data } = await runTogether(rows.map((row) => texts[row]!))
        const width = dims[1]!
        if (all.dims[0] === 0) all = { dims: [texts.length, width], data: new Float32Array(texts.length * width) }
        for (const [at, row] of rows.entries()) all.data.set(data.subarray(at * width, (at + 1) * width), row * width)
      }
      const answer = classifies ? classifierOutput(model, all) : embeddingOutput(model, all)
      return watchesTerms ? [...answer, termsTensor(texts)] : answer
    },
  }
}

/** Which rows run together: sorted by length, so that little is padding, and bounded in terms. */
export function likeLengths(lengths: readonly number[]): number[][] {
  const order = lengths.map((_, row) => row).sort((one, other) => lengths[one]! - lengths[other]!)
  const runs: number[][] = []
  let run: number[] = []
  for (const row of order) {
    // Ascending: this one is the longest of its run.
    if (run.length > 0 && (run.length + 1) * lengths[row]! > TERMS_OF_A_RUN) {
      runs.push(run)
      run = []
    }
    run.push(row)
  }
  return run.length === 0 ? runs : [...runs, run]
}

function outputOf(model: ModelJson, core: Core): TensorSpec {
  const names = core.outputs.map(({ name }) => name)
  const wanted = model.output ?? USUAL_OUTPUTS.find((name) => names.includes(name)) ?? names[0]
  const found = core.outputs.find(({ name }) => name === wanted)
  if (found === undefined)
    throw new TroupeError('model_invalid', `no output ${wanted}; the file has ${names.join(', ')}`)
  return found
}

function outputsOf(model: ModelJson, { shape }: TensorSpec): TensorSpec[] {
  if (model.kind === 'text-embedder') return [{ name: 'embedding', datatype: 'FP32', shape: [-1, shape.at(-1) ?? -1] }]
  return [
    { name: 'label', datatype: 'BYTES', shape: [-1] },
    { name: 'probabilities', datatype: 'FP32', shape: [-1, model.labels?.length ?? -1] },
  ]
}

function termsTensor(texts: readonly EncodedText[]): Tensor {
  const terms = Int32Array.from(texts, (text) => text.terms)
  return { name: TERMS, datatype: 'INT32', shape: [terms.length], bytes: Buffer.from(terms.buffer) }
}
