// The calls of the protocol where speed does not matter: what a model is, which there are, load and unload.
import type { ServiceError } from '@grpc/grpc-js'
import { type Connection, fromGrpcError, loadService } from '../grpc/index.ts'

export interface ModelMetadata {
  name: string
  versions: string[]
  platform: string
  inputs: { name: string; datatype: string; shape: number[] }[]
  outputs: { name: string; datatype: string; shape: number[] }[]
  properties: Record<string, string>
}

export interface ModelState {
  name: string
  version: string
  /** READY, LOADING or UNAVAILABLE. */
  state: string
  /** Why it is unavailable. */
  reason: string
}

export interface ControlCalls {
  metadata(model: string, options?: { version?: string; deadline?: number }): Promise<ModelMetadata>
  models(): Promise<ModelState[]>
  /** Loads a version, by default the newest; throws the reason when the worker refuses it. */
  load(model: string, version?: string): Promise<void>
  unload(model: string, version?: string): Promise<void>
}

export function controlCalls(connection: Connection, where: string, timeoutMs: number): ControlCalls {
  const definition = loadService('inference.proto', 'inference.GRPCInferenceService')

  function ask<Response>(method: string, request: object, deadline = Date.now() + timeoutMs): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = definition[method]!
    return new Promise((resolve, reject) => {
      connection.client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        { deadline },
        (error: ServiceError | null, response: unknown) => {
          if (error === null) resolve(response as Response)
          else reject(fromGrpcError(error, where, 'model_not_found'))
        },
      )
    })
  }

  return {
    metadata: (model, { version = '', deadline } = {}) => ask('ModelMetadata', { name: model, version }, deadline),
    models: async () => (await ask<{ models: ModelState[] }>('RepositoryIndex', {})).models,
    async load(model, version) {
      await ask('RepositoryModelLoad', { model_name: model, parameters: versionParameter(version) })
    },
    async unload(model, version) {
      await ask('RepositoryModelUnload', { model_name: model, parameters: versionParameter(version) })
    },
  }
}

function versionParameter(version: string | undefined): object {
  return version === undefined ? {} : { version: { string_param: version } }
}
