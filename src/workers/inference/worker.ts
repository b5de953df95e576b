// The inference worker: a repository of models behind a gRPC server, watching its folder for new versions.
import { availableParallelism } from 'node:os'
import { TroupeError } from '../../contract/errors.ts'
import { type GrpcLimits, type GrpcServer, Metrics, startGrpcServer, type TlsFiles } from '../grpc/index.ts'
import type { BatchLimits } from './batcher.ts'
import { createMeasurements, type ModelEvent } from './measurements.ts'
import { createProbe } from './probe.ts'
import { ModelRepository } from './repository.ts'
import type { Provider } from './runner.ts'
import { inferenceService } from './service.ts'

export interface InferenceWorkerOptions {
  /** `host:port`; port 0 takes a free one. */
  address: string
  /** The model repository: <name>/<version>/{model.onnx,model.json}. */
  models: string
  /** Execution providers, tried in order. Default: cuda, webgpu, cpu. */
  providers?: readonly Provider[]
  /** Copies of a model that compute at once; a model.json can say otherwise. Default 1. */
  instances?: number
  /** Threads of one run. Default: all processors but one, which belongs to the server. */
  threads?: number
  /** Milliseconds that a run of a quick model may take on the event loop, without a thread; 0: never. Default 0.5. */
  loopMs?: number
  batching?: Partial<BatchLimits>
  /** How many of a model's newest versions are served. Default 1. */
  keepVersions?: number
  maxModelBytes?: number
  /** How often the folder is looked at; 0: only when asked by RepositoryModelLoad. Default 2000. */
  watchMs?: number
  /** What an unloaded version has to answer its requests. Default 10000. */
  unloadGraceMs?: number
  probeTimeoutMs?: number
  tls?: TlsFiles
  limits?: Partial<GrpcLimits>
  metrics?: Metrics
  onEvent?: (event: ModelEvent) => void
  version?: string
}

export interface InferenceWorker {
  port: number
  metrics: Metrics
  repository: ModelRepository
  /** Looks at the folder now. */
  scan(): Promise<void>
  drain(graceMs: number): Promise<void>
  stop(): Promise<void>
}

export const DEFAULT_PROVIDERS: readonly Provider[] = ['cuda', 'webgpu', 'cpu']
const DEFAULT_BATCHING: BatchLimits = {
  maxDelayMs: 0,
  maxQueueRows: 8_192,
  maxQueueBytes: 256 * 1024 * 1024,
}

export async function startInferenceWorker(options: InferenceWorkerOptions): Promise<InferenceWorker> {
  const metrics = options.metrics ?? new Metrics()
  const onEvent = options.onEvent ?? (() => {})
  const measurements = createMeasurements(metrics, onEvent)
  const probe = createProbe(options.probeTimeoutMs === undefined ? {} : { timeoutMs: options.probeTimeoutMs })
  const repository = new ModelRepository(
    {
      folder: options.models,
      keepVersions: options.keepVersions ?? 1,
      maxModelBytes: options.maxModelBytes ?? 2 * 1024 ** 3 - 1,
      providers: options.providers ?? DEFAULT_PROVIDERS,
      threads: options.threads ?? Math.max(1, availableParallelism() - 1),
      instances: options.instances ?? 1,
      loopMs: options.loopMs ?? 0.5,
      batching: { ...DEFAULT_BATCHING, ...options.batching },
      unloadGraceMs: options.unloadGraceMs ?? 10_000,
    },
    probe,
    measurements,
    onEvent,
  )
  await repository.scan()
  const server = await listen(options, repository, metrics, measurements)
  const stopWatching = watch(repository, options.watchMs ?? 2_000)

  const end = async (close: () => Promise<void>, graceMs: number): Promise<void> => {
    stopWatching()
    await close()
    await repository.close(graceMs)
  }
  return {
    port: server.port,
    metrics,
    repository,
    scan: () => repository.scan(),
    drain: (graceMs) => end(() => server.drain(graceMs), 0),
    stop: () => end(() => server.stop(), 0),
  }
}

async function listen(
  options: InferenceWorkerOptions,
  repository: ModelRepository,
  metrics: Metrics,
  measurements: ReturnType<typeof createMeasurements>,
): Promise<GrpcServer> {
  try {
    return await startGrpcServer({
      address: options.address,
      services: [inferenceService(repository, measurements, options.version ?? '0.1.0')],
      metrics,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    })
  } catch (error) {
    await repository.close(0)
    throw error
  }
}

/** Polls: change notifications of file systems are lost on network volumes, where model repositories tend to live. */
function watch(repository: ModelRepository, everyMs: number): () => void {
  if (everyMs === 0) return () => {}
  let running = false
  const timer = setInterval(() => {
    if (running) return
    running = true
    repository
      .scan()
      .catch((error: unknown) => {
        // A folder that cannot be read now is looked at again; a drain ends this for good.
        if (error instanceof TroupeError && error.code === 'draining') clearInterval(timer)
      })
      .finally(() => {
        running = false
      })
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}
