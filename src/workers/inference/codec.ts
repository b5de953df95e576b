// ModelInfer's messages, read and written by hand. A schema-driven library turns each tensor into arrays of numbers and
// back, which costs more than the model; here raw contents stay views into the message that arrived.
import { TroupeError } from '../../contract/errors.ts'
import { BYTES, VARINT, WireReader, WireWriter } from '../grpc/wire.ts'
import { readContents, writeContents } from './contents.ts'
import { isDatatype, type Tensor } from './tensor.ts'

export type Parameter = boolean | number | string | bigint
export type Parameters = Record<string, Parameter>

export interface InferRequest {
  model: string
  version: string
  id: string
  parameters: Parameters
  inputs: Tensor[]
  /** Names of the wanted outputs; empty: all. */
  outputs: string[]
  /** Whether tensors came, and so are answered, as typed contents. */
  typed: boolean
  /** Why the tensors could not be read. Kept with the request, so that its answer can carry its id. */
  malformed?: TroupeError | undefined
}

export interface InferResponse {
  model: string
  version: string
  id: string
  parameters: Parameters
  outputs: Tensor[]
}

export interface StreamResponse {
  error: string
  response: InferResponse
}

// Field numbers: see protos/inference.proto.
const REQUEST = { outputs: 6, raw: 7 } as const
const RESPONSE = { outputs: 0, raw: 6 } as const
const MAX_TENSORS = 1_000

export function decodeRequest(bytes: Buffer): InferRequest {
  // Written out: taking an object apart and together again costs as much as reading the message.
  const { model, version, id, parameters, tensors, outputs, typed, malformed } = readMessage(
    new WireReader(bytes),
    REQUEST,
  )
  return { model, version, id, parameters, inputs: tensors, outputs, typed, malformed }
}

export function decodeResponse(bytes: Buffer): InferResponse {
  return toResponse(readMessage(new WireReader(bytes), RESPONSE))
}

export function decodeStreamResponse(bytes: Buffer): StreamResponse {
  const reader = new WireReader(bytes)
  let error = ''
  let response: InferResponse | undefined
  while (!reader.done) {
    const tag = reader.tag()
    if (tag === 8 + BYTES) error = reader.string()
    else if (tag === 16 + BYTES) response = toResponse(readMessage(reader.message(), RESPONSE))
    else reader.skip(tag)
  }
  return { error, response: response ?? { model: '', version: '', id: '', parameters: {}, outputs: [] } }
}

interface Message {
  model: string
  version: string
  id: string
  parameters: Parameters
  tensors: Tensor[]
  outputs: string[]
  typed: boolean
  malformed: TroupeError | undefined
}

function toResponse({ malformed, model, version, id, parameters, tensors }: Message): InferResponse {
  if (malformed !== undefined) throw malformed
  return { model, version, id, parameters, outputs: tensors }
}

/** Request and response share fields 1 to 5; then a request has `outputs` and both have raw contents. */
function readMessage(reader: WireReader, fields: { outputs: number; raw: number }): Message {
  const message: Message = {
    model: '',
    version: '',
    id: '',
    parameters: {},
    tensors: [],
    outputs: [],
    typed: false,
    malformed: undefined,
  }
  const contents: (WireReader | undefined)[] = []
  const raw: Buffer[] = []
  while (!reader.done) {
    const tag = reader.tag()
    const field = (tag & 7) === BYTES ? tag >>> 3 : 0
    if (field === 1) message.model = reader.string()
    else if (field === 2) message.version = reader.string()
    else if (field === 3) message.id = reader.string()
    else if (field === 4) readParameter(reader.message(), message.parameters)
    else if (field === 5) contents.push(readTensor(reader.message(), message))
    else if (field !== 0 && field === fields.outputs) message.outputs.push(readName(reader.message()))
    else if (field === fields.raw) raw.push(reader.view())
    else reader.skip(tag)
    if (contents.length > MAX_TENSORS || raw.length > MAX_TENSORS) throw new RangeError(`over ${MAX_TENSORS} tensors`)
  }
  fill(message, contents, raw)
  return message
}

function fill(message: Message, contents: (WireReader | undefined)[], raw: Buffer[]): void {
  const { tensors } = message
  if (raw.length > 0) {
    if (contents.some((reader) => reader !== undefined)) {
      message.malformed ??= new TroupeError('invalid_input', 'typed and raw contents are mixed')
    } else if (raw.length !== tensors.length) {
      message.malformed ??= new TroupeError('invalid_input', `${raw.length} raw contents for ${tensors.length} tensors`)
    }
    for (let index = 0; index < tensors.length; index++) tensors[index]!.bytes = raw[index] ?? EMPTY
    return
  }
  message.typed = tensors.length > 0
  tensors.forEach((tensor, index) => {
    const reader = contents[index]
    if (reader === undefined || message.malformed !== undefined) return
    try {
      tensor.bytes = readContents(tensor.name, tensor.datatype, reader)
    } catch (error) {
      message.malformed = asInvalid(error)
    }
  })
}

function asInvalid(error: unknown): TroupeError {
  return error instanceof TroupeError ? error : new TroupeError('invalid_request', (error as Error).message)
}

