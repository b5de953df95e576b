// Server reflection (v1 and v1alpha): any client can ask this server for its protocol and call it, without a .proto file.
import type { ServiceDefinition } from '@grpc/grpc-js'
import { bidirectional } from './methods.ts'
import { loadService } from './proto.ts'
import { BYTES, WireReader } from './wire.ts'

interface ReflectionRequest {
  message_request?: string
  file_by_filename?: string
  file_containing_symbol?: string
  all_extension_numbers_of_type?: string
}

interface File {
  name: string
  bytes: Buffer
  dependencies: string[]
}

const GRPC_NOT_FOUND = 5
const GRPC_UNIMPLEMENTED = 12

export function reflectionServices(definitions: readonly ServiceDefinition[]) {
  const own = ['v1', 'v1alpha'].map((version) => ({
    file: version === 'v1' ? 'reflection.proto' : 'reflection-v1alpha.proto',
    name: `grpc.reflection.${version}.ServerReflection`,
  }))
  const index = indexOf([...definitions, ...own.map(({ file, name }) => loadService(file, name))])
  return own.map(({ file, name }) => ({
    definition: loadService(file, name),
    methods: {
      ServerReflectionInfo: bidirectional(async function* (requests: AsyncIterable<ReflectionRequest>) {
        for await (const request of requests) yield { original_request: request, ...answer(index, request) }
      }),
    },
  }))
}

interface Index {
  services: string[]
  files: Map<string, File>
  fileOfSymbol: Map<string, File>
}

function answer(index: Index, request: ReflectionRequest): object {
  switch (request.message_request) {
    case 'list_services':
      return { list_services_response: { service: index.services.map((name) => ({ name })) } }
    case 'file_by_filename':
      return descriptors(index, index.files.get(request.file_by_filename ?? ''), request.file_by_filename)
    case 'file_containing_symbol':
      return descriptors(
        index,
        index.fileOfSymbol.get(request.file_containing_symbol ?? ''),
        request.file_containing_symbol,
      )
    case 'all_extension_numbers_of_type':
      return { all_extension_numbers_response: { base_type_name: request.all_extension_numbers_of_type } }
    case 'file_containing_extension':
      return failure(GRPC_NOT_FOUND, 'no extensions here')
    default:
      return failure(GRPC_UNIMPLEMENTED, 'an empty request')
  }
}

function descriptors(index: Index, file: File | undefined, asked = ''): object {
  if (file === undefined) return failure(GRPC_NOT_FOUND, `not found: ${asked}`)
  const wanted = new Set([file])
  for (const each of wanted) {
    for (const name of each.dependencies) {
      const dependency = index.files.get(name)
      if (dependency !== undefined) wanted.add(dependency)
    }
  }
  return { file_descriptor_response: { file_descriptor_proto: [...wanted].map((each) => each.bytes) } }
}

function failure(code: number, message: string): object {
  return { error_response: { error_code: code, error_message: message } }
}

function indexOf(definitions: readonly ServiceDefinition[]): Index {
  const index: Index = { services: [], files: new Map(), fileOfSymbol: new Map() }
  for (const definition of definitions) {
    for (const bytes of descriptorsOf(definition)) {
      const { file, symbols, services } = readFile(bytes)
      // Packages are one file each; every service's root brings its own copies of what it imports.
      if (index.files.has(file.name)) continue
      index.files.set(file.name, file)
      index.services.push(...services)
      for (const symbol of symbols) index.fileOfSymbol.set(symbol, file)
    }
  }
  return index
}

function descriptorsOf(definition: ServiceDefinition): Buffer[] {
  for (const method of Object.values(definition)) {
    // proto-loader puts the descriptors on each message type; grpc-js's own types do not name them.
    const { requestType } = method as { requestType?: { fileDescriptorProtos?: Buffer[] } }
    if (requestType?.fileDescriptorProtos !== undefined) return requestType.fileDescriptorProtos
  }
  return []
}

/** FileDescriptorProto: name 1, package 2, dependency 3, message 4, enum 5, service 6. */
function readFile(bytes: Buffer): { file: File; symbols: string[]; services: string[] } {
  const file: File = { name: '', bytes, dependencies: [] }
  const parts: { field: number; reader: WireReader }[] = []
  let scope = ''
  for (const reader = new WireReader(bytes); !reader.done; ) {
    const tag = reader.tag()
    const field = (tag & 7) === BYTES ? tag >>> 3 : 0
    if (field === 1) file.name = reader.string()
    else if (field === 2) scope = reader.string()
    else if (field === 3) file.dependencies.push(reader.string())
    else if (field >= 4 && field <= 6) parts.push({ field, reader: reader.message() })
    else reader.skip(tag)
  }
  const symbols: string[] = []
  const services: string[] = []
  for (const { field, reader } of parts) {
    const name = readSymbols(reader, scope, field, symbols)
    if (field === 6) services.push(name)
  }
  return { file, symbols, services }
}

/** DescriptorProto: name 1, nested 3, enum 4. EnumDescriptorProto: name 1. ServiceDescriptorProto: name 1, method 2. */
function readSymbols(reader: WireReader, scope: string, kind: number, symbols: string[]): string {
  let name = ''
  const inner: { kind: number; reader: WireReader }[] = []
  while (!reader.done) {
    const tag = reader.tag()
    const field = tag >>> 3
    if (field === 1) name = reader.string()
    else if (kind === 4 && (field === 3 || field === 4)) inner.push({ kind: field + 1, reader: reader.message() })
    else if (kind === 6 && field === 2) inner.push({ kind: 0, reader: reader.message() })
    else reader.skip(tag)
  }
  const full = scope === '' ? name : `${scope}.${name}`
  symbols.push(full)
  for (const each of inner) readSymbols(each.reader, full, each.kind, symbols)
  return full
}
