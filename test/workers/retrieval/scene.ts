// A retrieval worker over a temporary embedded store, and a client of it, all closed together.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createRetrievalClient,
  type Embedders,
  onlyEmbedder,
  openSqliteStore,
  type RetrievalClient,
  type RetrievalEvent,
  type RetrievalWorker,
  type Store,
  startRetrievalWorker,
} from '../../../src/workers/retrieval/index.ts'
import { hashedEmbedder } from './hashed-embedder.ts'

export interface Scene extends AsyncDisposable {
  folder: string
  address: string
  worker: RetrievalWorker
  client: RetrievalClient
  events: RetrievalEvent[]
}

export interface SceneOptions {
  folder?: string
  embedders?: Embedders
  store?: Store
  address?: string
}

export async function scene(options: SceneOptions = {}): Promise<Scene> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'troupe-retrieval-')))
  const events: RetrievalEvent[] = []
  const worker = await startRetrievalWorker({
    address: options.address ?? '127.0.0.1:0',
    store: options.store ?? (await openSqliteStore(folder)),
    embedders: options.embedders ?? onlyEmbedder(hashedEmbedder()),
    onEvent: (event) => events.push(event),
  })
  const address = `127.0.0.1:${worker.port}`
  const client = createRetrievalClient({ address })
  return {
    folder,
    address,
    worker,
    client,
    events,
    async [Symbol.asyncDispose]() {
      client.close()
      await worker.stop()
      if (options.folder === undefined) await rm(folder, { recursive: true })
    },
  }
}
