import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createFeaturiser, type FeaturiserConfig } from '../../src/training/featuriser.ts'
import { words } from '../../src/training/tokens.ts'

const CONFIG: FeaturiserConfig = {
  kind: 'ngrams',
  version: 1,
  words: { shortest: 1, longest: 2 },
  characters: { shortest: 3, longest: 5 },
  digits: 'shape',
  size: 4096,
  hashed: 4096,
  vocabulary: '',
  weights: '',
  unseenWeight: 1,
  longestText: 1000,
  mostTerms: 200,
}

test('words are found in scripts with and without spaces, and signs of money are words', () => {
  assert.deepEqual(words('Müller-Straße 12: 萨克森花园 €9', { digits: 'shape' }), [
    'muller',
    'straße',
    '00',
    '萨克',
    '森',
    '花园',
    '€',
    '0',
  ])
  assert.deepEqual(words('हिन्दी ٣٤', { digits: 'keep' }), ['हिन्दी', '٣٤'])
})

test('any text gives a sorted, normalised vector within its bounds, twice the same', () => {
  const featuriser = createFeaturiser(CONFIG)
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (text) => {
      const { indices, values } = featuriser.sparse(text)
      assert.ok(indices.length <= CONFIG.mostTerms)
      assert.ok(
        indices.every((index, at) => index >= 0 && index < CONFIG.size && (at === 0 || index > indices[at - 1]!)),
      )
      const length = Math.hypot(...values)
      assert.ok(indices.length === 0 || Math.abs(length - 1) < 1e-5)
      assert.deepEqual(createFeaturiser(structuredClone(CONFIG)).sparse(text), { indices, values })
    }),
    { numRuns: 100 },
  )
})

test('a batch pads the shorter texts with nothing', () => {
  const featuriser = createFeaturiser(CONFIG)
  const batch = featuriser.batch(['a much longer text than the other', 'short', ''])
  assert.equal(batch.indices.length, batch.rows * batch.terms)
  for (const [row, text] of ['a much longer text than the other', 'short', ''].entries()) {
    const dense = new Float32Array(CONFIG.size)
    for (let at = row * batch.terms; at < (row + 1) * batch.terms; at++) dense[batch.indices[at]!]! += batch.values[at]!
    assert.deepEqual(dense, featuriser.features(text))
  }
})

test('a vocabulary of the wrong length and an unknown version are refused', () => {
  assert.throws(() => createFeaturiser({ ...CONFIG, hashed: 4095 }), { code: 'model_invalid' })
  assert.throws(() => createFeaturiser({ ...CONFIG, version: 2 as 1 }), { code: 'model_invalid' })
})
