// Typed tensor contents (`fp32_contents` and its siblings), turned into raw bytes and back. Raw is what the worker
// computes with; typed is what people write by hand and what some clients insist on.
import { TroupeError } from '../../contract/errors.ts'
import { BYTES, FIXED32, FIXED64, VARINT, type WireReader, WireWriter } from '../grpc/wire.ts'
import type { Datatype } from './model-json.ts'
import { ELEMENT_BYTES, joinElements, readerOf, splitElements, type Tensor } from './tensor.ts'

/** The field of InferTensorContents that carries a datatype; FP16 and BF16 have none and travel raw only. */
const FIELD: Partial<Record<Datatype, number>> = {
  BOOL: 1,
  INT8: 2,
  INT16: 2,
  INT32: 2,
  INT64: 3,
  UINT8: 4,
  UINT16: 4,
  UINT32: 4,
  UINT64: 5,
  FP32: 6,
  FP64: 7,
  BYTES: 8,
}

export function readContents(name: string, datatype: Datatype, reader: WireReader): Buffer {
  const field = FIELD[datatype]
  if (field === undefined)
    throw new TroupeError('invalid_input', `input ${name}: ${datatype} travels in raw contents only`)
  const pieces: Buffer[] = []
  const numbers: bigint[] = []
  while (!reader.done) {
    const tag = reader.tag()
    if (tag >>> 3 !== field) {
      throw new TroupeError('invalid_input', `input ${name}: contents of another datatype than ${datatype}`)
    }
    const wireType = tag & 7
    if (field === 8 && wireType === BYTES) pieces.push(reader.view())
    else if (field === 6 || field === 7) pieces.push(readFloats(reader, field, wireType))
    else if (field < 6 && wireType === BYTES) {
      for (const packed = reader.message(); !packed.done; ) numbers.push(packed.varint64())
    } else if (field < 6 && wireType === VARINT) numbers.push(reader.varint64())
    else throw new TroupeError('invalid_input', `input ${name}: wire type ${wireType} in its contents`)
  }
  if (field === 8) return joinElements(pieces)
  return field >= 6 ? Buffer.concat(pieces) : integers(name, datatype, numbers)
}

/** Packed floats already are raw bytes. */
function readFloats(reader: WireReader, field: number, wireType: number): Buffer {
  if (wireType === BYTES) return reader.view()
  if (wireType !== (field === 6 ? FIXED32 : FIXED64)) throw new RangeError(`wire type ${wireType} in float contents`)
  const size = field === 6 ? 4 : 8
  const one = Buffer.alloc(size)
  if (field === 6) one.writeFloatLE(reader.float())
  else one.writeDoubleLE(reader.double())
  return one
}

function integers(name: string, datatype: Datatype, values: readonly bigint[]): Buffer {
  const size = ELEMENT_BYTES[datatype]
  const bits = size * 8
  const signed = datatype.startsWith('INT')
  const bytes = Buffer.alloc(values.length * size)
  values.forEach((value, index) => {
    // Negative numbers arrive as 64-bit two's complement, even for int32.
    const number = signed ? BigInt.asIntN(64, value) : datatype === 'BOOL' ? BigInt(value !== 0n) : value
    const inRange = signed ? BigInt.asIntN(bits, number) === number : BigInt.asUintN(bits, number) === number
    if (!inRange) throw new TroupeError('invalid_input', `input ${name}: ${number} does not fit ${datatype}`)
    if (size === 8) bytes.writeBigUInt64LE(BigInt.asUintN(64, number), index * 8)
    else bytes.writeUIntLE(Number(BigInt.asUintN(bits, number)), index * size, size)
  })
  return bytes
}

/** Undefined where the datatype can only travel raw. */
export function writeContents({ datatype, bytes }: Tensor): Buffer | undefined {
  const field = FIELD[datatype]
  if (field === undefined) return undefined
  const writer = new WireWriter(bytes.length + 16)
  if (field === 8) for (const element of splitElements(bytes)) writer.bytes(8, element)
  else if (field >= 6) writer.bytes(field, bytes)
  else writer.bytes(field, packIntegers(datatype, bytes))
  return writer.finish()
}

function packIntegers(datatype: Datatype, bytes: Buffer): Buffer {
  const size = ELEMENT_BYTES[datatype]
  const packed = new WireWriter(bytes.length * 2)
  const read = readerOf(datatype)
  for (let at = 0; at < bytes.length; at += size) {
    packed.varint64(size === 8 ? bytes.readBigUInt64LE(at) : BigInt(read(bytes, at)))
  }
  return packed.finish()
}