const EMPTY = Buffer.alloc(0)

function readTensor(reader: WireReader, message: Message): WireReader | undefined {
  const tensor: Tensor = { name: '', datatype: 'FP32', shape: [], bytes: EMPTY }
  let contents: WireReader | undefined
  let datatype = ''
  while (!reader.done) {
    const tag = reader.tag()
    const field = tag >>> 3
    if (tag === 8 + BYTES) tensor.name = reader.string()
    else if (tag === 16 + BYTES) datatype = reader.string()
    else if (tag === 24 + BYTES) for (const packed = reader.message(); !packed.done; ) tensor.shape.push(packed.int64())
    else if (tag === 24 + VARINT) tensor.shape.push(reader.int64())
    else if (field === 5 && (tag & 7) === BYTES) contents = reader.message()
    else reader.skip(tag)
  }
  if (isDatatype(datatype)) tensor.datatype = datatype
  else message.malformed ??= new TroupeError('invalid_input', `tensor ${tensor.name}: unknown datatype “${datatype}”`)
  message.tensors.push(tensor)
  return contents
}

function readName(reader: WireReader): string {
  let name = ''
  while (!reader.done) {
    const tag = reader.tag()
    if (tag === 8 + BYTES) name = reader.string()
    else reader.skip(tag)
  }
  return name
}

function readParameter(reader: WireReader, parameters: Parameters): void {
  let key = ''
  let value: Parameter | undefined
  while (!reader.done) {
    const tag = reader.tag()
    if (tag === 8 + BYTES) key = reader.string()
    else if (tag === 16 + BYTES) value = readChoice(reader.message())
    else reader.skip(tag)
  }
  // A parameter named like a property of every object must not become one.
  if (value !== undefined && key !== '__proto__') parameters[key] = value
}

function readChoice(reader: WireReader): Parameter | undefined {
  let value: Parameter | undefined
  while (!reader.done) {
    const tag = reader.tag()
    if (tag === 8 + VARINT) value = reader.varint() !== 0
    else if (tag === 16 + VARINT) value = reader.int64()
    else if (tag === 24 + BYTES) value = reader.string()
    else if (tag === 33) value = reader.double()
    else if (tag === 40 + VARINT) value = reader.varint64()
    else reader.skip(tag)
  }
  return value
}

export function encodeRequest(request: InferRequest): Buffer {
  const writer = writeHead(request, request.inputs, request.typed, 0)
  for (const name of request.outputs) {
    const opened = writer.open(6)
    writer.string(1, name).close(opened)
  }
  if (!request.typed) for (const { bytes } of request.inputs) writer.bytes(7, bytes)
  return writer.finish()
}

export function encodeResponse(response: InferResponse, typed: boolean): Buffer {
  return writeResponse(response, typed, 0).finish()
}

/** Tag and length of what a stream's message embeds. */
const STREAM_HEADROOM = 16

export function encodeStreamResponse(error: string, response: InferResponse, typed: boolean): Buffer {
  return writeResponse(response, typed, STREAM_HEADROOM).wrap(2).string(1, error).finish()
}

function writeResponse(response: InferResponse, typed: boolean, headroom: number): WireWriter {
  const asTyped = typed && response.outputs.every(({ datatype }) => datatype !== 'FP16' && datatype !== 'BF16')
  const writer = writeHead(response, response.outputs, asTyped, headroom)
  if (!asTyped) for (const { bytes } of response.outputs) writer.bytes(6, bytes)
  return writer
}

type Head = Pick<InferResponse, 'model' | 'version' | 'id' | 'parameters'>

function writeHead(head: Head, tensors: readonly Tensor[], typed: boolean, headroom: number): WireWriter {
  let size = 256
  for (const { bytes } of tensors) size += bytes.length + 64
  const writer = new WireWriter(size, headroom)
  writer.string(1, head.model).string(2, head.version).string(3, head.id)
  for (const key in head.parameters) writer.bytes(4, encodeParameter(key, head.parameters[key]!))
  for (const tensor of tensors) writeTensor(writer, tensor, typed)
  return writer
}

function writeTensor(writer: WireWriter, tensor: Tensor, typed: boolean): void {
  const opened = writer.open(5)
  writer.string(1, tensor.name).string(2, tensor.datatype)
  if (tensor.shape.length > 0) {
    const shape = writer.open(3)
    for (const size of tensor.shape) size < 0 ? writer.varint64(BigInt(size)) : writer.varint(size)
    writer.close(shape)
  }
  const contents = typed ? writeContents(tensor) : undefined
  if (contents !== undefined) writer.bytes(5, contents)
  writer.close(opened)
}

function encodeParameter(key: string, value: Parameter): Buffer {
  const choice = new WireWriter(32)
  if (typeof value === 'boolean') choice.tag(1, VARINT).varint(value ? 1 : 0)
  else if (typeof value === 'bigint') choice.int64(5, value)
  else if (typeof value === 'string') choice.bytes(3, Buffer.from(value))
  else if (Number.isSafeInteger(value)) choice.int64(2, BigInt(value))
  else choice.double(4, value)
  return new WireWriter(64).string(1, key).bytes(2, choice.finish()).finish()
}
