import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { closeDocumentPools } from '@troupe/tools/document-pool'
import type { EntityKind } from '@troupe/tools/entities/entity'
import { recognise } from '@troupe/tools/entities/recognise'
import { recogniseEntities } from '@troupe/tools/recognise-entities'
import { redact } from '@troupe/tools/redact'
import { random } from '../../bench/random.ts'
import { sharedData } from '../support/shared-data.ts'

after(closeDocumentPools)

const context = { signal: new AbortController().signal }

function found(text: string, kind: EntityKind): string[] {
  return recognise(text)
    .filter((one) => one.kind === kind)
    .map((one) => (one.value === undefined ? one.text : `${one.text} = ${one.value}`))
}

test('what has a form is found and normalised', () => {
  assert.deepEqual(found('Write to Ada.Lovelace@Example.org, please.', 'email'), [
    'Ada.Lovelace@Example.org = ada.lovelace@example.org',
  ])
  assert.deepEqual(found('IBAN DE89 3704 0044 0532 0130 00', 'iban'), [
    'DE89 3704 0044 0532 0130 00 = DE89370400440532013000',
  ])
  assert.deepEqual(found('card 4111 1111 1111 1111 today', 'card'), ['4111 1111 1111 1111 = 4111111111111111'])
  assert.deepEqual(found('SSN 078-05-1120', 'ssn'), ['078-05-1120'])
  assert.deepEqual(found('from 192.168.0.1 and 2001:db8::8a2e:370:7334', 'ip'), [
    '192.168.0.1',
    '2001:db8::8a2e:370:7334',
  ])
  assert.deepEqual(found('call +49 30 901820 now', 'phone'), ['+49 30 901820 = +4930901820'])
  assert.deepEqual(found('see https://example.org/a?b=1.', 'url'), ['https://example.org/a?b=1'])
  assert.deepEqual(found('Invoice no. INV-2024-0815 of today', 'id'), ['INV-2024-0815'])
})

test('check digits tell numbers that mean something from others', () => {
  assert.deepEqual(found('the number 4111 1111 1111 1112 is nothing', 'card'), [])
  assert.deepEqual(found('DE89 3704 0044 0532 0130 01 is nothing', 'iban'), [])
  assert.deepEqual(found('part 000-12-3456', 'ssn'), [])
  assert.deepEqual(found('version 1.2.3.400', 'ip'), [])
})

test('a word or a number behind an IBAN or a card is no part of it', () => {
  assert.deepEqual(found('pay to DE89370400440532013000 when done', 'iban'), [
    'DE89370400440532013000 = DE89370400440532013000',
  ])
  assert.deepEqual(found('DE89 3704 0044 0532 0130 00 with thanks', 'iban'), [
    'DE89 3704 0044 0532 0130 00 = DE89370400440532013000',
  ])
  assert.deepEqual(found('4111 1111 1111 1111 12/27', 'card'), ['4111 1111 1111 1111 = 4111111111111111'])
})

test('dates become ISO, whatever their order and language', () => {
  assert.deepEqual(found('on 12 March 1984 and March 3, 2021 at 5:30 pm', 'date'), [
    '12 March 1984 = 1984-03-12',
    'March 3, 2021 at 5:30 pm = 2021-03-03T17:30',
  ])
  assert.deepEqual(found('am 14. März 2023, le 5 août 2022, 2024-02-29, 31.12.1999', 'date'), [
    '14. März 2023 = 2023-03-14',
    '5 août 2022 = 2022-08-05',
    '2024-02-29 = 2024-02-29',
    '31.12.1999 = 1999-12-31',
  ])
  assert.deepEqual(found('on 03/04/2025', 'date'), ['03/04/2025 = 2025-03-04'])
  assert.deepEqual(found('on 03/04/2025, due 28/04/2025', 'date'), [
    '03/04/2025 = 2025-04-03',
    '28/04/2025 = 2025-04-28',
  ])
  assert.deepEqual(found('on 30/02/2025', 'date'), [])
})

test('"yesterday" counts from the given day, wherever on earth the process runs', (t) => {
  const zone = process.env.TZ
  t.after(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })
  for (const elsewhere of ['UTC', 'Pacific/Kiritimati', 'Pacific/Auckland', 'Pacific/Pago_Pago']) {
    process.env.TZ = elsewhere
    const dates = recognise('Yesterday, on May 3 and next Monday.', { reference: new Date('2025-03-10T12:00:00Z') })
    assert.deepEqual(
      dates.map((one) => one.value),
      ['2025-03-09', '2025-05-03', '2025-03-17'],
      elsewhere,
    )
  }
})

