// The rpcs of inference.GRPCInferenceService, each a translation between the protocol and the repository.
import { type ErrorCode, TroupeError, toTroupeError } from '../../contract/errors.ts'
import {
  type Call,
  continueTrace,
  duplex,
  type GrpcService,
  loadService,
  type MessageStream,
  Undecodable,
  unary,
} from '../grpc/index.ts'
import { statusMessage } from '../grpc/status.ts'
import {
  decodeRequest,
  encodeResponse,
  encodeStreamResponse,
  type InferRequest,
  type InferResponse,
  type Parameters,
} from './codec.ts'
import type { Measurements } from './measurements.ts'
import type { ModelRepository } from './repository.ts'
import type { ServedModel } from './served-model.ts'
import type { Tensor } from './tensor.ts'

const NAME = 'inference.GRPCInferenceService'
const EXTENSIONS = ['binary_tensor_data', 'model_repository', 'classification_of_text', 'embedding_of_text']
// Requests of one stream that are being worked on; further ones stay unread, so that one stream cannot fill the memory.
const STREAM_CONCURRENCY = 2_048

interface NameAndVersion {
  name: string
  version: string
}
interface RepositoryRequest {
  model_name: string
  parameters: Record<string, { string_param?: string }>
}

export function inferenceService(
  repository: ModelRepository,
  measurements: Measurements,
  version: string,
): GrpcService {
  const definition = loadService('inference.proto', NAME)
  const infer = definition.ModelInfer!
  const stream = definition.ModelStreamInfer!
  return {
    definition: {
      ...definition,
      // The hot messages go through codec.ts; handlers give their responses as bytes.
      ModelInfer: { ...infer, requestDeserialize: decodeRequest, responseSerialize: asIs },
      ModelStreamInfer: { ...stream, requestDeserialize: decodeRequest, responseSerialize: asIs },
    },
    methods: {
      ServerLive: unary(() => ({ live: true })),
      // It listens only after its models were loaded; a model that is loaded later must not make it look unready.
      ServerReady: unary((_, call) => ({ ready: !call.draining.aborted })),
      ModelReady: unary(({ name, version: wanted }: NameAndVersion) => ({ ready: isReady(repository, name, wanted) })),
      ServerMetadata: unary(() => ({ name: 'troupe', version, extensions: EXTENSIONS })),
      ModelMetadata: unary(({ name, version: wanted }: NameAndVersion) => metadataOf(repository, name, wanted)),
      ModelInfer: unary((request: InferRequest, call) => inferOnce(repository, measurements, request, call)),
      ModelStreamInfer: duplex<InferRequest, Buffer>((rpc, call) => inferStream(repository, measurements, rpc, call)),
      RepositoryIndex: unary(({ ready }: { ready: boolean }) => {
        const models = repository.index().map((entry) => ({
          ...entry,
          state: entry.state === 'UNLOADED' ? 'UNAVAILABLE' : entry.state,
        }))
        return { models: ready ? models.filter(({ state }) => state === 'READY') : models }
      }),
      RepositoryModelLoad: unary(async ({ model_name: name, parameters }: RepositoryRequest) => {
        await repository.load(name, parameters.version?.string_param)
        return {}
      }),
      RepositoryModelUnload: unary(async ({ model_name: name, parameters }: RepositoryRequest) => {
        await repository.unload(name, parameters.version?.string_param)
        return {}
      }),
    },
  }
}

function asIs(bytes: Buffer): Buffer {
  return bytes
}

function isReady(repository: ModelRepository, name: string, version: string): boolean {
  const versions = repository.readyVersions(name)
  return version === '' ? versions.length > 0 : versions.includes(version)
}

function metadataOf(repository: ModelRepository, name: string, version: string): object {
  const served = repository.get(name, version)
  const { model, sha256 } = served.options
  const { inputs, outputs, provider, batches } = served.signature
  const properties: Record<string, string> = {
    kind: model.kind,
    version: served.options.version,
    execution_provider: provider,
    batches: String(batches),
    sha256,
  }
  // `cpu` where a GPU was wanted should explain itself.
  const { passedOver } = served.options
  if (passedOver.length > 0) properties.providers_passed_over = JSON.stringify(passedOver)
  if (model.description !== undefined) properties.description = model.description
  if (model.labels !== undefined) properties.labels = JSON.stringify(model.labels)
  if (model.metrics !== undefined) properties.metrics = JSON.stringify(model.metrics)
  if (model.lineage !== undefined) properties.lineage = JSON.stringify(model.lineage)
  return { name, versions: repository.readyVersions(name), platform: 'onnxruntime_onnx', inputs, outputs, properties }
}

