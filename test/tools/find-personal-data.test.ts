import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkFigures } from '../../tools/check-figures.ts'
import { findPersonalData } from '../../tools/find-personal-data.ts'

const context = { signal: new AbortController().signal }

test('personal data in a table is found by kind, column and row, and shown masked only', async () => {
  const rows = [
    { id: 1, contact: 'none', account: 'none' },
    { id: 2, contact: 'anna@example.org', account: 'DE89370400440532013000' },
    { id: 3, contact: 'none', account: 'none' },
  ]
  const { findings } = await findPersonalData.call({ table: { rows } }, context)
  const found = findings.map(({ kind, where, count, examples }) => [kind, where, count, examples[0]?.row])
  assert.deepEqual(found, [
    ['email', 'contact', 1, 2],
    ['iban', 'account', 1, 2],
  ])
  assert.doesNotMatch(JSON.stringify(findings), /anna@|DE8937/)
})

test('keys, tokens and passwords in a text are secrets', async () => {
  const text = [
    '-----BEGIN RSA PRIVATE KEY-----',
    `AKIA${'A1B2C3D4'.repeat(2)}`,
    `ghp_${'a1B2'.repeat(9)}`,
    'pwd = correct-horse',
  ].join('\n')
  const { findings } = await findPersonalData.call({ text }, context)
  const secrets = findings.filter((one) => one.secret).map((one) => one.kind)
  assert.deepEqual(secrets.sort(), ['access_token', 'cloud_key', 'password', 'private_key'])
})

test('a text may be as long as a document is read', async () => {
  const text = `${'Nothing of note happened here.\n'.repeat(70_000)}Write to anna@example.org.`
  assert.ok(text.length > 2_000_000)
  const { findings } = await findPersonalData.call({ text }, context)
  assert.deepEqual(
    findings.map(({ kind, count }) => [kind, count]),
    [['email', 1]],
  )
})

test('a statement is supported, contradicted or unsupported by the data', async () => {
  const table = { name: 'data', text: 'region,revenue\nn,1200\ns,300.5\n' }
  const sql = 'SELECT sum(revenue) FROM data'
  const statements = [
    { text: 'revenue is 1,500 in all', figures: [{ name: 'total', value: 1500.5, sql }] },
    { text: 'revenue is 1,501', figures: [{ name: 'total', value: 1501, sql }] },
    { text: 'revenue grew by 12 % since 2024-01', figures: [] },
    { text: 'revenue is 7', figures: [{ name: 'total', value: 7, sql: 'DROP TABLE data' }] },
  ]
  const { statements: checked } = await checkFigures.call({ table, statements }, context)
  assert.deepEqual(
    checked.map((one) => one.verdict),
    ['supported', 'contradicted', 'unsupported', 'contradicted'],
  )
  assert.deepEqual(checked[2]?.reasons, ['12 is the value of no figure'])
})
