// What every adapter of the store's port does. One suite, each adapter: see *-store.test.ts.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { unit } from '../../../src/workers/retrieval/embedder.ts'
import type { Condition, Metadata } from '../../../src/workers/retrieval/metadata.ts'
import { prepare } from '../../../src/workers/retrieval/prepare.ts'
import type { CollectionInfo, DocumentDraft, Store } from '../../../src/workers/retrieval/store.ts'
import { distinctTerms } from '../../../src/workers/retrieval/tokens.ts'

const terms = distinctTerms
const MODEL = { model: 'colours', dimension: 3 }

function draft(id: string, text: string, metadata: Metadata = {}): DocumentDraft {
  return prepare({ id, text, title: '', metadata })
}

function vectorsOf(drafts: DocumentDraft[], vector: number[]): Map<string, Float32Array> {
  const value = unit(Float32Array.from(vector), vector.length, 'test', 'invalid_request')
  return new Map(drafts.flatMap(({ passages }) => passages.map(({ hash }) => [hash, value])))
}

export function storeContract(name: string, openStore: () => Promise<{ store: Store; stop(): Promise<void> }>): void {
  describe(`retrieval store: ${name}`, () => {
    let store: Store
    let stop: () => Promise<void>
    let made = 0
    before(async () => {
      ;({ store, stop } = await openStore())
    })
    after(async () => {
      await store.close()
      await stop()
    })
    const fresh = async (tenant = 'acme', model: typeof MODEL | undefined = MODEL): Promise<CollectionInfo> =>
      await store.open(tenant, `collection-${++made}`, model)
    const documentsOf = async (collection: number, passages: { passage: number }[]): Promise<string[]> => {
      const ids = passages.map(({ passage }) => passage)
      const rows = await store.passages(collection, ids)
      return ids.map((id) => rows.find(({ passage }) => passage === id)!.documentId)
    }

    it('opens a collection once and finds it again with its model', async () => {
      const first = await fresh()
      const again = await store.open('acme', first.name, { model: 'other', dimension: 7 })
      assert.equal(again.id, first.id)
      assert.deepEqual((await store.find('acme', first.name))?.serving, { ...MODEL, embedded: 0 })
    })

    it('keeps collections of one name in two tenants apart, down to word statistics', async () => {
      const mine = await store.open('tenant-a', 'shared-name', MODEL)
      const theirs = await store.open('tenant-b', 'shared-name', MODEL)
      assert.notEqual(mine.id, theirs.id)
      await store.write(mine.id, [draft('m', 'pelican and heron')], undefined, new Map())
      const alone = await store.lexical(mine.id, terms('pelican'), 5, [])
      assert.equal(alone.length, 1)
      const many = Array.from({ length: 20 }, (_, place) => draft(`t${place}`, 'pelican pelican'))
      await store.write(theirs.id, many, undefined, new Map())
      assert.deepEqual(await store.lexical(mine.id, terms('pelican'), 5, []), alone)
      assert.deepEqual(
        (await store.list('tenant-a')).map(({ tenant, name: named, documents }) => [tenant, named, documents]),
        [['tenant-a', 'shared-name', 1]],
      )
      assert.deepEqual(
        await store.passages(
          mine.id,
          (await store.lexical(theirs.id, terms('pelican'), 5, [])).map((m) => m.passage),
        ),
        [],
      )
    })

    it('scores by BM25: rare words over common ones, short passages over long, and explains each term', async () => {
      const { id } = await fresh()
      await store.write(
        id,
        [
          draft('short', 'osprey river'),
          draft('long', 'osprey river water stone water stone water stone water stone water stone'),
          draft('common', 'river river river'),
          draft('none', 'stone water'),
        ],
        undefined,
        new Map(),
      )
      const found = await store.lexical(id, terms('osprey river'), 10, [])
      assert.deepEqual(await documentsOf(id, found), ['short', 'long', 'common'])
      // By hand: N 4, average length 19/4; osprey in 2, river in 3 passages; in `short` each once at length 2.
      const norm = 1.2 * (0.25 + (0.75 * 2) / (19 / 4))
      const osprey = (Math.log(1 + 2.5 / 2.5) * 2.2) / (1 + norm)
      const river = (Math.log(1 + 1.5 / 3.5) * 2.2) / (1 + norm)
      const [best] = found
      assert.ok(Math.abs(best!.score - osprey - river) < 1e-6, `${best!.score}`)
      assert.deepEqual(
        best!.terms.map(({ term, frequency, passages }) => [term, frequency, passages]),
        [
          [...terms('osprey'), 1, 2],
          [...terms('river'), 1, 3],
        ],
      )
    })

    it('finds a passage by cosine and gives back the vector it was stored with', async () => {
      const { id } = await fresh()
      const red = [draft('red', 'one')]
      const green = [draft('green', 'two')]
      await store.write(id, red, MODEL.model, vectorsOf(red, [1, 0, 0]))
      await store.write(id, green, MODEL.model, vectorsOf(green, [3, 4, 0]))
      const found = (await store.nearest(id, Float32Array.from([1, 0, 0]), 2, []))!
      assert.deepEqual(await documentsOf(id, found), ['red', 'green'])
      assert.ok(Math.abs(found[0]!.similarity - 1) < 1e-5 && Math.abs(found[1]!.similarity - 0.6) < 1e-5)
      const vectors = await store.vectors(id, [found[1]!.passage])
      assert.deepEqual(
        Array.from(vectors.get(found[1]!.passage)!, (value) => value.toFixed(4)),
        ['0.6000', '0.8000', '0.0000'],
      )
    })

    it('replaces a document wholly: old words, vectors and counts are gone', async () => {
      const { id, name: named } = await fresh()
      const old = [draft('d', 'ancient parchment scroll')]
      await store.write(id, old, MODEL.model, vectorsOf(old, [1, 0, 0]))
      const next = [draft('d', 'modern tablet')]
      await store.write(id, next, MODEL.model, vectorsOf(next, [0, 1, 0]))
      assert.deepEqual(await store.lexical(id, terms('parchment'), 5, []), [])
      assert.equal((await store.lexical(id, terms('tablet'), 5, [])).length, 1)
      assert.equal((await store.nearest(id, Float32Array.from([1, 0, 0]), 5, []))?.length, 1)
      const info = await store.find('acme', named)
      assert.deepEqual([info?.documents, info?.passages, info?.serving?.embedded], [1, 1, 1])
      assert.deepEqual(await store.documentHashes(id, ['d', 'unknown']), new Map([['d', next[0]!.hash]]))
    })

    it('removes documents and counts only those that were there', async () => {
      const { id, name: named } = await fresh()
      const drafts = [draft('a', 'same words'), draft('b', 'same words'), draft('c', 'other words')]
      await store.write(id, drafts, MODEL.model, vectorsOf(drafts, [1, 1, 0]))
      assert.equal(await store.remove(id, ['a', 'c', 'unknown']), 2)
      const info = await store.find('acme', named)
      assert.deepEqual([info?.documents, info?.passages, info?.serving?.embedded], [1, 1, 1])
      const [match] = await store.lexical(id, terms('same'), 5, [])
      assert.equal(match!.terms[0]!.passages, 1)
    })

    it('says which documents share a text and reuses its vector', async () => {
      const { id } = await fresh()
      const drafts = [draft('first', 'the very same'), draft('second', 'the very same'), draft('third', 'another')]
      await store.write(id, drafts, MODEL.model, vectorsOf(drafts, [0, 0, 1]))
      const hash = drafts[0]!.passages[0]!.hash
      assert.deepEqual(
        await store.sharedBy(id, [hash, drafts[2]!.passages[0]!.hash]),
        new Map([[hash, ['first', 'second']]]),
      )
      const known = await store.knownVectors(id, MODEL.model, [hash, 'unknown'])
      assert.deepEqual([...known.keys()], [hash])
      assert.deepEqual([...known.get(hash)!], [0, 0, 1])
    })

    it('drops a collection with everything in it', async () => {
      const { id, name: named } = await fresh()
      const drafts = [draft('a', 'gone soon')]
      await store.write(id, drafts, MODEL.model, vectorsOf(drafts, [1, 0, 0]))
      assert.equal(await store.drop('another-tenant', named), false)
      assert.equal(await store.drop('acme', named), true)
      assert.equal(await store.drop('acme', named), false)
      assert.equal(await store.find('acme', named), undefined)
      await assert.rejects(store.write(id, drafts, undefined, new Map()), { code: 'collection_not_found' })
      const { id: next } = await store.open('acme', named, MODEL)
      const found = await store.find('acme', named)
      assert.deepEqual([found?.documents, found?.passages, found?.serving?.embedded], [0, 0, 0])
      assert.deepEqual(await store.lexical(next, terms('gone'), 5, []), [])
      assert.deepEqual(await store.documentHashes(next, ['a']), new Map())
      assert.deepEqual(await store.nearest(next, Float32Array.from([1, 0, 0]), 5, []), [])
    })

    describe('filters', () => {
      let id: number
      before(async () => {
        ;({ id } = await fresh())
        const drafts = [
          draft('a', 'word', { year: 2020, kind: 'report', tags: ['x', 'y'], final: true }),
          draft('b', 'word again', { year: 2022.5, kind: 'Letter', tags: [], final: false }),
          draft('c', 'word once more', { year: '2020', 'odd.name:1': 'ü' }),
        ]
        await store.write(id, drafts, MODEL.model, vectorsOf(drafts, [1, 0, 0]))
      })
      const cases: [string, Condition, string[]][] = [
        ['a number equals no text', { field: 'year', comparison: 'ANY_OF', values: [2020] }, ['a']],
        ['a text equals no number', { field: 'year', comparison: 'ANY_OF', values: ['2020'] }, ['c']],
        ['a list holds one of the values', { field: 'tags', comparison: 'ANY_OF', values: ['q', 'y'] }, ['a']],
        ['truth', { field: 'final', comparison: 'ANY_OF', values: [false] }, ['b']],
        [
          'none of, also where the field is absent',
          { field: 'kind', comparison: 'NONE_OF', values: ['report'] },
          ['b', 'c'],
        ],
        ['greater', { field: 'year', comparison: 'GREATER', values: [2020] }, ['b']],
        ['at least', { field: 'year', comparison: 'AT_LEAST', values: [2020] }, ['a', 'b']],
        ['less', { field: 'year', comparison: 'LESS', values: [2022.5] }, ['a']],
        ['at most', { field: 'year', comparison: 'AT_MOST', values: [2022.5] }, ['a', 'b']],
        ['text by code point, capitals first', { field: 'kind', comparison: 'LESS', values: ['a'] }, ['b']],
        ['present', { field: 'tags', comparison: 'PRESENT', values: [] }, ['a', 'b']],
        [
          'names with points and letters beyond ASCII',
          { field: 'odd.name:1', comparison: 'ANY_OF', values: ['ü'] },
          ['c'],
        ],
      ]
      for (const [title, condition, expected] of cases) {
        it(`${title}, for words and vectors alike`, async () => {
          const words = await store.lexical(id, terms('word'), 10, [condition])
          assert.deepEqual((await documentsOf(id, words)).sort(), expected)
          const vectors = (await store.nearest(id, Float32Array.from([1, 0, 0]), 10, [condition]))!
          assert.deepEqual((await documentsOf(id, vectors)).sort(), expected)
        })
      }
      it('all conditions must hold', async () => {
        const found = await store.lexical(id, terms('word'), 10, [
          { field: 'year', comparison: 'AT_LEAST', values: [2000] },
          { field: 'final', comparison: 'ANY_OF', values: [true] },
        ])
        assert.deepEqual(await documentsOf(id, found), ['a'])
      })
    })

    describe('another model', () => {
      const NEXT = { model: 'shapes', dimension: 2 }
      it('the old index serves until the new one lacks nothing, then is gone', async () => {
        const { id, name: named } = await fresh()
        const drafts = [draft('a', 'one'), draft('b', 'two')]
        await store.write(id, drafts, MODEL.model, vectorsOf(drafts, [1, 0, 0]))
        await store.build(id, NEXT)
        const lacking = await store.lacking(id, NEXT.model, 10)
        assert.deepEqual(lacking.map(({ text }) => text).sort(), ['one', 'two'])
        await store.fill(id, NEXT.model, new Map([[lacking[0]!.passage, Float32Array.from([1, 0])]]))
        assert.equal(await store.serve(id, NEXT.model), false)
        assert.equal((await store.nearest(id, Float32Array.from([1, 0, 0]), 5, []))?.length, 2)
        assert.deepEqual((await store.find('acme', named))?.building, { ...NEXT, embedded: 1 })
        assert.ok((await store.incomplete(NEXT.model)).some((one) => one.id === id))

        await store.fill(id, NEXT.model, new Map(lacking.map(({ passage }) => [passage, Float32Array.from([0, 1])])))
        assert.equal(await store.serve(id, NEXT.model), true)
        const info = await store.find('acme', named)
        assert.deepEqual([info?.serving, info?.building], [{ ...NEXT, embedded: 2 }, undefined])
        assert.equal((await store.nearest(id, Float32Array.from([0, 1]), 5, []))?.length, 2)
        // A query that was embedded before the change asks again, instead of comparing vectors of two models.
        assert.equal(await store.nearest(id, Float32Array.from([1, 0, 0]), 5, [], MODEL.model), undefined)
        assert.equal((await store.nearest(id, Float32Array.from([0, 1]), 5, [], NEXT.model))?.length, 2)
        assert.ok((await store.incomplete(NEXT.model)).every((one) => one.id !== id))
      })

      it('a vector of a passage that was deleted meanwhile is dropped', async () => {
        const { id, name: named } = await fresh()
        await store.write(id, [draft('a', 'here'), draft('b', 'gone')], undefined, new Map())
        const lacking = await store.lacking(id, MODEL.model, 10)
        await store.remove(id, ['b'])
        await store.fill(
          id,
          MODEL.model,
          new Map(lacking.map(({ passage }) => [passage, Float32Array.from([0, 0, 1])])),
        )
        assert.equal((await store.find('acme', named))?.serving?.embedded, 1)
      })

      it('a collection without a model answers by words and takes its first model later', async () => {
        const { id } = await store.open('acme', `collection-${++made}`, undefined)
        await store.write(id, [draft('a', 'words only')], undefined, new Map())
        assert.deepEqual(await store.nearest(id, Float32Array.from([1, 0, 0]), 5, []), [])
        await store.build(id, MODEL)
        const [one] = await store.lacking(id, MODEL.model, 10)
        await store.fill(id, MODEL.model, new Map([[one!.passage, Float32Array.from([1, 0, 0])]]))
        assert.equal(await store.serve(id, MODEL.model), true)
        assert.equal((await store.nearest(id, Float32Array.from([1, 0, 0]), 5, []))?.length, 1)
      })
    })
  })
}
