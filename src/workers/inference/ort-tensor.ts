// Tensors of the wire to tensors of onnxruntime and back.
import { Tensor as OrtTensor } from 'onnxruntime-node'
import { TroupeError } from '../../contract/errors.ts'
import type { Datatype } from './model-json.ts'
import { elementCount, joinElements, splitElements, type Tensor } from './tensor.ts'
import type { Feed } from './text-input.ts'

export const DATATYPE_OF_ORT: Record<string, Datatype> = {
  float32: 'FP32',
  float64: 'FP64',
  float16: 'FP16',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  bool: 'BOOL',
  string: 'BYTES',
}

const ARRAY = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const

const ORT_OF_DATATYPE = new Map(Object.entries(DATATYPE_OF_ORT).map(([type, datatype]) => [datatype, type]))

export function toOrt({ name, datatype, shape, bytes }: Tensor): OrtTensor {
  const type = ORT_OF_DATATYPE.get(datatype)
  if (type === 'string') {
    return new OrtTensor(
      'string',
      splitElements(bytes).map((element) => element.toString('utf8')),
      shape,
    )
  }
  if (type === undefined) throw new TroupeError('invalid_input', `input ${name}: ${datatype} is not supported`)
  const kind = ARRAY[type as keyof typeof ARRAY]
  const size = kind.BYTES_PER_ELEMENT
  // A view where the bytes are aligned (as the batcher lays them), a copy where they are not.
  const aligned = bytes.byteOffset % size === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer)
  const data = new kind(aligned.buffer as ArrayBuffer, aligned.byteOffset, elementCount(name, shape))
  const unusual = data instanceof Float32Array ? mayHoldNaN32(data) : data instanceof Float64Array && mayHoldNaN64(data)
  if (unusual && (data as Float32Array).some(Number.isNaN)) {
    throw new TroupeError('invalid_input', `input ${name} of shape [${shape}] holds NaN`)
  }
  return new OrtTensor(type as 'float32', data as Float32Array, shape)
}

// Every number of every request is looked at, so this must cost less than the model: nothing is compared, all are summed
// after a multiplication by zero, which gives zero unless a NaN (or an infinity, which is allowed) is among them. Four
// sums do not wait for one another; one function for each kind of array stays fast, one for both would not (measured:
// a third of the thread's time).
function mayHoldNaN32(data: Float32Array): boolean {
  let [one, two, three, four] = [0, 0, 0, 0]
  const whole = data.length & ~3
  for (let index = 0; index < whole; index += 4) {
    one += data[index]! * 0
    two += data[index + 1]! * 0
    three += data[index + 2]! * 0
    four += data[index + 3]! * 0
  }
  for (let index = whole; index < data.length; index++) one += data[index]! * 0
  return one + two + three + four !== 0
}

function mayHoldNaN64(data: Float64Array): boolean {
  let sum = 0
  for (let index = 0; index < data.length; index++) sum += data[index]! * 0
  return sum !== 0
}

export function fromOrt(name: string, tensor: OrtTensor): Tensor {
  const datatype = DATATYPE_OF_ORT[tensor.type]!
  const shape = [...tensor.dims]
  if (datatype === 'BYTES') {
    const elements = (tensor.data as string[]).map((text) => Buffer.from(text))
    return { name, datatype, shape, bytes: joinElements(elements) }
  }
  const data = tensor.data as Uint8Array
  // Copied: the session's own memory cannot be handed to another thread.
  const bytes = Buffer.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice().buffer)
  return { name, datatype, shape, bytes }
}

/** The numbers that a text became, in the type that the session wants. */
export function feedToOrt(name: string, { shape, values }: Feed, datatype: Datatype | undefined): OrtTensor {
  if (datatype === 'INT64')
    return new OrtTensor('int64', BigInt64Array.from(values as ArrayLike<number>, BigInt), shape)
  if (datatype === 'INT32') return new OrtTensor('int32', Int32Array.from(values), shape)
  if (datatype === 'FP32') return new OrtTensor('float32', Float32Array.from(values), shape)
  throw new TroupeError('model_invalid', `input ${name} is ${datatype}, a text model takes INT64, INT32 or FP32`)
}
