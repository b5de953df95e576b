// A tensor inside the worker is a name, a datatype, a shape and its raw bytes as they travel: little-endian, row-major;
// BYTES elements each with their length before them. One form for all, so that batching is joining bytes.
import { TroupeError } from '../../contract/errors.ts'
import { DATATYPES, type Datatype, type TensorSpec } from './model-json.ts'

export interface Tensor {
  name: string
  datatype: Datatype
  shape: number[]
  bytes: Buffer
}

/** Bytes of one element; 0 where elements have a length of their own. */
export const ELEMENT_BYTES: Record<Datatype, number> = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: 0,
}

const MAX_DIMENSIONS = 8

export function isDatatype(name: string): name is Datatype {
  return (DATATYPES as readonly string[]).includes(name)
}

/** Refuses a tensor whose bytes do not fill its shape. */
export function checkTensor({ name, datatype, shape, bytes }: Tensor): void {
  const count = elementCount(name, shape)
  const size = ELEMENT_BYTES[datatype]
  if (size === 0) {
    const found = countElements(name, bytes)
    if (found === count) return
    throw new TroupeError(
      'invalid_input',
      `input ${name}: ${found} BYTES elements, its shape [${shape}] holds ${count}`,
    )
  }
  if (bytes.length === count * size) return
  throw new TroupeError(
    'invalid_input',
    `input ${name}: ${bytes.length} bytes of ${datatype}, its shape [${shape}] holds ${count * size}`,
  )
}

/** Refuses what the model cannot take. Returns how many rows of a batch the tensor is. */
export function checkAgainst(spec: TensorSpec, tensor: Tensor): void {
  if (tensor.datatype !== spec.datatype) {
    throw new TroupeError('invalid_input', `input ${spec.name} is ${tensor.datatype}, the model takes ${spec.datatype}`)
  }
  const fits =
    tensor.shape.length === spec.shape.length &&
    spec.shape.every((wanted, index) => wanted === -1 || wanted === tensor.shape[index])
  if (!fits) {
    throw new TroupeError(
      'invalid_input',
      `input ${spec.name} has shape [${tensor.shape}], the model takes [${spec.shape}] (-1: any)`,
    )
  }
}

export function elementCount(name: string, shape: readonly number[]): number {
  if (shape.length > MAX_DIMENSIONS) {
    throw new TroupeError('invalid_input', `${name}: ${shape.length} dimensions, at most ${MAX_DIMENSIONS}`)
  }
  let count = 1
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) throw new TroupeError('invalid_input', `${name}: shape [${shape}]`)
    count *= size
  }
  if (!Number.isSafeInteger(count)) throw new TroupeError('invalid_input', `${name}: shape [${shape}] is too large`)
  return count
}

export function joinElements(elements: readonly Uint8Array[]): Buffer {
  const joined = Buffer.allocUnsafe(elements.reduce((sum, element) => sum + 4 + element.length, 0))
  let at = 0
  for (const element of elements) {
    at = joined.writeUInt32LE(element.length, at)
    joined.set(element, at)
    at += element.length
  }
  return joined
}

export function splitElements(bytes: Buffer): Buffer[] {
  const elements: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at)
    elements.push(bytes.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return elements
}

function countElements(name: string, bytes: Buffer): number {
  let count = 0
  let at = 0
  while (at + 4 <= bytes.length) {
    at += 4 + bytes.readUInt32LE(at)
    count++
  }
  if (at !== bytes.length) throw new TroupeError('invalid_input', `input ${name}: a BYTES element ends past its tensor`)
  return count
}

/** From any datatype's raw bytes to numbers, for people and for drift; 64-bit integers lose what a double cannot hold. */
export function toNumbers({ datatype, bytes }: Pick<Tensor, 'datatype' | 'bytes'>): number[] {
  const size = ELEMENT_BYTES[datatype]
  if (size === 0) throw new TroupeError('invalid_input', 'BYTES are not numbers')
  const read = readerOf(datatype)
  const numbers = new Array<number>(Math.floor(bytes.length / size))
  for (let index = 0; index < numbers.length; index++) numbers[index] = read(bytes, index * size)
  return numbers
}

export function readerOf(datatype: Datatype): (bytes: Buffer, at: number) => number {
  switch (datatype) {
    case 'FP32':
      return (bytes, at) => bytes.readFloatLE(at)
    case 'FP64':
      return (bytes, at) => bytes.readDoubleLE(at)
    case 'INT8':
      return (bytes, at) => bytes.readInt8(at)
    case 'INT16':
      return (bytes, at) => bytes.readInt16LE(at)
    case 'INT32':
      return (bytes, at) => bytes.readInt32LE(at)
    case 'INT64':
      return (bytes, at) => Number(bytes.readBigInt64LE(at))
    case 'UINT64':
      return (bytes, at) => Number(bytes.readBigUInt64LE(at))
    case 'UINT16':
      return (bytes, at) => bytes.readUInt16LE(at)
    case 'UINT32':
      return (bytes, at) => bytes.readUInt32LE(at)
    case 'FP16':
      return (bytes, at) => halfToNumber(bytes.readUInt16LE(at))
    case 'BF16':
      return (bytes, at) => {
        const word = Buffer.alloc(4)
        word.writeUInt16LE(bytes.readUInt16LE(at), 2)
        return word.readFloatLE(0)
      }
    default:
      return (bytes, at) => bytes[at]!
  }
}

function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}
