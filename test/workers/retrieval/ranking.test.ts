import assert from 'node:assert/strict'
import { test } from 'node:test'
import { POSTINGS_BUDGET, rarity, termsToFollow, termWeight } from '../../../src/workers/retrieval/bm25.ts'
import { diversify, fuse } from '../../../src/workers/retrieval/ranking.ts'

const order = (fused: { passage: number }[]): number[] => fused.map(({ passage }) => passage)

test('what both rankings like comes first; shares add up to the score', () => {
  const fused = fuse([1, 2, 3], [3, 4], { lexical: 1, vector: 1 })
  assert.deepEqual(order(fused), [3, 1, 2, 4])
  for (const { score, lexical, vector } of fused) assert.equal(score, (lexical?.share ?? 0) + (vector?.share ?? 0))
})

test('a weak second ranking never overturns the first two, and adds what the first one missed', () => {
  const fused = order(fuse([1, 2, 3, 4], [9, 4, 3], { lexical: 1, vector: 0.2 }))
  assert.deepEqual(fused.slice(0, 2), [1, 2])
  assert.ok(fused.includes(9))
})

test('equal scores keep the order by words', () => {
  assert.deepEqual(order(fuse([1, 2], [2, 1], { lexical: 1, vector: 1 })), [1, 2])
})

test('diversity 0 keeps the order; 1 prefers the unlike; a missing vector is like nothing', () => {
  const items = [
    { id: 'a', score: 3, vector: Float32Array.of(1, 0) },
    { id: 'b', score: 2, vector: Float32Array.of(1, 0) },
    { id: 'c', score: 1, vector: Float32Array.of(0, 1) },
    { id: 'd', score: 0.5, vector: undefined },
  ]
  const pick = (diversity: number): string[] =>
    diversify(items, ({ vector }) => vector, diversity, 4).map(({ item }) => item.id)
  assert.deepEqual(pick(0), ['a', 'b', 'c', 'd'])
  assert.deepEqual(pick(0.6), ['a', 'c', 'd', 'b'])
  assert.deepEqual(diversify(items, ({ vector }) => vector, 0.6, 4).at(-1)?.likeness, 1)
})

test('rare terms are followed first, common ones only while the budget lasts, and always at least one', () => {
  const counts = [
    { term: 'the', passages: POSTINGS_BUDGET },
    { term: 'heron', passages: 3 },
    { term: 'nowhere', passages: 0 },
  ]
  assert.deepEqual(
    termsToFollow(counts).map(({ term }) => term),
    ['heron'],
  )
  assert.deepEqual(
    termsToFollow(counts.slice(0, 1)).map(({ term }) => term),
    ['the'],
  )
})

test('a weight grows with rarity and frequency, and shrinks with length', () => {
  assert.ok(rarity(1_000, 1) > rarity(1_000, 500) && rarity(1_000, 1_000) > 0)
  assert.ok(termWeight(1, 2, 10, 10) > termWeight(1, 1, 10, 10))
  assert.ok(termWeight(1, 1, 5, 10) > termWeight(1, 1, 20, 10))
})
