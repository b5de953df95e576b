// From a text model's raw output to what callers want: one vector a text (pooled, normalised), or a label and
// probabilities.
import { TroupeError } from '../../contract/errors.ts'
import type { ModelJson } from './model-json.ts'
import { joinElements, type Tensor } from './tensor.ts'
import type { Padded } from './text-input.ts'

export interface RawOutput {
  dims: readonly number[]
  data: Float32Array
}

export function embeddingOutput(model: ModelJson, pooled: RawOutput): Tensor[] {
  if (model.normalise ?? true) normalise(pooled.data, pooled.dims[1]!)
  return [floatTensor('embedding', pooled)]
}

export function classifierOutput(model: ModelJson, { dims, data }: RawOutput): Tensor[] {
  const classes = dims[1]!
  const labels = model.labels ?? []
  if (labels.length !== classes) {
    throw new TroupeError('model_invalid', `${labels.length} labels for an output of ${classes} columns`)
  }
  const best: Buffer[] = []
  for (let start = 0; start < data.length; start += classes) {
    const row = data.subarray(start, start + classes)
    if (model.activation === 'softmax') softmax(row)
    else if (model.activation === 'sigmoid') sigmoid(row)
    best.push(Buffer.from(labels[argmax(row)]!))
  }
  const label: Tensor = { name: 'label', datatype: 'BYTES', shape: [best.length], bytes: joinElements(best) }
  return [label, floatTensor('probabilities', { dims, data })]
}

export function argmax(row: ArrayLike<number>): number {
  let best = 0
  for (let index = 1; index < row.length; index++) if (row[index]! > row[best]!) best = index
  return best
}

function floatTensor(name: string, { dims, data }: RawOutput): Tensor {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return { name, datatype: 'FP32', shape: [...dims], bytes }
}

/** [texts, tokens, width] → [texts, width]; two-dimensional outputs are pooled already. Always a copy. */
export function pool(model: ModelJson, raw: RawOutput, mask: Padded['mask']): RawOutput {
  if (raw.dims.length === 2) return { dims: raw.dims, data: Float32Array.from(raw.data) }
  const [texts, tokens, width] = raw.dims
  if (raw.dims.length !== 3 || texts === undefined || tokens === undefined || width === undefined) {
    throw new TroupeError(
      'model_invalid',
      `an output of shape [${raw.dims}] is neither [texts, width] nor token vectors`,
    )
  }
  const mode = model.pooling ?? 'mean'
  if (mode === 'none') throw new TroupeError('model_invalid', `an output of shape [${raw.dims}] needs pooling`)
  const pooled = new Float32Array(texts * width)
  for (let text = 0; text < texts; text++) {
    const used: number[] = []
    for (let token = 0; token < tokens; token++) {
      if (mask === undefined || mask.values[text * tokens + token] === 1) used.push(token)
    }
    const chosen = mode === 'cls' ? used.slice(0, 1) : mode === 'last' ? used.slice(-1) : used
    const target = pooled.subarray(text * width, (text + 1) * width)
    if (mode === 'max') target.fill(Number.NEGATIVE_INFINITY)
    for (const token of chosen) {
      const start = (text * tokens + token) * width
      for (let column = 0; column < width; column++) {
        const value = raw.data[start + column]!
        target[column] = mode === 'max' ? Math.max(target[column]!, value) : target[column]! + value / chosen.length
      }
    }
  }
  return { dims: [texts, width], data: pooled }
}

/** A vector of zeros (a text in which nothing is known) stays one. */
function normalise(data: Float32Array, width: number): void {
  for (let start = 0; start < data.length; start += width) {
    let squares = 0
    for (let index = start; index < start + width; index++) squares += data[index]! ** 2
    const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares)
    for (let index = start; index < start + width; index++) data[index]! *= scale
  }
}

function sigmoid(row: Float32Array): void {
  for (let index = 0; index < row.length; index++) row[index] = 1 / (1 + Math.exp(-row[index]!))
}

function softmax(row: Float32Array): void {
  let largest = Number.NEGATIVE_INFINITY
  for (const value of row) largest = Math.max(largest, value)
  let sum = 0
  for (let index = 0; index < row.length; index++) sum += row[index] = Math.exp(row[index]! - largest)
  for (let index = 0; index < row.length; index++) row[index]! /= sum
}
