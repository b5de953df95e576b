import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TroupeError } from '../../../src/contract/errors.ts'
import type { UpsertDocument } from '../../../src/workers/retrieval/index.ts'
import { scene } from './scene.ts'

const acme = { tenant: 'acme' }

const documents: UpsertDocument[] = [
  {
    documentId: 'tea',
    title: 'Tea',
    text: 'Green tea is steeped for two minutes. Black tea for four.',
    metadata: { year: 2020, tags: ['drink'] },
  },
  { documentId: 'coffee', text: 'Coffee is brewed under pressure in an espresso machine.', metadata: { year: 2022 } },
  {
    documentId: 'bread',
    text: 'Bread dough rests overnight. Then it is baked at 230 degrees.',
    metadata: { year: 2024 },
  },
]

test('what was put in is found by words and by vector, with offsets, highlights and the reason', async () => {
  await using stage = await scene()
  const summary = await stage.client.upsert('kitchen', documents, acme)
  assert.deepEqual(summary, { stored: 3, replaced: 0, unchanged: 0, passages: 3 })
  const { passages, model, degraded } = await stage.client.search('kitchen', 'how long does black tea steep?', acme)
  const [best] = passages
  assert.deepEqual([model, degraded], ['hashed', undefined])
  assert.equal(best?.documentId, 'tea')
  assert.equal(best.passageId, 'tea#0')
  assert.equal(documents[0]!.text.slice(best.start, best.end), best.text)
  assert.deepEqual(best.metadata, { year: 2020, tags: ['drink'] })
  const marked = best.highlights.map(({ start, end }) => best.text.slice(start, end))
  assert.deepEqual(marked, ['tea', 'steeped', 'Black', 'tea'])
  const { lexical, vector } = best.reason
  assert.equal(lexical?.rank, 1)
  assert.ok(Math.abs(best.score - lexical.share - (vector?.share ?? 0)) < 1e-9)
  const sum = lexical.terms.reduce((total, { weight }) => total + weight, 0)
  assert.ok(Math.abs(lexical.score - sum) < 1e-6)
})

test('each mode alone gives its own score', async () => {
  await using stage = await scene()
  await stage.client.upsert('kitchen', documents, acme)
  const lexical = await stage.client.search('kitchen', 'espresso', { ...acme, mode: 'lexical' })
  assert.deepEqual(
    lexical.passages.map(({ documentId, score, reason }) => [
      documentId,
      score === reason.lexical?.score,
      reason.vector,
    ]),
    [['coffee', true, null]],
  )
  const vector = await stage.client.search('kitchen', 'espresso machine', { ...acme, mode: 'vector', k: 2 })
  assert.equal(vector.passages.length, 2)
  assert.equal(vector.passages[0]!.score, vector.passages[0]!.reason.vector?.similarity)
})

test('filters narrow words and vectors alike', async () => {
  await using stage = await scene()
  await stage.client.upsert('kitchen', documents, acme)
  const found = await stage.client.search('kitchen', 'tea coffee bread', {
    ...acme,
    filter: { year: { gt: 2020, lte: 2024 } },
  })
  assert.deepEqual(found.passages.map(({ documentId }) => documentId).sort(), ['bread', 'coffee'])
  const tagged = await stage.client.search('kitchen', 'tea coffee bread', { ...acme, filter: { tags: 'drink' } })
  assert.deepEqual(
    tagged.passages.map(({ documentId }) => documentId),
    ['tea'],
  )
})

test('the same documents again write nothing; a changed one is replaced', async () => {
  await using stage = await scene()
  await stage.client.upsert('kitchen', documents, acme)
  const changed = documents.map((one) => (one.documentId === 'bread' ? { ...one, text: 'Rye bread only.' } : one))
  const summary = await stage.client.upsert('kitchen', changed, acme)
  assert.deepEqual(summary, { stored: 0, replaced: 1, unchanged: 2, passages: 1 })
  const { passages } = await stage.client.search('kitchen', 'dough overnight', { ...acme, mode: 'lexical' })
  assert.deepEqual(passages, [])
})

test('a source that fails ends the upsert with its own error, after what it gave is stored', async () => {
  await using stage = await scene()
  const failure = new TroupeError('worker_unavailable', 'the source broke')
  async function* source(): AsyncGenerator<UpsertDocument> {
    yield* documents
    throw failure
  }
  await assert.rejects(stage.client.upsert('kitchen', source(), acme), failure)
  assert.equal((await stage.client.collection('kitchen', acme)).documents, 3)
})

