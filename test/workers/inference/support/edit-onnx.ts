// Changes single things in an ONNX file, so that a test can make a bad one out of a good one.
import { BYTES, VARINT, WireReader, WireWriter } from '../../../../src/workers/grpc/wire.ts'

export interface Edits {
  /** Domain of the first node. */
  domain?: string
  /** Operator of the first node. */
  operator?: string
  /** The first node gets a graph of its own, as Loop and If have. */
  subgraph?: boolean
  opset?: number
  /** Keep the first constant's data in this file instead. */
  external?: string
}

export function editOnnx(model: Buffer, edits: Edits): Buffer {
  return rewrite(model, (field, value) => {
    if (field === 7) return editGraph(value, edits)
    if (field === 8 && edits.opset !== undefined) return new WireWriter().string(1, '').number(2, edits.opset).finish()
    return value
  })
}

function editGraph(graph: Buffer, edits: Edits): Buffer {
  let nodes = 0
  let constants = 0
  return rewrite(graph, (field, value) => {
    if (field === 1 && nodes++ === 0) return editNode(value, edits)
    if (field === 5 && constants++ === 0 && edits.external !== undefined) return externalise(value, edits.external)
    return value
  })
}

function editNode(node: Buffer, { domain, operator, subgraph }: Edits): Buffer {
  const pieces = [
    rewrite(node, (field, value) => (field === 4 && operator !== undefined ? Buffer.from(operator) : value)),
  ]
  if (domain !== undefined) pieces.push(new WireWriter().string(7, domain).finish())
  if (subgraph === true) {
    const body = new WireWriter().string(1, 'body').bytes(6, new WireWriter().string(2, 'inner').finish())
    pieces.push(new WireWriter().bytes(5, body.finish()).finish())
  }
  return Buffer.concat(pieces)
}

/** TensorProto: raw_data 9, external_data 13, data_location 14. */
function externalise(tensor: Buffer, location: string): Buffer {
  const kept = rewrite(tensor, (field, value) => (field === 9 ? undefined : value))
  const entry = new WireWriter().string(1, 'location').string(2, location).finish()
  return Buffer.concat([kept, new WireWriter().bytes(13, entry).tag(14, VARINT).varint(1).finish()])
}

/** Copies a message; `change` may replace or drop each length-delimited field. */
function rewrite(message: Buffer, change: (field: number, value: Buffer) => Buffer | undefined): Buffer {
  const pieces: Buffer[] = []
  for (const reader = new WireReader(message); !reader.done; ) {
    const start = reader.position
    const tag = reader.tag()
    if ((tag & 7) === BYTES) {
      const value = change(tag >>> 3, reader.view())
      if (value !== undefined) pieces.push(new WireWriter().bytes(tag >>> 3, value).finish())
    } else {
      reader.skip(tag)
      pieces.push(message.subarray(start, reader.position))
    }
  }
  return Buffer.concat(pieces)
}
