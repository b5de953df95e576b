// What hostile datasets, rules and claims can do to this agent: make it say so, and no more.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { runAgent, type TestServices } from '@troupe/sdk/testing'
import { DEFECT, hostileTables } from '../../../test/tools/hostile-tables.ts'
import { hurryQueries } from '../../../test/tools/hurried-queries.ts'
import agent from '../index.ts'
import type { Report } from '../request.ts'

const rows = Array.from({ length: 40 }, (_, row) => ({ name: `shop ${row}`, revenue: 100 + ((row * 7919) % 23) }))

async function outcome(input: object, services: TestServices = {}) {
  const { task } = await runAgent(agent, input as never, { patience: 90_000, services })
  return { task, text: `${task.state} ${JSON.stringify(task.error ?? task.output)}` }
}

test('a hostile table ends as a report or as a coded failure', async (t) => {
  for (const { title, content, ends } of await hostileTables()) {
    await t.test(title, async () => {
      const documents = { doc: { name: 'table', mime: 'application/octet-stream', content } }
      const { text } = await outcome({ dataset: { documentId: 'doc' } }, { documents })
      assert.match(text, ends, text.slice(0, 600))
      assert.doesNotMatch(text, DEFECT)
    })
  }
})

const FOREVER = '(WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t)'
const STOLEN = '/tmp/stolen-by-troupe-test.csv'
const HOSTILE_SQL = [
  ['reads a file', "(SELECT content FROM read_text('/etc/passwd'))"],
  ['writes a file', `1); COPY data TO '${STOLEN}'; SELECT (1`],
  ['drops the table', '1); DROP TABLE data; SELECT (1'],
  ['reads the environment', "getenv('HOME')"],
  ['never ends', FOREVER],
] as const

for (const [what, sql] of HOSTILE_SQL) {
  test(`a condition that ${what} is refused or broken, never obeyed`, async (t) => {
    hurryQueries(t)
    const expectations = [{ kind: 'condition', sql: `${sql} IS NOT NULL` }]
    const { text } = await outcome({ dataset: { rows }, expectations, infer: false })
    assert.match(text, /"code":"(query_refused|limit_exceeded|invalid_input)"|query_refused|refused|limit/, text)
    assert.doesNotMatch(text, DEFECT)
    assert.ok(!existsSync(STOLEN))
  })

  test(`a claim whose SQL ${what} is not supported`, async () => {
    const figure = { name: 'total', value: 1, sql: `SELECT ${sql} AS value` }
    const analysis = { keyFigures: [figure], insights: [{ text: 'The total is 1.', figures: [figure] }] }
    const { task, text } = await outcome({ dataset: { rows }, analysis })
    assert.doesNotMatch(text, DEFECT)
    assert.ok(!existsSync(STOLEN))
    if (task.state === 'failed') assert.match(text, /query_refused|limit_exceeded/)
    else
      assert.ok(
        (task.output as Report).claims.every(({ verdict }) => verdict !== 'supported'),
        text,
      )
  })
}

test('a pattern that would take for ever elsewhere takes no longer than others', async () => {
  const text = `${'a'.repeat(30_000)}!`
  const expectations = [{ kind: 'pattern', column: 'name', pattern: '^(a+)+$' }]
  const began = performance.now()
  const { task } = await outcome({ dataset: { rows: [{ name: text }, { name: text }] }, expectations, infer: false })
  assert.ok(performance.now() - began < 20_000)
  assert.equal(task.state, 'completed', JSON.stringify(task.error))
  assert.equal((task.output as Report).violations[0]?.broken, 2)
})

test('an empty document and one of only control characters are told so', async () => {
  const documents = { empty: { name: 'a.txt', mime: 'text/plain', content: '' } }
  const { text } = await outcome({ document: { documentId: 'empty' } }, { documents })
  assert.match(text, /"verdict":"fail"|document_unreadable/)
  const controls = await outcome({ document: { text: '\u0001\u0002\u0003' } })
  assert.doesNotMatch(controls.text, DEFECT)
})
