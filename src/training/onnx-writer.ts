// Writes an ONNX model file: the few protobuf messages that small models need, laid out by hand, because a general
// protobuf library would bring the whole schema for six messages. The numbers are the field numbers of onnx.proto.
// The same graph always gives the same bytes: nothing here reads a clock, a random number or an environment.
import { TroupeError } from '../contract/errors.ts'

/** Operators and their meaning are those of this version; onnxruntime reads it since 1.12. */
const OPERATOR_SET = 17
const IR_VERSION = 8

export type ElementType = 'FP32' | 'INT8' | 'INT32' | 'INT64'
const ELEMENT: Record<ElementType, number> = { FP32: 1, INT8: 3, INT32: 6, INT64: 7 }

export interface TensorShape {
  name: string
  type: ElementType
  /** A number is fixed; a word (`batch`) names a dimension that each request chooses. */
  shape: readonly (number | string)[]
}

export interface Constant {
  name: string
  shape: readonly number[]
  data: Float32Array | Int8Array | Int32Array | BigInt64Array
}

export type AttributeValue = number | { float: number } | string | readonly number[]

export interface GraphNode {
  operator: string
  inputs: readonly string[]
  outputs: readonly string[]
  /** A bare number is an integer attribute; write `{ float: 1 }` for a float one. */
  attributes?: Readonly<Record<string, AttributeValue>>
}

export interface Graph {
  name: string
  inputs: readonly TensorShape[]
  outputs: readonly TensorShape[]
  constants: readonly Constant[]
  nodes: readonly GraphNode[]
  /** Kept in the file beside the graph; readers show it. */
  metadata?: Readonly<Record<string, string>>
}

export function writeOnnx(graph: Graph): Buffer {
  return message([
    integer(1, IR_VERSION),
    text(2, 'troupe'),
    bytes(7, graphMessage(graph)),
    bytes(8, message([text(1, ''), integer(2, OPERATOR_SET)])),
    ...Object.entries(graph.metadata ?? {}).map(([key, value]) => bytes(14, message([text(1, key), text(2, value)]))),
  ])
}

function graphMessage(graph: Graph): Buffer {
  return message([
    ...graph.nodes.map((node, index) => bytes(1, nodeMessage(node, `${node.operator}_${index}`))),
    text(2, graph.name),
    ...graph.constants.map((constant) => bytes(5, constantMessage(constant))),
    ...graph.inputs.map((input) => bytes(11, shapeMessage(input))),
    ...graph.outputs.map((output) => bytes(12, shapeMessage(output))),
  ])
}

function nodeMessage(node: GraphNode, name: string): Buffer {
  return message([
    ...node.inputs.map((input) => text(1, input)),
    ...node.outputs.map((output) => text(2, output)),
    text(3, name),
    text(4, node.operator),
    ...Object.entries(node.attributes ?? {}).map(([key, value]) => bytes(5, attributeMessage(key, value))),
  ])
}

function attributeMessage(name: string, value: AttributeValue): Buffer {
  if (typeof value === 'number') return message([text(1, name), integer(3, value), integer(20, 2)])
  if (typeof value === 'string') return message([text(1, name), text(4, value), integer(20, 3)])
  if ('float' in value) return message([text(1, name), float(2, value.float), integer(20, 1)])
  return message([text(1, name), ...value.map((item) => integer(8, item)), integer(20, 7)])
}

function constantMessage({ name, shape, data }: Constant): Buffer {
  const count = shape.reduce((product, size) => product * size, 1)
  if (count !== data.length) {
    throw new TroupeError('model_invalid', `constant ${name} has ${data.length} values but its shape holds ${count}`)
  }
  return message([
    ...shape.map((size) => integer(1, size)),
    integer(2, ELEMENT[elementType(data)]),
    text(8, name),
    // Raw data is little-endian by definition, as is every platform that Node 24 runs on.
    bytes(9, Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  ])
}

function elementType(data: Constant['data']): ElementType {
  if (data instanceof Float32Array) return 'FP32'
  if (data instanceof Int8Array) return 'INT8'
  return data instanceof Int32Array ? 'INT32' : 'INT64'
}

function shapeMessage({ name, type, shape }: TensorShape): Buffer {
  const dimensions = shape.map((size) =>
    bytes(1, message([typeof size === 'number' ? integer(1, size) : text(2, size)])),
  )
  const tensor = message([integer(1, ELEMENT[type]), bytes(2, message(dimensions))])
  return message([text(1, name), bytes(2, message([bytes(1, tensor)]))])
}

// The wire format: a field is its number and kind, then a varint, four bytes, or a length and that many bytes.

const VARINT = 0
const LENGTH_DELIMITED = 2
const FOUR_BYTES = 5

function message(fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields)
}

function integer(field: number, value: number): Buffer {
  return Buffer.concat([varint((field << 3) | VARINT), varint(value)])
}

function float(field: number, value: number): Buffer {
  const number = Buffer.alloc(4)
  number.writeFloatLE(value)
  return Buffer.concat([varint((field << 3) | FOUR_BYTES), number])
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value, 'utf8'))
}

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | LENGTH_DELIMITED), varint(value.length), value])
}

/** Seven bits a byte, lowest first. Negative numbers (an axis of -1) are sent as 64-bit two's complement. */
function varint(value: number): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value))
  const encoded: number[] = []
  while (rest > 127n) {
    encoded.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  encoded.push(Number(rest))
  return Buffer.from(encoded)
}
