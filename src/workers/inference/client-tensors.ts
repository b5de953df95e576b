// What callers have (texts, floats) as the tensors that travel, and back.
import { joinElements, type Tensor } from './tensor.ts'

export function textTensor(texts: readonly string[], name = 'text'): Tensor {
  const bytes = joinElements(texts.map((text) => Buffer.from(text)))
  return { name, datatype: 'BYTES', shape: [texts.length], bytes }
}

export function floatTensor(name: string, shape: number[], values: Float32Array): Tensor {
  return { name, datatype: 'FP32', shape, bytes: Buffer.from(values.buffer, values.byteOffset, values.byteLength) }
}

/** The rows of an FP32 tensor, each its own array. */
export function floatRows({ shape, bytes }: Tensor): Float32Array[] {
  // Copied, because the bytes of a message begin anywhere and floats at multiples of four.
  const all = new Float32Array(new Uint8Array(bytes).buffer)
  const rows = shape[0] ?? 0
  const width = rows === 0 ? 0 : all.length / rows
  return Array.from({ length: rows }, (_, row) => all.slice(row * width, (row + 1) * width))
}
