// Reads an ONNX file the way a customs officer does: walks its protobuf without building it, and refuses what is damaged,
// what needs code we do not have (custom ops) and what points outside its folder (external data). Runs in the probe.
import { lstatSync, realpathSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { TroupeError } from '../../contract/errors.ts'
import { BYTES, VARINT, WireReader } from '../grpc/wire.ts'

export interface OnnxFacts {
  /** Operator set of the standard domain. */
  opset: number
  nodes: number
  domains: string[]
  /** Of the file itself. */
  bytes: number
  externalBytes: number
  /** Graphs within the graph: how often they run (Loop, Scan, If), what is asked decides. */
  subgraphs: boolean
}

/** Domains whose operators are part of every onnxruntime build. */
const KNOWN_DOMAINS = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft'])
const OLDEST_OPSET = 7
const MAX_GRAPH_DEPTH = 16
const MAX_NODES = 200_000

interface Walk {
  folder: string
  opsets: Map<string, number>
  /** Domains of functions that the file itself defines. */
  functions: Set<string>
  used: Set<string>
  nodes: number
  externalBytes: number
  subgraphs: boolean
}

export function scanOnnx(bytes: Buffer, file: string): OnnxFacts {
  const walk: Walk = {
    folder: dirname(file),
    opsets: new Map(),
    functions: new Set(),
    used: new Set(),
    nodes: 0,
    externalBytes: 0,
    subgraphs: false,
  }
  try {
    readModel(new WireReader(bytes), walk)
  } catch (error) {
    if (error instanceof TroupeError) throw error
    throw invalid(`the file is truncated or damaged: ${(error as Error).message}`)
  }
  const opset = walk.opsets.get('') ?? walk.opsets.get('ai.onnx')
  if (opset === undefined) throw invalid('the file names no operator set: not an ONNX model, or damaged')
  if (opset < OLDEST_OPSET) throw invalid(`operator set ${opset} is older than ${OLDEST_OPSET}; export the model anew`)
  if (walk.nodes === 0) throw invalid('the graph has no nodes: not an ONNX model, or damaged')
  const custom = [...walk.used].find((domain) => !KNOWN_DOMAINS.has(domain) && !walk.functions.has(domain))
  if (custom !== undefined) throw invalid(`custom operators of “${custom}” are not allowed`)
  const { nodes, externalBytes, subgraphs } = walk
  return { opset, nodes, domains: [...walk.used], bytes: bytes.length, externalBytes, subgraphs }
}

function invalid(reason: string): TroupeError {
  return new TroupeError('model_invalid', reason)
}

/** Calls back for each length-delimited field; everything else is skipped, but checked to lie within the file. */
function eachPart(reader: WireReader, part: (field: number) => boolean): void {
  while (!reader.done) {
    const tag = reader.tag()
    if ((tag & 7) !== BYTES || !part(tag >>> 3)) reader.skip(tag)
  }
}

/** ModelProto: graph 7, opset_import 8, functions 25. */
function readModel(reader: WireReader, walk: Walk): void {
  let graph: WireReader | undefined
  const functions: WireReader[] = []
  eachPart(reader, (field) => {
    if (field === 7) graph = reader.message()
    else if (field === 8) readOpset(reader.message(), walk)
    else if (field === 25) functions.push(reader.message())
    else return false
    return true
  })
  if (graph === undefined) throw invalid('the file has no graph: not an ONNX model, or damaged')
  for (const each of functions) readFunction(each, walk)
  readGraph(graph, walk, 0)
}

/** OperatorSetIdProto: domain 1, version 2. */
function readOpset(reader: WireReader, walk: Walk): void {
  let domain = ''
  let version = 0
  while (!reader.done) {
    const tag = reader.tag()
    if (tag === 8 + BYTES) domain = reader.string()
    else if (tag === 16 + VARINT) version = reader.int64()
    else reader.skip(tag)
  }
  walk.opsets.set(domain, version)
}

/** FunctionProto: node 7, domain 10. */
function readFunction(reader: WireReader, walk: Walk): void {
  eachPart(reader, (field) => {
    if (field === 7) readNode(reader.message(), walk, 1)
    else if (field === 10) walk.functions.add(reader.string())
    else return false
    return true
  })
}

/** GraphProto: node 1, initializer 5, sparse_initializer 15 (values 1, indices 2). */
function readGraph(reader: WireReader, walk: Walk, depth: number): void {
  if (depth > 0) walk.subgraphs = true
  if (depth > MAX_GRAPH_DEPTH) throw invalid(`graphs nested deeper than ${MAX_GRAPH_DEPTH}`)
  eachPart(reader, (field) => {
    if (field === 1) readNode(reader.message(), walk, depth)
    else if (field === 5) readTensor(reader.message(), walk)
    else if (field === 15) readSparse(reader.message(), walk)
    else return false
    return true
  })
}

/** NodeProto: attribute 5, domain 7. */
function readNode(reader: WireReader, walk: Walk, depth: number): void {
  if (++walk.nodes > MAX_NODES) throw invalid(`more than ${MAX_NODES} nodes`)
  let domain = ''
  eachPart(reader, (field) => {
    if (field === 5) readAttribute(reader.message(), walk, depth)
    else if (field === 7) domain = reader.string()
    else return false
    return true
  })
  walk.used.add(domain)
}

/** AttributeProto: t 5, g 6, tensors 10, graphs 11, sparse_tensor 22, sparse_tensors 23. */
function readAttribute(reader: WireReader, walk: Walk, depth: number): void {
  eachPart(reader, (field) => {
    if (field === 5 || field === 10) readTensor(reader.message(), walk)
    else if (field === 6 || field === 11) readGraph(reader.message(), walk, depth + 1)
    else if (field === 22 || field === 23) readSparse(reader.message(), walk)
    else return false
    return true
  })
}

function readSparse(reader: WireReader, walk: Walk): void {
  eachPart(reader, (field) => {
    if (field !== 1 && field !== 2) return false
    readTensor(reader.message(), walk)
    return true
  })
}

/** TensorProto: external_data 13, a list of key 1 and value 2. */
function readTensor(reader: WireReader, walk: Walk): void {
  const external = new Map<string, string>()
  eachPart(reader, (field) => {
    if (field !== 13) return false
    const entry = reader.message()
    let key = ''
    let value = ''
    eachPart(entry, (part) => {
      if (part === 1) key = entry.string()
      else if (part === 2) value = entry.string()
      else return false
      return true
    })
    external.set(key, value)
    return true
  })
  if (external.size > 0) checkExternal(external, walk)
}

function checkExternal(external: Map<string, string>, walk: Walk): void {
  const location = external.get('location') ?? ''
  const path = resolve(walk.folder, location)
  const inside = path.startsWith(walk.folder + sep) && location !== '' && !location.includes('\0')
  if (!inside) throw invalid(`external data “${location}” lies outside the model’s folder`)
  let size: number
  try {
    // A link inside the folder can still lead out of it.
    const real = realpathSync(path)
    if (!real.startsWith(join(realpathSync(walk.folder), sep))) {
      throw invalid(`external data “${location}” leads outside the model’s folder`)
    }
    size = lstatSync(real).size
  } catch (error) {
    if (error instanceof TroupeError) throw error
    throw invalid(`external data “${location}” is missing`)
  }
  const offset = Number(external.get('offset') ?? 0)
  // Without one it is all there is.
  const length = Number(external.get('length') ?? size - offset)
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
    throw invalid(`external data “${location}” is ${size} bytes; ${length} at ${offset} are wanted`)
  }
  walk.externalBytes += length
}
