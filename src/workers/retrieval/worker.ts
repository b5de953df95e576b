// The retrieval worker: a store, the thread that prepares documents, the filling of vectors, and the gRPC server.
import { type GrpcLimits, Metrics, startGrpcServer, type TlsFiles } from '../grpc/index.ts'
import type { Embedders } from './embedder.ts'
import { type Filling, startFilling } from './filling.ts'
import { MAX_DOCUMENT_CHARACTERS } from './limits.ts'
import type { Preparing } from './preparing-thread.ts'
import { retrievalService } from './service.ts'
import type { Store } from './store.ts'
import { startThread } from './thread.ts'

export interface RetrievalWorkerOptions {
  /** `host:port`; port 0 takes a free one. */
  address: string
  /** Closed with the worker. */
  store: Store
  embedders: Embedders
  tls?: TlsFiles
  limits?: Partial<GrpcLimits>
  metrics?: Metrics
  onEvent?: (event: RetrievalEvent) => void
}

export type RetrievalEvent =
  /** A collection answers with the vectors of another model now. */
  | { type: 'model_serving'; tenant: string; collection: string; model: string }
  | { type: 'filling_failed'; error: unknown }

export interface RetrievalWorker {
  port: number
  metrics: Metrics
  filling: Filling
  drain(graceMs: number): Promise<void>
  stop(): Promise<void>
}

export async function startRetrievalWorker(options: RetrievalWorkerOptions): Promise<RetrievalWorker> {
  const { address, store, embedders, tls, limits, metrics = new Metrics(), onEvent = () => {} } = options
  const rebuilds = metrics.counter('troupe_retrieval_rebuilds_total', 'Collections whose vectors were made anew')
  const preparing = startThread<Preparing>(new URL('./preparing-thread.ts', import.meta.url), null)
  const filling = startFilling({
    store,
    embedders,
    onServing: ({ tenant, name }, model) => {
      rebuilds({ model })
      onEvent({ type: 'model_serving', tenant, collection: name, model })
    },
    onFailure: (error) => onEvent({ type: 'filling_failed', error }),
  })
  const close = async (): Promise<void> => {
    await filling.stop()
    await preparing.stop()
    await store.close()
  }
  try {
    const parts = { store, embedders, preparing: preparing.call, onLacking: () => filling.look() }
    const server = await startGrpcServer({
      address,
      services: [retrievalService(parts)],
      metrics,
      // The longest document, at up to three bytes a character, fits into one message.
      limits: { messageBytes: 4 * MAX_DOCUMENT_CHARACTERS, ...limits },
      ...(tls === undefined ? {} : { tls }),
    })
    return {
      port: server.port,
      metrics,
      filling,
      async drain(graceMs) {
        await server.drain(graceMs)
        await close()
      },
      async stop() {
        await server.stop()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
