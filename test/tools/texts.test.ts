import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { checkClaims } from '@troupe/tools/check-claims'
import { detectLanguage } from '@troupe/tools/detect-language'
import { closeDocumentPools } from '@troupe/tools/document-pool'
import { readMarkdown } from '@troupe/tools/documents/markdown'
import { findPassages } from '@troupe/tools/find-passages'
import { keyPhrases } from '@troupe/tools/key-phrases'
import { summarise } from '@troupe/tools/summarise'
import { checkClaims as claimsOf } from '@troupe/tools/texts/claims'
import { findFields } from '@troupe/tools/texts/fields'
import { detectLanguage as languageOf } from '@troupe/tools/texts/language'
import { splitSentences } from '@troupe/tools/texts/sentences'

after(closeDocumentPools)

const context = { signal: new AbortController().signal }

const ARTICLE = `The harbour of Altona was rebuilt in 2019. The harbour had been too shallow for container ships since the
1990s, and the port authority lost half of its customers to Bremerhaven.

Engineers deepened the fairway by 4 metres and built two new container terminals. The container terminals can unload
40 ships a week. Dr. Weber, who led the works, said that the fairway was the hardest part. A local bakery opened nearby.

Since then container traffic has doubled, and the port authority expects a profit of 12 million euros in 2024.`

test('languages are told, also by their script', async () => {
  const texts: [string, string][] = [
    ['en', ARTICLE],
    [
      'de',
      'Der Vertrag wird auf unbestimmte Zeit geschlossen und kann mit einer Frist von drei Monaten gekündigt werden.',
    ],
    [
      'fr',
      'Le présent contrat est conclu pour une durée indéterminée et peut être résilié avec un préavis de trois mois.',
    ],
    ['es', 'El presente contrato se celebra por tiempo indefinido y puede rescindirse con un preaviso de tres meses.'],
    ['ru', 'Настоящий договор заключён на неопределённый срок и может быть расторгнут с уведомлением за три месяца.'],
    ['ja', 'この契約は期間の定めなく締結され、三か月前の通知により解除することができます。'],
  ]
  for (const [language, text] of texts) assert.equal((await detectLanguage.call({ text }, context)).language, language)
  assert.equal((await detectLanguage.call({ text: '42' }, context)).language, 'und')
})

test('sentences end where a reader ends them', () => {
  const text =
    'Dr. Weber came at 5.30 p.m. with No. 7. He left! Why?\n\n• a point\n• another point\nA\tB\n1\t2\nEnd of it'
  assert.deepEqual(
    splitSentences(text).map((one) => one.text),
    [
      'Dr. Weber came at 5.30 p.m. with No. 7.',
      'He left!',
      'Why?',
      '• a point',
      '• another point',
      'A\tB',
      '1\t2',
      'End of it',
    ],
  )
})

test('a summary is made of the text’s own sentences, in its order, each with its place', async () => {
  const { sentences } = await summarise.call({ text: ARTICLE, sentences: 3 }, context)
  assert.equal(sentences.length, 3)
  for (const { text, start, end } of sentences) assert.equal(ARTICLE.slice(start, end), text)
  assert.deepEqual(
    sentences.map((one) => one.start),
    sentences.map((one) => one.start).sort((a, b) => a - b),
  )
  assert.ok(!sentences.some((one) => one.text.includes('bakery')), 'the side remark is not the summary')
})

test('key phrases are phrases, ranked, and do not repeat each other', async () => {
  const { phrases } = await keyPhrases.call({ text: ARTICLE, limit: 6 }, context)
  const found = phrases.map((one) => one.text.toLowerCase())
  assert.ok(found.includes('port authority') && found.some((one) => one.includes('container')), found.join(', '))
  for (const { text, start, end } of phrases) assert.equal(ARTICLE.slice(start, end).replace(/\s+/g, ' '), text)
})

test('a question finds its passage', async () => {
  const { passages } = await findPassages.call({ text: ARTICLE, question: 'How deep was the fairway made?' }, context)
  assert.match(passages[0]!.text, /deepened the fairway by 4 metres/)
  assert.equal(ARTICLE.slice(passages[0]!.start, passages[0]!.end), passages[0]!.text)
  assert.deepEqual((await findPassages.call({ text: ARTICLE, question: 'the and of' }, context)).passages, [])
})

test('claims with numbers or names that the source does not have are not supported', async () => {
  const claims = [
    'The fairway was deepened by 4 metres.',
    'The fairway was deepened by 9 metres.',
    'The works were led by Weber, and later by Schulze.',
    'Penguins enjoy swimming with dolphins.',
  ]
  const checked = (await checkClaims.call({ source: ARTICLE, claims }, context)).claims
  assert.deepEqual(
    checked.map((one) => one.supported),
    [true, false, false, false],
  )
  assert.deepEqual(checked[1]?.missing, ['9'])
  assert.deepEqual(checked[2]?.missing, ['Schulze'])
})

