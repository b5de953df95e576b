import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chunk } from '../../../src/workers/retrieval/chunking.ts'
import { tokenise } from '../../../src/workers/retrieval/tokens.ts'

const SMALL = { tokens: 12, overlap: 4, section: 3 }
const cut = (text: string, limits = SMALL): string[] =>
  chunk(text, tokenise(text), limits).map(({ start, end }) => text.slice(start, end))

test('a short text is one passage, without the blanks around it', () => {
  assert.deepEqual(cut('  One sentence only.\n'), ['One sentence only.'])
})

test('a long text is cut between sentences, and the last short sentence is repeated', () => {
  const text = 'Alpha beta gamma delta epsilon zeta. Eta theta iota. Kappa lambda my ny xi. Omikron pi rho sigma.'
  assert.deepEqual(cut(text), [
    'Alpha beta gamma delta epsilon zeta. Eta theta iota.',
    'Eta theta iota. Kappa lambda my ny xi. Omikron pi rho sigma.',
  ])
})

test('a heading opens a passage and stays with what follows; sections do not overlap', () => {
  const text = '# First\n\nSome words stand here.\n\n## Second\nOther words stand there.'
  assert.deepEqual(cut(text), ['# First\n\nSome words stand here.', '## Second\nOther words stand there.'])
})

test('tiny sections share a passage', () => {
  assert.deepEqual(cut('# A\n\nOne.\n\n# B\n\nTwo.'), ['# A\n\nOne.\n\n# B\n\nTwo.'])
})

test('a sentence without end is cut between words', () => {
  const passages = cut(Array.from({ length: 30 }, (_, place) => `word${place}`).join(' '))
  assert.equal(passages.length, 3)
  assert.match(passages[1]!, /^word12 .*word23 ?$/)
})

test('a text without a word has no passages', () => {
  assert.deepEqual(cut(' … !!! '), [])
})

test('Chinese is cut at its own full stops', () => {
  const passages = cut('花园在城市中心。剧院在花园里面。火车站在河的旁边。')
  assert.ok(passages.length > 1)
  for (const passage of passages) assert.match(passage, /。$/)
})

test('whatever the text: no passage is too long, each token is in one, offsets are in order', () => {
  const text = fc.array(
    fc.constantFrom('word', 'Go on.', '\n\n', ' ', '# Title\n', '花园。', 'a', '.', 'x'.repeat(30)),
    { maxLength: 80 },
  )
  fc.assert(
    fc.property(text, (parts) => {
      const whole = parts.join(' ')
      const tokens = tokenise(whole)
      const chunks = chunk(whole, tokens, SMALL)
      const covered = new Set<number>()
      let before = -1
      for (const { start, end, firstToken, lastToken } of chunks) {
        assert.ok(lastToken - firstToken <= SMALL.tokens && lastToken > firstToken)
        assert.ok(start > before && end > start && end <= whole.length)
        before = start
        for (let at = firstToken; at < lastToken; at++) {
          covered.add(at)
          assert.ok(tokens[at]!.start >= start && tokens[at]!.start < end)
        }
      }
      assert.equal(covered.size, tokens.length)
    }),
  )
})
