// The whole way: retrieval worker → gRPC → inference worker → a model on disk.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inferenceEmbedders } from '../../../src/workers/retrieval/index.ts'
import { scene as inferenceScene } from '../inference/support/worker.ts'
import { putEmbedder } from './embedder-model.ts'
import { scene } from './scene.ts'

const acme = { tenant: 'acme' }
const documents = [
  { documentId: 'fox', text: 'The quick brown fox jumps over the lazy dog.' },
  { documentId: 'whale', text: 'Blue whales sing at low frequencies across whole oceans.' },
  { documentId: 'moss', text: 'Moss grows on the shaded side of old stone walls.' },
]

test('passages and queries are embedded by the inference worker', async () => {
  await using inference = await inferenceScene(() => undefined)
  await putEmbedder(inference.models, '1', 256)
  await inference.worker.scan()
  const embedders = inferenceEmbedders({ client: inference.client, model: 'embedder' })
  await using stage = await scene({ embedders })
  await stage.client.upsert('animals', documents, acme)
  const info = await stage.client.collection('animals', acme)
  assert.match(info.model ?? '', /^embedder@1/)
  assert.deepEqual([info.dimension, info.embedded], [256, 3])
  // Words of no passage: only pieces of them, in the vector, find it.
  const { passages, degraded } = await stage.client.search('animals', 'bluewhales oceanside', { ...acme, k: 1 })
  assert.equal(degraded, undefined)
  assert.deepEqual([passages[0]?.documentId, passages[0]?.reason.lexical], ['whale', null])
})

test('a new version embeds everything anew while the old one answers; then it answers itself', async () => {
  await using inference = await inferenceScene(() => undefined, { keepVersions: 2 })
  await putEmbedder(inference.models, '1', 256)
  await inference.worker.scan()
  const embedders = inferenceEmbedders({ client: inference.client, model: 'embedder', believeMs: 0 })
  await using stage = await scene({ embedders })
  await stage.client.upsert('animals', documents, acme)
  const before = await stage.client.search('animals', 'the quick brown foxes', { ...acme, mode: 'vector' })

  await putEmbedder(inference.models, '2', 128)
  await inference.worker.scan()
  // The filling has not looked yet: the old version still answers, with the same scores, and takes new documents.
  await stage.client.upsert('animals', [{ documentId: 'newt', text: 'Newts live in ponds.' }], acme)
  const during = await stage.client.search('animals', 'the quick brown foxes', { ...acme, mode: 'vector' })
  assert.equal(during.model, before.model)
  assert.deepEqual(during.passages[0], before.passages[0])

  await stage.worker.filling.settled()
  const after = await stage.client.search('animals', 'the quick brown foxes', { ...acme, mode: 'vector' })
  assert.match(after.model ?? '', /^embedder@2/)
  assert.equal(after.passages[0]?.documentId, 'fox')
  const info = await stage.client.collection('animals', acme)
  assert.deepEqual([info.dimension, info.embedded, info.rebuild], [128, 4, undefined])
  assert.deepEqual(
    stage.events.map(({ type }) => type),
    ['model_serving'],
  )
})

test('without the inference worker words are stored and found, and vectors follow when it is back', async () => {
  await using inference = await inferenceScene(() => undefined)
  const embedders = inferenceEmbedders({ client: inference.client, model: 'embedder', believeMs: 0 })
  await using stage = await scene({ embedders })
  await stage.client.upsert('animals', documents, acme)
  const words = await stage.client.search('animals', 'lazy dog', acme)
  assert.equal(words.passages[0]?.documentId, 'fox')
  assert.match(words.degraded ?? '', /no vectors yet/)
  await assert.rejects(
    stage.client.search('animals', 'lazy dog', { ...acme, mode: 'vector', deadline: Date.now() + 200 }),
    {
      code: 'worker_unavailable',
    },
  )

  await putEmbedder(inference.models, '1', 256)
  await inference.worker.scan()
  await stage.worker.filling.settled()
  const both = await stage.client.search('animals', 'lazy dog', acme)
  assert.equal(both.degraded, undefined)
  assert.equal(both.passages[0]?.reason.vector?.rank, 1)
})
