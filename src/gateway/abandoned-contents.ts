// Removes from the blob store what no document names any more. Removing a document commits that its content is abandoned;
// the content itself goes here, after that: at once, or when the store answers again, or at the next start (ADR 35).
import type { Logger } from 'pino'
import type { BlobStore } from '../journal/blobs.ts'
import type { DocumentStore } from './store/store.ts'

/** For what another gateway left when it died, or a blob store that was away. */
const LOOK_MS = 60_000

export interface AbandonedContents {
  /** Looks now; while it looks already, once more after that. */
  look(): void
  start(): void
  stop(): Promise<void>
}

export function createAbandonedContents(parts: {
  store: Pick<DocumentStore, 'clearContents'>
  blobs: Pick<BlobStore, 'delete'>
  log: Logger
}): AbandonedContents {
  const { store, blobs, log } = parts
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined
  let again = false
  let stopped = false

  async function lookAll(): Promise<void> {
    do {
      again = false
      await store.clearContents(async (sha256) => {
        if (stopped) throw new Error('stopped')
        await blobs.delete(sha256)
      })
    } while (again)
  }

  function look(): void {
    again = true
    if (stopped) return
    looking ??= lookAll()
      .catch((error) => {
        if (!stopped) log.warn({ err: error }, 'deleted documents’ contents cannot be removed; trying again')
      })
      .finally(() => {
        looking = undefined
      })
  }

  return {
    look,
    start() {
      look()
      timer = setInterval(look, LOOK_MS)
      timer.unref()
    },
    async stop() {
      stopped = true
      clearInterval(timer)
      await looking
    },
  }
}
