// Service definitions from the .proto files in protos/, which are the workers' contracts: nothing is generated.
import { resolve } from 'node:path'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { loadSync, type PackageDefinition } from '@grpc/proto-loader'
import { TroupeError } from '../../contract/errors.ts'

const FOLDER = resolve(import.meta.dirname, '..', '..', '..', 'protos')

/** Names as in the file, int64 as number (a string when it does not fit), enums as names, absent fields as defaults. */
const OPTIONS = { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true }

const loaded = new Map<string, PackageDefinition>()

/** A file of protos/, or an absolute path: `loadService('retrieval.proto', 'troupe.retrieval.v1.Retrieval')` */
export function loadService(file: string, name: string): ServiceDefinition {
  let definitions = loaded.get(file)
  if (definitions === undefined) {
    definitions = loadSync(resolve(FOLDER, file), OPTIONS)
    loaded.set(file, definitions)
  }
  const definition = definitions[name]
  if (definition === undefined || 'format' in definition)
    throw new TroupeError('internal', `${file}: no service ${name}`)
  return definition as ServiceDefinition
}
