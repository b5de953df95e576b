// Does a loaded model answer? It runs on made-up inputs; what comes back must be what its signature promises. The same
// run warms the session up.
import { TroupeError } from '../../contract/errors.ts'
import type { TensorSpec } from './model-json.ts'
import type { Runner } from './runner.ts'
import { ELEMENT_BYTES, elementCount, joinElements, readerOf, type Tensor } from './tensor.ts'

const ROWS = 2
// A dimension that each request chooses may still have a smallest size that works (an image under a convolution).
const SIZES_TO_TRY = [1, 8, 64, 224]
const MAX_SAMPLE_BYTES = 256 * 1024 * 1024

export async function checkHealth(runner: Runner): Promise<void> {
  const { inputs, outputs } = runner.signature
  const free = inputs.some(({ shape }) => shape.slice(1).includes(-1))
  let failure: unknown
  for (const size of free ? SIZES_TO_TRY : [1]) {
    const sample = inputs.map((spec) => sampleOf(spec, size, runner.signature.batches ? ROWS : 1))
    try {
      checkOutputs(outputs, await runner.run(sample), runner.signature.batches)
      return
    } catch (error) {
      failure ??= error
    }
  }
  throw failure
}

function sampleOf({ name, datatype, shape }: TensorSpec, size: number, rows: number): Tensor {
  const filled = shape.map((wanted, index) => (wanted !== -1 ? wanted : index === 0 ? rows : size))
  const count = elementCount(name, filled)
  if (count * (ELEMENT_BYTES[datatype] || 32) > MAX_SAMPLE_BYTES) {
    throw new TroupeError('model_invalid', `input ${name} of shape [${shape}] is too large to try`)
  }
  const bytes =
    datatype === 'BYTES'
      ? joinElements(new Array<Buffer>(count).fill(Buffer.from('Is everything all right?')))
      : Buffer.alloc(count * ELEMENT_BYTES[datatype])
  return { name, datatype, shape: filled, bytes }
}

function checkOutputs(specs: readonly TensorSpec[], outputs: readonly Tensor[], batches: boolean): void {
  for (const spec of specs) {
    const output = outputs.find(({ name }) => name === spec.name)
    if (output === undefined) throw new TroupeError('model_invalid', `output ${spec.name} is missing`)
    const fits =
      spec.shape.length === 0 ||
      (output.shape.length === spec.shape.length &&
        spec.shape.every((wanted, index) => wanted === -1 || wanted === output.shape[index]))
    if (!fits) {
      throw new TroupeError('model_invalid', `output ${spec.name} has shape [${output.shape}], not [${spec.shape}]`)
    }
    if (batches && output.shape[0] !== ROWS) {
      throw new TroupeError('model_invalid', `output ${spec.name} of ${ROWS} rows has shape [${output.shape}]`)
    }
    if (allNaN(output)) throw new TroupeError('model_invalid', `output ${spec.name} is NaN throughout`)
  }
}

function allNaN({ datatype, bytes }: Tensor): boolean {
  if (datatype !== 'FP32' && datatype !== 'FP64') return false
  const read = readerOf(datatype)
  const size = ELEMENT_BYTES[datatype]
  for (let at = 0; at < bytes.length; at += size) if (!Number.isNaN(read(bytes, at))) return false
  return bytes.length > 0
}
