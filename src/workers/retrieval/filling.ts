// Keeps vectors complete: fills passages that have none, and embeds collections anew when the model changes, in the
// background, a batch at a time, while searches and upserts go on. Nothing is kept in memory: after a crash the store
// says what is still lacking.
import { setTimeout as wait } from 'node:timers/promises'
import { toTroupeError } from '../../contract/errors.ts'
import { type Embedder, type Embedders, embedChecked } from './embedder.ts'
import { embeddedText } from './prepare.ts'
import type { CollectionInfo, Store } from './store.ts'

const BATCH = 64
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** How often to ask whether the model has changed when nobody says so. */
const LOOK_EVERY_MS = 15_000

export interface Filling {
  /** Something may be lacking. */
  look(): void
  /** Resolves when a round that began after this call has left nothing lacking. */
  settled(): Promise<void>
  stop(): Promise<void>
}

export interface FillingOptions {
  store: Store
  embedders: Embedders
  onServing?(collection: CollectionInfo, model: string): void
  onFailure?(error: unknown): void
}

export function startFilling(options: FillingOptions): Filling {
  const stopped = new AbortController()
  let wake = new AbortController()
  let asked = 0
  let waiting: { round: number; resolve(): void }[] = []

  async function keep(): Promise<void> {
    let pause = FIRST_PAUSE_MS
    while (!stopped.signal.aborted) {
      const round = asked
      wake = new AbortController()
      let next = LOOK_EVERY_MS
      try {
        await fillAll(options, stopped.signal)
        for (const { resolve } of waiting.filter((one) => one.round <= round)) resolve()
        waiting = waiting.filter((one) => one.round > round)
        pause = FIRST_PAUSE_MS
        if (asked > round) continue
      } catch (error) {
        if (stopped.signal.aborted) return
        options.onFailure?.(error)
        next = pause
        pause = Math.min(2 * pause, LONGEST_PAUSE_MS)
      }
      const signal = AbortSignal.any([wake.signal, stopped.signal])
      await wait(next, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  const kept = keep()
  const look = (): void => {
    asked++
    wake.abort()
  }
  return {
    look,
    settled() {
      look()
      const round = asked
      return new Promise((resolve) => waiting.push({ round, resolve }))
    },
    async stop() {
      stopped.abort()
      await kept
    },
  }
}

async function fillAll({ store, embedders, onServing }: FillingOptions, signal: AbortSignal): Promise<void> {
  const embedder = await embedders.current(signal)
  if (embedder === undefined) return
  const { model, dimension } = embedder
  let failure: unknown
  for (const collection of await store.incomplete(model)) {
    try {
      await store.build(collection.id, { model, dimension })
      // What arrives during the last batch makes `serve` refuse; then there is more to fill.
      do await fillCollection(store, collection.id, embedder, signal)
      while (!(await store.serve(collection.id, model)))
      if (collection.serving?.model !== model) onServing?.(collection, model)
    } catch (error) {
      signal.throwIfAborted()
      // One collection that cannot be filled must not hold up the others; one that was deleted needs nothing.
      if (toTroupeError(error).code !== 'collection_not_found') failure ??= error
    }
  }
  if (failure !== undefined) throw failure
}

async function fillCollection(
  store: Store,
  collection: number,
  embedder: Embedder,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    const lacking = await store.lacking(collection, embedder.model, BATCH)
    if (lacking.length === 0) return
    const texts = lacking.map(({ title, text }) => embeddedText(title, text))
    const vectors = await embedChecked(embedder, texts, signal)
    await store.fill(
      collection,
      embedder.model,
      new Map(lacking.map(({ passage }, place) => [passage, vectors[place]!])),
    )
  }
}
