import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js'
import { loadService } from '../../../src/workers/grpc/index.ts'
import type { Filter, Metadata } from '../../../src/workers/retrieval/index.ts'
import { type Scene, scene } from './scene.ts'

const acme = { tenant: 'acme' }
const one = (text: string, documentId = 'd'): { documentId: string; text: string } => ({ documentId, text })

let stage: Scene
before(async () => {
  stage = await scene()
  await stage.client.upsert('c', [one('some words that are here', 'kept')], acme)
})
after(() => stage[Symbol.asyncDispose]())

const searches: [string, string, object, string, RegExp][] = [
  ['an empty query', '', {}, 'invalid_request', /query is empty/],
  ['a query of blanks', ' \n\t', {}, 'invalid_request', /query is empty/],
  ['a huge query', 'a '.repeat(50_000), {}, 'value_too_large', /100000 characters/],
  ['k of 0', 'words', { k: 0 }, 'invalid_request', /k is 0; it must be from 1 to 200/],
  ['k of a million', 'words', { k: 1_000_000 }, 'invalid_request', /k is 1000000/],
  ['a negative k', 'words', { k: -1 }, 'invalid_request', /k is -1/],
  [
    'a vector of the wrong length',
    'words',
    { vector: new Float32Array(7) },
    'invalid_request',
    /length 7 where hashed has 256/,
  ],
  ['a vector with NaN', 'words', { vector: new Float32Array(256).fill(Number.NaN) }, 'invalid_request', /NaN/],
  ['an unknown mode', 'words', { mode: 'psychic' }, 'invalid_request', /mode|psychic/i],
  ['diversity above 1', 'words', { diversity: 1.5 }, 'invalid_request', /diversity is 1.5/],
  ['diversity that is no number', 'words', { diversity: Number.NaN }, 'invalid_request', /diversity is NaN/],
  [
    'a collection that is not there',
    'words',
    { collection: 'nowhere' },
    'collection_not_found',
    /no collection nowhere/,
  ],
  ['no tenant', 'words', { tenant: '' }, 'invalid_request', /tenant is missing/],
  ['a tenant with odd characters', 'words', { tenant: "a'; DROP TABLE--" }, 'invalid_request', /tenant/],
  ['a field that would quote its way out', 'words', { filter: { 'a"b': 1 } }, 'invalid_request', /metadata field/],
  ['a condition with an infinite bound', 'words', { filter: { a: { gt: Infinity } } }, 'invalid_request', /finite/],
  ['an order of truths', 'words', { filter: { a: { gt: true } } }, 'invalid_request', /truth has no order/],
  ['a filter that says nothing', 'words', { filter: { a: {} } }, 'invalid_request', /says nothing/],
  ['an empty list of values', 'words', { filter: { a: [] } }, 'invalid_request', /at least 1/],
]
for (const [title, query, options, code, message] of searches) {
  test(`search refuses ${title}`, async () => {
    const { collection = 'c', ...rest } = options as { collection?: string; filter?: Filter }
    await assert.rejects(
      stage.client.search(collection, query, { ...acme, ...rest }),
      (error: Error & { code: string }) => {
        assert.equal(error.code, code, error.message)
        assert.match(error.message, message)
        return true
      },
    )
  })
}

const uploads: [string, { documentId: string; text: string; title?: string; metadata?: Metadata }, string, RegExp][] = [
  ['an empty text', one(''), 'invalid_request', /document d has no text/],
  ['no id', one('text', ''), 'invalid_request', /no id/],
  ['an id with NUL', one('text', 'a\0b'), 'invalid_request', /NUL/],
  ['an id of a thousand characters', one('text', 'x'.repeat(1_000)), 'invalid_request', /longer than 512/],
  ['a text over the limit', one('a'.repeat(4 * 1024 * 1024 + 1)), 'value_too_large', /the limit is 4194304/],
  ['a title over the limit', { ...one('text'), title: 'x'.repeat(2_000) }, 'value_too_large', /title/],
  ['metadata with NaN', { ...one('text'), metadata: { a: Number.NaN } }, 'invalid_request', /finite/],
  [
    'metadata of 100 fields',
    { ...one('text'), metadata: Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`f${n}`, n])) },
    'invalid_request',
    /100 fields/,
  ],
]
for (const [title, document, code, message] of uploads) {
  test(`upsert refuses ${title}, and what came before it is stored`, async () => {
    const good = one(`came before ${title}`, `before ${title}`)
    await assert.rejects(stage.client.upsert('c', [good, document], acme), (error: Error & { code: string }) => {
      assert.equal(error.code, code, error.message)
      assert.match(error.message, message)
      return true
    })
    assert.deepEqual(await stage.client.upsert('c', [good], acme), {
      stored: 0,
      replaced: 0,
      unchanged: 1,
      passages: 0,
    })
  })
}

test('odd texts are stored and found: NUL, emoji, one word without end, only marks', async () => {
  const texts = ['nul\0inside pangolin', '👩‍👩‍👧 zebra 𝒳', 'x'.repeat(200_000), '!!! ???', '\ud800 half a pair okapi']
  const documents = texts.map((text, place) => one(text, `odd${place}`))
  assert.equal((await stage.client.upsert('odd', documents, acme)).stored, 5)
  for (const [word, id] of [
    ['pangolin', 'odd0'],
    ['zebra', 'odd1'],
    ['okapi', 'odd4'],
  ] as const) {
    const { passages } = await stage.client.search('odd', word, { ...acme, mode: 'lexical' })
    assert.deepEqual(
      passages.map(({ documentId }) => documentId),
      [id],
    )
  }
})

test('queries full of the index’s own syntax are only words', async () => {
  for (const query of [
    '"',
    '* OR NEAR(',
    'terms:some AND -words',
    "' OR 1=1 --",
    'some* ^words',
    '\0',
    '(((((',
    '%_\\',
  ]) {
    await stage.client.search('c', query, acme)
  }
  const { passages } = await stage.client.search('c', 'NOT "some words"', { ...acme, mode: 'lexical' })
  assert.ok(passages.length > 0)
})

test('a caller that gives up gets its own reason, and the worker goes on', async () => {
  const reason = new Error('enough')
  await assert.rejects(stage.client.search('c', 'words', { ...acme, signal: AbortSignal.abort(reason) }), reason)
  await assert.rejects(stage.client.search('c', 'words', { ...acme, deadline: Date.now() - 1 }), {
    code: 'deadline_exceeded',
  })
  assert.equal((await stage.client.search('c', 'words', acme)).passages.length > 0, true)
})

test('bytes that are no message, and messages of a stranger, are refused as such', async () => {
  const client = new Client(stage.address, credentials.createInsecure())
  const { path } = loadService('retrieval.proto', 'troupe.retrieval.v1.Retrieval').Search!
  for (let seed = 0; seed < 200; seed++) {
    const bytes = Buffer.from(Array.from({ length: seed % 40 }, (_, place) => (seed * 7919 + place * 104_729) & 0xff))
    const error = await new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest(
        path,
        (value: Buffer) => value,
        (value) => value,
        bytes,
        (failed) => resolve(failed),
      )
    })
    assert.ok(error !== null && [status.INVALID_ARGUMENT, status.NOT_FOUND].includes(error.code), `${error}`)
  }
  client.close()
  assert.equal((await stage.client.collection('c', acme)).name, 'c')
})
