// Joins the tensors of several requests along the first dimension, and takes the result apart again.
import { TroupeError } from '../../contract/errors.ts'
import type { SpareBuffers } from '../grpc/spare-buffers.ts'
import type { MovedTensor } from './instance-thread.ts'
import type { Tensor } from './tensor.ts'

export interface Part {
  rows: number
  inputs: readonly Tensor[]
}

/** Copied always: these bytes move to another thread, and those that arrived belong to a larger message. */
export function join(parts: readonly Part[], buffers: SpareBuffers): MovedTensor[] {
  const first = parts[0]!
  const rows = parts.reduce((sum, part) => sum + part.rows, 0)
  return first.inputs.map(({ name, datatype, shape }, index) => {
    const length = parts.reduce((sum, part) => sum + part.inputs[index]!.bytes.length, 0)
    const bytes = buffers.take(length)
    let at = 0
    for (const part of parts) {
      bytes.set(part.inputs[index]!.bytes, at)
      at += part.inputs[index]!.bytes.length
    }
    return { name, datatype, bytes, shape: parts.length === 1 ? shape : [rows, ...shape.slice(1)] }
  })
}

export function split(parts: readonly Part[], outputs: readonly MovedTensor[]): Tensor[][] {
  const whole = outputs.map(({ bytes, ...rest }) => ({ ...rest, bytes: Buffer.from(bytes.buffer, 0, bytes.length) }))
  if (parts.length === 1) return [whole]
  const rows = parts.reduce((sum, part) => sum + part.rows, 0)
  const cutters = whole.map((tensor) => cutter(tensor, rows))
  return parts.map((part) => cutters.map((cut) => cut(part.rows)))
}

/** Each call gives the next rows of a tensor. */
function cutter(tensor: Tensor, rows: number): (rows: number) => Tensor {
  const { name, datatype, shape, bytes } = tensor
  if (shape[0] !== rows) throw new TroupeError('model_invalid', `output ${name} has ${shape[0]} rows for ${rows}`)
  const inner = shape.slice(1)
  let at = 0
  return (wanted) => {
    const start = at
    if (datatype === 'BYTES') {
      for (let left = wanted * inner.reduce((product, size) => product * size, 1); left > 0; left--) {
        at += 4 + bytes.readUInt32LE(at)
      }
    } else at += (bytes.length / rows) * wanted
    return { name, datatype, shape: [wanted, ...inner], bytes: bytes.subarray(start, at) }
  }
}
