// Opens what the processes of one installation share: embedded in the data folder, or Postgres and NATS.
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bus } from '../bus/bus.ts'
import { createInProcessBus } from '../bus/in-process.ts'
import { TroupeError } from '../contract/errors.ts'
import { type GatewayStore, openPostgresGatewayStore, openS3Blobs, openSqliteGatewayStore } from '../gateway/index.ts'
import type { BlobStore } from '../journal/blobs.ts'
import { openFileBlobs } from '../journal/file-blobs.ts'
import type { Journal } from '../journal/journal.ts'
import { openSqliteJournal } from '../journal/sqlite/index.ts'
import type { Settings } from './settings.ts'

export interface Stores {
  journal: Journal
  bus: Bus
  blobs: BlobStore
  gatewayStore: GatewayStore
  close(): Promise<void>
}

/** Embedded everything is in one process, which alone may open the data folder. */
export function refuseEmbedded({ natsUrl }: Settings, role: string): void {
  if (natsUrl !== undefined) return
  const message = `A ${role} process belongs to a cluster: set TROUPE_POSTGRES_URL and TROUPE_NATS_URL.`
  throw new TroupeError('configuration_invalid', message)
}

export async function openStores(settings: Settings): Promise<Stores> {
  const opened: { close(): Promise<void> | void }[] = []
  const open = async <Store extends { close(): Promise<void> | void }>(
    store: Store | Promise<Store>,
  ): Promise<Store> => {
    const ready = await store
    opened.unshift(ready)
    return ready
  }
  const close = async () => {
    for (const store of opened.splice(0)) await store.close()
  }
  const { bucket } = settings
  try {
    if (settings.postgresUrl !== undefined && settings.natsUrl !== undefined) {
      const { postgresUrl: url, natsUrl, postgresPool } = settings
      const database = { url, ...(postgresPool === undefined ? {} : { pool: postgresPool }) }
      // Loaded on demand: an embedded core that was killed is back sooner without what only a cluster uses.
      const { openPostgresBlobs, openPostgresJournal } = await import('../journal/postgres/index.ts')
      const { openNatsBus } = await import('../bus/nats/index.ts')
      // Each of several processes has its own flight under way: more would only make them smaller.
      const journal = await open(openPostgresJournal({ ...database, lanes: 1 }))
      const blobs = await open(
        bucket === undefined ? openPostgresBlobs({ ...database, space: 'documents' }) : openS3Blobs(bucket),
      )
      const gatewayStore = await open(openPostgresGatewayStore(database))
      const bus = await open(openNatsBus({ url: natsUrl, ...settings.nats }))
      return { journal, bus, blobs, gatewayStore, close }
    }
    // 0700: the folder holds the admin key and everybody's documents.
    await mkdir(settings.dataFolder, { recursive: true, mode: 0o700 })
    const journal = await open(openSqliteJournal({ folder: settings.dataFolder }))
    const folder = join(settings.dataFolder, 'blobs')
    const blobs = await open(bucket === undefined ? openFileBlobs({ folder }) : openS3Blobs(bucket))
    if (!existsSync(join(settings.dataFolder, 'gateway.db')) && (await journal.counts()).length > 0) {
      console.error(
        `gateway.db is gone from ${settings.dataFolder}, where tasks are: keys, documents, schedules and audit trail begin anew`,
      )
    }
    const gatewayStore = await open(openSqliteGatewayStore({ folder: settings.dataFolder }))
    const bus = await open(createInProcessBus())
    return { journal, bus, blobs, gatewayStore, close }
  } catch (error) {
    await close()
    throw error
  }
}