test('an address is not read as a sentence, and wrapped prose still is', () => {
  const text = `Bill to:
Harbour Tea Rooms GmbH
Hafenstraße 9, 20457 Hamburg

Late payments bear interest of one and a half percent for each month that
has begun. Goods remain ours until they are paid.
3. Terms
The seller delivers within ten days after the order has reached the office in Hamburg, weather permitting.`
  const flat = splitSentences(text).map((sentence) => sentence.text.replaceAll('\n', ' '))
  assert.deepEqual(flat, [
    'Bill to:',
    'Harbour Tea Rooms GmbH',
    'Hafenstraße 9, 20457 Hamburg',
    'Late payments bear interest of one and a half percent for each month that has begun.',
    'Goods remain ours until they are paid.',
    '3. Terms',
    'The seller delivers within ten days after the order has reached the office in Hamburg, weather permitting.',
  ])
})

test('what a form says line by line is found with its place; sentences and tables are not taken for it', () => {
  const text =
    'Invoice no.: 2025-0417\nTotal due: € 4,188.80\nPlease note: it is late. Pay now.\nItem\tQuantity: 5\tPrice\nhttp://a.example/b'
  const fields = findFields(text, 10)
  assert.deepEqual(
    fields.map(({ label, value }) => [label, value]),
    [
      ['Invoice no.', '2025-0417'],
      ['Total due', '€ 4,188.80'],
    ],
  )
  for (const { value, start, end } of fields) assert.equal(text.slice(start, end), value)
})

test('a name in several parts is one key phrase, and a heading in capitals is not how it is shown', async () => {
  const text =
    'SERVICE AGREEMENT\n\nThe agreement binds Brightwater Engineering Ltd. Brightwater Engineering Ltd pays the fee. The agreement ends when the fee is paid. The plant and the design belong to the plant. The design is final. The work and the system follow; the work is long and the system large.'
  const { phrases } = await keyPhrases.call({ text, language: 'en', limit: 12 }, context)
  const shown = phrases.map((phrase) => phrase.text)
  assert.ok(shown.includes('Brightwater Engineering Ltd'), shown.join(', '))
  assert.ok(!shown.some((one) => /^Brightwater Engineering$|^Engineering Ltd$|AGREEMENT/.test(one)), shown.join(', '))
})

test('single sentences answer; a heading counts for the sentence below it, a number where one is asked for', async () => {
  const text = `6. Governing law
This Agreement is governed by the statutes of Switzerland.

2. Fees
The Client pays a fixed fee of CHF 240,000. The fees are paid by the Client whenever the Provider asks.

3. Termination
Either party may terminate this Agreement with 60 days' written notice.`
  const ask = async (question: string) =>
    (await findPassages.call({ text, question, limit: 1, window: 0 }, context)).passages[0]?.text
  assert.equal(await ask('Which law applies?'), 'This Agreement is governed by the statutes of Switzerland.')
  assert.equal(await ask('How much is the fee that the client pays?'), 'The Client pays a fixed fee of CHF 240,000.')
  assert.match((await ask('When can the agreement be terminated?')) ?? '', /^Either party/)
})

test('texts made to make patterns backtrack are read in time', () => {
  // Each took ten seconds and more, the square of its length.
  const hostile: [string, () => unknown][] = [
    ['a word without an end', () => languageOf('a'.repeat(60_000))],
    ['a row of empty cells', () => splitSentences('\t'.repeat(60_000))],
    ['a heading of blanks', () => readMarkdown(`# a${' '.repeat(3_000)}x`, 'utf-8')],
    ['the rule of a table, of blanks', () => readMarkdown(`a|b\n|-${' '.repeat(60_000)}x`, 'utf-8')],
  ]
  for (const [what, read] of hostile) {
    const began = performance.now()
    read()
    assert.ok(performance.now() - began < 5_000, what)
  }
})

test('a text is read once, however many claims are checked against it', () => {
  const source = Array.from({ length: 3_000 }, (_, at) => `Ship ${at} was unloaded in the harbour of Altona. `).join('')
  const claims = (count: number) => Array.from({ length: count }, (_, at) => `Ship ${at} was unloaded in Altona.`)
  const timed = (count: number) => {
    const began = performance.now()
    assert.ok(claimsOf(source, claims(count), 'en').every(({ supported }) => supported))
    return performance.now() - began
  }
  timed(1)
  const one = timed(1)
  assert.ok(timed(60) < 25 * one, 'sixty claims cost sixty times as much as one')
})
