// A worker over a temporary model repository, and a client of it, both closed together.
import {
  createInferenceClient,
  floatTensor,
  type InferenceClient,
  type InferenceClientOptions,
  type InferenceWorker,
  type InferenceWorkerOptions,
  type ModelEvent,
  startInferenceWorker,
} from '../../../../src/workers/inference/index.ts'
import { type TemporaryModels, temporaryModels } from './models.ts'

export interface Scene extends AsyncDisposable {
  models: TemporaryModels
  worker: InferenceWorker
  client: InferenceClient
  events: ModelEvent[]
}

export async function scene(
  prepare: (models: TemporaryModels) => void,
  options: Partial<InferenceWorkerOptions> = {},
  clientOptions: Partial<InferenceClientOptions> = {},
): Promise<Scene> {
  const models = temporaryModels()
  prepare(models)
  const events: ModelEvent[] = []
  const worker = await startInferenceWorker({
    address: '127.0.0.1:0',
    models: models.folder,
    providers: ['cpu'],
    threads: 1,
    watchMs: 0,
    onEvent: (event) => events.push(event),
    ...options,
  })
  const client = createInferenceClient({ address: `127.0.0.1:${worker.port}`, ...clientOptions })
  return {
    models,
    worker,
    client,
    events,
    async [Symbol.asyncDispose]() {
      client.close()
      await worker.stop()
      models.clear()
    },
  }
}

export function row(...values: number[]) {
  return floatTensor('x', [1, values.length], Float32Array.from(values))
}