test('amounts become numbers in both ways of writing them', () => {
  assert.deepEqual(found('€1.234,50 or $1,234.50 or CHF 99 or $2.5 million or 300 euros', 'money'), [
    '€1.234,50 = EUR 1234.5',
    '$1,234.50 = USD 1234.5',
    'CHF 99 = CHF 99',
    '$2.5 million = USD 2500000',
    '300 euros = EUR 300',
  ])
  assert.deepEqual(found('3.5 kg, 12 % and 40 employees', 'quantity'), [
    '3.5 kg = 3.5 kg',
    '12 % = 12 %',
    '40 employees = 40 employees',
  ])
})

test('people, organisations and places are told apart by what stands around them', () => {
  const text =
    'Dr. Maria Gonzales of Northwind Traders Ltd. moved to Lisbon. Gonzales said that Siemens AG would follow.'
  assert.deepEqual(found(text, 'person'), ['Maria Gonzales', 'Gonzales'])
  assert.deepEqual(found(text, 'organisation'), ['Northwind Traders Ltd', 'Siemens AG'])
  assert.deepEqual(found(text, 'place'), ['Lisbon'])
})

test('every offset points at its text, on its page, also in a text of many pieces', async () => {
  const line = 'On 2024-03-01 Ada Lovelace paid €5 to ada@example.org in Berlin.\n'
  const text = line.repeat(4_000)
  const { entities } = await recogniseEntities.call({ text, pageStarts: [0, line.length * 2_000] }, context)
  assert.equal(entities.filter((one) => one.kind === 'email').length, 4_000)
  for (const { text: shown, start, end, page } of entities) {
    assert.equal(text.slice(start, end), shown)
    assert.equal(page, start < line.length * 2_000 ? 1 : 2)
  }
})

test('texts made to make patterns backtrack are read in time', () => {
  const started = performance.now()
  for (const evil of [
    'a.'.repeat(50_000),
    '1 '.repeat(50_000),
    '1-'.repeat(50_000),
    'A '.repeat(50_000),
    '@a'.repeat(50_000),
    ':'.repeat(100_000),
    'www.'.repeat(25_000),
    '('.repeat(100_000),
    'a:'.repeat(50_000),
    'no no '.repeat(20_000),
  ]) {
    recognise(evil)
  }
  const took = performance.now() - started
  assert.ok(took < 20_000, `${took} ms`)
})

test('redact masks personal data by kind and keeps the rest', async () => {
  const text = 'Ms. Jane Austen, jane@example.org, card 4111 1111 1111 1111, pays €20.'
  const label = await redact.call({ text }, context)
  assert.equal(label.text, 'Ms. [person], [email], card [card], pays €20.')
  assert.deepEqual(label.counts, { person: 1, email: 1, card: 1 })
  const tail = await redact.call({ text, kinds: ['card'], style: 'last-four' }, context)
  assert.equal(tail.text, 'Ms. Jane Austen, jane@example.org, card **** **** **** 1111, pays €20.')
})

const presidio = sharedData('pii/presidio/dev.json')
const KINDS: Record<string, EntityKind> = {
  PERSON: 'person',
  GPE: 'place',
  ORGANIZATION: 'organisation',
  CREDIT_CARD: 'card',
  PHONE_NUMBER: 'phone',
  EMAIL_ADDRESS: 'email',
  US_SSN: 'ssn',
  IBAN_CODE: 'iban',
  IP_ADDRESS: 'ip',
}
const BARS: Partial<Record<EntityKind, number>> = {
  email: 0.98,
  ssn: 0.98,
  iban: 0.98,
  ip: 0.98,
  card: 0.97,
  phone: 0.95,
}