function inferOnce(
  repository: ModelRepository,
  measurements: Measurements,
  request: InferRequest,
  call: Call,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const served = repository.get(request.model, request.version)
    const deadline = Math.min(call.deadline, deadlineOf(request.parameters))
    const cancel = served.submit(request, deadline, (error, outputs) => {
      measurements.answered(served.options, error?.code ?? 'ok')
      if (error !== null) reject(error)
      else resolve(encodeResponse(responseTo(request, served, outputs), request.typed))
    })
    call.signal.addEventListener('abort', cancel, { once: true })
  })
}

type Stream = MessageStream<InferRequest | Undecodable, Buffer>

/** Answers each request as it finishes; an error of one request is a message, never the end of the stream. */
function inferStream(repository: ModelRepository, measurements: Measurements, rpc: Stream, call: Call): Promise<void> {
  return new Promise((resolve) => {
    const cancels = new Set<() => void>()
    let open = 0
    let ended = false
    const settle = (): void => {
      if (ended && open === 0) resolve()
    }
    const end = (): void => {
      ended = true
      settle()
    }
    const reply = (bytes: Buffer): void => {
      open--
      // A caller that does not read its answers is not read either, until it does.
      if (!call.signal.aborted && !rpc.send(bytes)) rpc.pause()
      else if (open < STREAM_CONCURRENCY && rpc.paused && !rpc.needsDrain) rpc.resume()
      settle()
    }
    rpc.onDrain(() => rpc.resume())
    rpc.onMessage((request, memory) => {
      if (++open >= STREAM_CONCURRENCY) rpc.pause()
      if (request instanceof Undecodable) {
        rpc.giveBack(memory)
        reply(failure('', new TroupeError('invalid_request', `undecodable message: ${request.reason}`)))
        return
      }
      try {
        const served = repository.get(request.model, request.version)
        const span = continueTrace(traceOf(request), `infer ${served.options.name}`, {
          'gen_ai.request.model': served.options.name,
          'troupe.model.version': served.options.version,
        })
        const cancel = served.submit(request, deadlineOf(request.parameters), (error, outputs) => {
          span.end(error?.code)
          cancels.delete(cancel)
          rpc.giveBack(memory)
          measurements.answered(served.options, error?.code ?? 'ok')
          reply(
            error === null
              ? encodeStreamResponse('', responseTo(request, served, outputs), request.typed)
              : failure(request.id, error),
          )
        })
        cancels.add(cancel)
      } catch (error) {
        rpc.giveBack(memory)
        reply(failure(request.id, toTroupeError(error)))
      }
    })
    rpc.onEnd(end)
    // A stream has no end of its own: a drain ends it when what it asked is answered, and clients open another one.
    call.draining.addEventListener('abort', end, { once: true })
    call.signal.addEventListener(
      'abort',
      () => {
        for (const cancel of cancels) cancel()
        resolve()
      },
      { once: true },
    )
  })
}

function responseTo(request: InferRequest, served: ServedModel, outputs: Tensor[]): InferResponse {
  return { model: request.model, version: served.options.version, id: request.id, parameters: {}, outputs }
}

/** The code travels as a parameter, because a stream's message has no status of its own. */
function failure(id: string, error: TroupeError): Buffer {
  const code: ErrorCode = error.code
  const parameters: Parameters = { 'troupe-code': code }
  const response = { model: '', version: '', id, parameters, outputs: [] }
  return encodeStreamResponse(statusMessage(error), response, false)
}

/** In a stream each request belongs to a trace of its own, so it travels with the request. */
function traceOf({ parameters }: InferRequest): string | undefined {
  const { traceparent } = parameters
  return typeof traceparent === 'string' ? traceparent : undefined
}

function deadlineOf(parameters: Parameters): number {
  const timeout = parameters.timeout_ms
  if (timeout === undefined) return Number.POSITIVE_INFINITY
  if (typeof timeout !== 'number' || timeout <= 0) {
    throw new TroupeError(
      typeof timeout === 'number' ? 'deadline_exceeded' : 'invalid_request',
      `timeout_ms is ${timeout}`,
    )
  }
  return Date.now() + timeout
}
