import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { highlights } from '../../../src/workers/retrieval/highlights.ts'
import { distinctTerms, tokenise } from '../../../src/workers/retrieval/tokens.ts'

const same = (left: string, right: string): void =>
  assert.deepEqual(distinctTerms(left), distinctTerms(right), `${left} / ${right}`)

test('forms of one word become one term', () => {
  for (const [left, right] of [
    ['Studies', 'study'],
    ['planned', 'plan'],
    ['Häusern', 'hausern'],
    ['Straße', 'STRASSE'],
    ['canción', 'cancion'],
    ['gatos', 'gato'],
    ['الحديقة', 'حديقه'],
    ['ＡＢＣ', 'abc'],
    ['Warsaw’s', 'warsaw'],
  ]) {
    same(left!, right!)
  }
})

test('different words stay different', () => {
  for (const [left, right] of [
    ['bus', 'bu'],
    ['gas', 'ga'],
    ['sing', 's'],
    ['2020', '2021'],
    ['3.5', '35'],
  ]) {
    assert.notDeepEqual(distinctTerms(left!), distinctTerms(right!))
  }
})

test('text without blanks yields words and single characters', () => {
  const found = tokenise('夏季剧院').map(({ term }) => term)
  for (const character of '夏季剧院') assert.ok(found.includes(character))
  assert.ok(found.some((term) => term.length > 1))
})

test('numbers keep their point and lose the comma of thousands', () => {
  assert.deepEqual(distinctTerms('3.5 1,000'), ['3.5', '1000'])
})

test('offsets point at the word in the original text, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
      for (const { term, start, end } of tokenise(text)) {
        assert.ok(start >= 0 && end > start && end <= text.length && term !== '' && !term.includes(' '))
      }
    }),
  )
})

test('a million characters without a blank are tokenised in bounded time', () => {
  const started = performance.now()
  tokenise('花园'.repeat(100_000))
  tokenise('x'.repeat(1_000_000))
  assert.ok(performance.now() - started < 10_000)
})

test('highlights mark whole words once, in order', () => {
  const text = 'The gardens, a Garden; 夏季剧院 here.'
  const spans = highlights(text, new Set(distinctTerms('garden 剧院')))
  assert.deepEqual(
    spans.map(({ start, end }) => text.slice(start, end)),
    ['gardens', 'Garden', '剧院'],
  )
})