test('presidio sentences: personal data is found', {
  skip: presidio === undefined && 'the public data is not beside the checkout',
}, (t) => {
  const sentences = JSON.parse(readFileSync(presidio!, 'utf8')) as {
    full_text: string
    spans: { entity_type: string; start_position: number; end_position: number }[]
  }[]
  const counts = new Map<EntityKind, { right: number; missed: number; wrong: number }>()
  const countOf = (kind: EntityKind) => {
    const count = counts.get(kind) ?? { right: 0, missed: 0, wrong: 0 }
    counts.set(kind, count)
    return count
  }
  for (const { full_text, spans } of sentences) {
    const unmatched = new Set(recognise(full_text))
    for (const { entity_type, start_position, end_position } of spans) {
      const kind = KINDS[entity_type]
      if (kind === undefined) continue
      const match = [...unmatched].find(
        (one) => one.kind === kind && one.start < end_position && one.end > start_position,
      )
      if (match === undefined) countOf(kind).missed += 1
      else {
        unmatched.delete(match)
        countOf(kind).right += 1
      }
    }
    for (const one of unmatched) countOf(one.kind).wrong += 1
  }
  for (const [kind, { right, missed, wrong }] of counts) {
    if (right + missed === 0) continue
    const recall = right / (right + missed)
    const precision = right / (right + wrong)
    t.diagnostic(
      `${kind}: recall ${recall.toFixed(3)}, precision ${precision.toFixed(3)}, F1 ${((2 * right) / (2 * right + missed + wrong)).toFixed(3)}`,
    )
    const bar = BARS[kind]
    if (bar !== undefined && right + missed > 0) assert.ok(recall >= bar, `${kind}: recall ${recall}`)
    if (kind === 'phone') assert.ok(precision >= 0.8, `phone: precision ${precision}`)
  }
})

test('letters of a postcode are no name, and the roles of a contract are no organisations', () => {
  const text =
    '22 Harbour Road, Bristol BS1 5TY. Nordlicht Consulting AG ("Provider") works. The Provider shall deliver.'
  assert.deepEqual(found(text, 'person'), [])
  assert.deepEqual(found(text, 'organisation'), ['Nordlicht Consulting AG'])
})

/** Made here, because the public sentences have none of these kinds: the same numbers in every run. */
function* madeNumbers(count: number): Generator<{ kind: EntityKind; text: string }> {
  const dice = random(4)
  const digits = (length: number) => Array.from({ length }, () => dice.integer(0, 9)).join('')
  const ibanOf = (country: string, account: string) => {
    const moved = `${account}${country}00`.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55))
    const check = 98n - (BigInt(moved) % 97n)
    return `${country}${String(check).padStart(2, '0')}${account}`
  }
  const grouped = (iban: string) => iban.replace(/(.{4})(?=.)/g, '$1 ')
  for (let index = 0; index < count; index++) {
    const area = String(dice.integer(1, 665)).padStart(3, '0')
    const ssn = [area, String(dice.integer(1, 99)).padStart(2, '0'), String(dice.integer(1, 9_999)).padStart(4, '0')]
    yield { kind: 'ssn', text: `Her SSN is ${ssn.join(['-', ' ', ''][index % 3])} as the form says.` }
    yield { kind: 'ssn', text: `Applicant ${ssn.join('-')}, born in Ohio.` }
    const iban = [
      ibanOf('DE', digits(18)),
      ibanOf('FR', digits(23)),
      ibanOf('NL', `ABNA${digits(10)}`),
      ibanOf('GB', `BUKB${digits(14)}`),
    ][index % 4]!
    yield { kind: 'iban', text: `Please transfer it to ${index % 2 === 0 ? iban : grouped(iban)} by Friday.` }
    const ip = Array.from({ length: 4 }, () => dice.integer(0, 255)).join('.')
    yield { kind: 'ip', text: `The request came from ${ip} at noon.` }
    const wide = Array.from({ length: 8 }, () => dice.integer(0x1000, 0xffff).toString(16))
    yield {
      kind: 'ip',
      text: `The host ${index % 2 === 0 ? wide.join(':') : `${wide.slice(0, 3).join(':')}::${wide[7]}`} answers.`,
    }
  }
}

test('made social security numbers, IBANs and IP addresses are found nearly always', (t) => {
  const counts = new Map<EntityKind, { right: number; all: number }>()
  for (const { kind, text } of madeNumbers(200)) {
    const count = counts.get(kind) ?? { right: 0, all: 0 }
    counts.set(kind, count)
    count.all += 1
    if (recognise(text).some((one) => one.kind === kind)) count.right += 1
  }
  for (const [kind, { right, all }] of counts) {
    t.diagnostic(`${kind}: recall ${(right / all).toFixed(3)} of ${all} made ones`)
    assert.ok(right / all >= 0.98, `${kind}: recall ${right / all}`)
  }
})