test('a text held by two documents is answered once and names the other', async () => {
  await using stage = await scene()
  const twin = { ...documents[1]!, documentId: 'coffee-copy' }
  await stage.client.upsert('kitchen', [...documents, twin], acme)
  const { passages } = await stage.client.search('kitchen', 'espresso', { ...acme, mode: 'lexical' })
  assert.equal(passages.length, 1)
  assert.deepEqual([passages[0]!.documentId, ...passages[0]!.alsoIn].sort(), ['coffee', 'coffee-copy'])
})

test('one id twice in one stream is stored in order: the last one stays', async () => {
  await using stage = await scene()
  const again = [
    { documentId: 'x', text: 'first words' },
    { documentId: 'x', text: 'second words' },
  ]
  assert.deepEqual(await stage.client.upsert('c', again, acme), { stored: 1, replaced: 1, unchanged: 0, passages: 2 })
  const { passages } = await stage.client.search('c', 'words', acme)
  assert.deepEqual(
    passages.map(({ text }) => text),
    ['second words'],
  )
})

test('diversity puts an unlike passage above a near repeat', async () => {
  await using stage = await scene()
  const texts = [
    'solar panels make power from light',
    'solar panels make power from sunlight',
    'solar wind bends comet tails',
  ]
  await stage.client.upsert(
    'c',
    texts.map((text, place) => ({ documentId: `d${place}`, text })),
    acme,
  )
  const query = 'solar panels make power from light'
  const plain = await stage.client.search('c', query, { ...acme, k: 2 })
  assert.deepEqual(
    plain.passages.map(({ documentId }) => documentId),
    ['d0', 'd1'],
  )
  const varied = await stage.client.search('c', query, { ...acme, k: 2, diversity: 0.9 })
  assert.deepEqual(
    varied.passages.map(({ documentId }) => documentId),
    ['d0', 'd2'],
  )
  assert.ok((varied.passages[1]!.reason.likeness ?? 1) < 0.7)
})

test('deleted documents and collections are gone; counts say so', async () => {
  await using stage = await scene()
  await stage.client.upsert('kitchen', documents, acme)
  assert.equal(await stage.client.delete('kitchen', ['tea', 'unknown'], acme), 1)
  assert.deepEqual(await stage.client.collections(acme), [
    { name: 'kitchen', documents: 2, passages: 2, dimension: 256, embedded: 2, model: 'hashed' },
  ])
  assert.equal(await stage.client.deleteCollection('kitchen', acme), true)
  assert.deepEqual(await stage.client.collections(acme), [])
})

test('a collection of another tenant does not exist, for every call', async () => {
  await using stage = await scene()
  await stage.client.upsert('kitchen', documents, acme)
  const other = { tenant: 'globex' }
  await assert.rejects(stage.client.search('kitchen', 'tea', other), { code: 'collection_not_found' })
  await assert.rejects(stage.client.delete('kitchen', ['tea'], other), { code: 'collection_not_found' })
  await assert.rejects(stage.client.collection('kitchen', other), { code: 'collection_not_found' })
  assert.equal(await stage.client.deleteCollection('kitchen', other), false)
  assert.deepEqual(await stage.client.collections(other), [])
  assert.equal((await stage.client.collection('kitchen', acme)).documents, 3)
})

for (const [language, text, query] of [
  ['German', 'Die Häuser der Gemeinde werden mit Fernwärme beheizt.', 'Haus mit Fernwaerme Fernwärme'],
  ['Spanish', 'Los jardines públicos abren a las ocho de la mañana.', '¿cuándo abre el jardín publico?'],
  ['Chinese', '萨克森花园的夏季剧院从1870年运营到1939年。', '夏季剧院在哪里'],
  ['Arabic', 'تقع الحديقة الساكسونية في وسط المدينة.', 'أين الحَدِيقة'],
] as const) {
  test(`${language} words are found whatever their form`, async () => {
    await using stage = await scene()
    const other = { documentId: 'other', text: 'Nothing of that kind. 别的东西。 شيء آخر' }
    await stage.client.upsert('c', [{ documentId: 'wanted', text }, other], acme)
    const { passages } = await stage.client.search('c', query, { ...acme, mode: 'lexical' })
    assert.equal(passages[0]?.documentId, 'wanted')
    assert.ok(passages[0].highlights.length > 0)
  })
}
