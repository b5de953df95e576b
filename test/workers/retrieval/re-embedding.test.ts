// The model changes under concurrent searches and upserts: the old index answers until the new one is complete.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Embedder, type Embedders, openSqliteStore, type Store } from '../../../src/workers/retrieval/index.ts'
import { openPostgresStore } from '../../../src/workers/retrieval/postgres/index.ts'
import { hashedEmbedder } from './hashed-embedder.ts'
import { startPglite } from './pglite.ts'
import { scene } from './scene.ts'

const COUNT = 300
const SEARCHERS = 6
const acme = { tenant: 'acme' }
/** Asked for with its own text, a document is the nearest by any model. */
const textOf = (number: number) => `Report ${number} tells of subject${number} and harbour${number % 7}.`

const stores: Record<string, (folder: string) => Promise<{ store: Store; stop(): Promise<void> }>> = {
  sqlite: async (folder) => ({ store: await openSqliteStore(folder), stop: async () => {} }),
  async postgres() {
    const server = await startPglite()
    return { store: await openPostgresStore({ url: server.url, connections: 1 }), stop: () => server.stop() }
  },
}

for (const [name, open] of Object.entries(stores)) {
  test(`${name}: re-embedded under ${SEARCHERS} searchers and an upsert, each answer is whole and of one model`, {
    timeout: 240_000,
  }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-re-embedding-'))
    const { store, stop } = await open(folder)
    const models = [
      hashedEmbedder({ model: 'one', salt: 1 }),
      hashedEmbedder({ model: 'two', salt: 2, dimension: 128 }),
    ]
    let current: Embedder = models[0]!
    const embedders: Embedders = {
      current: async () => current,
      find: async (model) => models.find((one) => one.model === model),
    }
    const stage = await scene({ folder, store, embedders })
    t.after(async () => {
      await stage[Symbol.asyncDispose]()
      await stop()
      rmSync(folder, { recursive: true, force: true })
    })
    const documents = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, place) => {
        const number = from + place
        return {
          documentId: `d${number}`,
          text: textOf(number),
        }
      })
    await stage.client.upsert('c', documents(0, COUNT), acme)
    await stage.worker.filling.settled()

    let over = false
    const seen: string[][] = []
    const searchers = Array.from({ length: SEARCHERS }, async (_, searcher) => {
      const told: string[] = []
      seen.push(told)
      for (let turn = 0; !over; turn++) {
        const number = (searcher * 97 + turn * 13) % COUNT
        const mode = turn % 2 === 0 ? 'vector' : 'hybrid'
        const answer = await stage.client.search('c', textOf(number), { ...acme, mode, k: 10 })
        assert.equal(answer.degraded, undefined)
        assert.equal(answer.passages.length, 10, 'a half-filled index would give fewer')
        assert.equal(answer.passages[0]!.documentId, `d${number}`)
        told.push(answer.model ?? 'none')
      }
    })
    const whole = Promise.all(searchers)
    whole.catch(() => {})
    current = models[1]!
    await Promise.all([stage.client.upsert('c', documents(COUNT, COUNT + 50), acme), stage.worker.filling.settled()])
    await stage.worker.filling.settled()
    // Some more answers by the new one.
    const before = seen.map((told) => told.length)
    while (seen.some((told, searcher) => told.length < before[searcher]! + 2)) {
      await Promise.race([whole, new Promise((resolve) => setTimeout(resolve, 5))])
    }
    over = true
    await whole
    const info = await stage.client.collection('c', acme)
    assert.deepEqual(
      [info.dimension, info.embedded, info.passages, info.rebuild],
      [128, COUNT + 50, COUNT + 50, undefined],
    )
    for (const told of seen) {
      assert.deepEqual(new Set(told), new Set(['one', 'two']))
      assert.ok(!told.slice(told.indexOf('two')).includes('one'), 'never back to the old one')
    }
  })
}
