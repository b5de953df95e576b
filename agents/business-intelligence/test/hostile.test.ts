// What a hostile dataset, question or model can do to this agent: make it say so, and no more.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TroupeError } from '@troupe/sdk'
import { runAgent, type TestServices, testServices } from '@troupe/sdk/testing'
import { DEFECT, hostileTables } from '../../../test/tools/hostile-tables.ts'
import { hurryQueries } from '../../../test/tools/hurried-queries.ts'
import agent from '../index.ts'
import type { Answer } from '../request.ts'

const rows = Array.from({ length: 40 }, (_, row) => ({ region: row % 2 === 0 ? 'north' : 'south', revenue: row }))
const quiet = { charts: 0, report: [], forecastPeriods: 0 }

async function outcome(input: object, services: TestServices = {}) {
  const { task } = await runAgent(agent, input as never, { patience: 90_000, services })
  return { task, text: `${task.state} ${JSON.stringify(task.error ?? task.output)}` }
}

test('a hostile table ends as a result or as a coded failure', async (t) => {
  for (const { title, content, ends } of await hostileTables()) {
    await t.test(title, async () => {
      const documents = { doc: { name: 'table', mime: 'application/octet-stream', content } }
      const { text } = await outcome({ dataset: { documentId: 'doc' }, ...quiet }, { documents })
      assert.match(text, ends, text.slice(0, 600))
      assert.doesNotMatch(text, DEFECT)
    })
  }
})

test('markup in cells and names is text in the report and in its charts', async () => {
  const evil = '<script>alert(1)</script>'
  // The same object names the same document store.
  const services: TestServices = {}
  const { task } = await outcome(
    {
      dataset: {
        rows: Array.from({ length: 120 }, (_, n) => ({
          day: new Date(Date.UTC(2024, 0, 1 + n)).toISOString().slice(0, 10),
          [`shop ${evil}`]: n % 3 === 0 ? evil : `"><img src=x onerror=alert(${n % 2})>`,
          revenue: 100 + n + (n % 7) * 3,
        })),
      },
      question: evil,
      charts: 3,
      report: ['html'],
      forecastPeriods: 0,
    },
    services,
  )
  assert.equal(task.state, 'completed', JSON.stringify(task.error))
  const { charts, reports } = task.output as Answer
  const ids = [...Object.values(reports), ...charts.map(({ svg }) => svg)]
  assert.ok(charts.length > 0 && ids.length > charts.length)
  let told = 0
  for (const id of ids) {
    const text = Buffer.from(await testServices(services).documents('test').read(id)).toString('utf8')
    assert.doesNotMatch(text, /<script>alert|<img src=x/, 'what a cell says is markup')
    if (text.includes('alert(1)')) told += 1
  }
  assert.ok(told > 0, 'no document shows the cell at all')
})

let replies: string[] = []
const chat = { invoke: async () => ({ text: replies.shift() ?? 'SELECT 1' }) }
const llm = { configured: true, chat: async () => chat as never }

const FOREVER = 'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t'
for (const [what, sql] of [
  ['writes', 'DROP TABLE data'],
  ['writes a file', "COPY data TO '/tmp/stolen-by-troupe-test.csv'"],
  ['reads a file', "SELECT * FROM read_text('/etc/passwd')"],
  ['reads the environment', "SELECT getenv('HOME')"],
  ['loads an extension', 'INSTALL httpfs; LOAD httpfs'],
  ['never ends', FOREVER],
] as const) {
  test(`SQL of a model that ${what} does not run, however often it insists, and the insights come all the same`, async (t) => {
    hurryQueries(t)
    replies = Array.from({ length: 8 }, () => sql)
    const { task, text } = await outcome(
      { dataset: { rows }, question: 'which month was luckiest for whom', ...quiet },
      { llm },
    )
    assert.equal(task.state, 'completed', text)
    const { answer, table } = task.output as Answer
    assert.equal(answer?.understood, false, text)
    assert.ok((answer?.notes ?? []).length > 0)
    assert.equal(table.rowCount, rows.length)
    assert.doesNotMatch(text, DEFECT)
  })
}

test('a model that does not answer leaves the question open, and the insights come all the same', async () => {
  const silent = {
    invoke: async () => {
      throw new TroupeError('unavailable', 'The endpoint answered 500.')
    },
  }
  const { task, text } = await outcome(
    { dataset: { rows }, question: 'which month was luckiest for whom', ...quiet },
    { llm: { configured: true, chat: async () => silent as never } },
  )
  assert.equal(task.state, 'completed', text)
  const { answer, table } = task.output as Answer
  assert.equal(answer?.understood, false)
  assert.match(answer?.notes.join() ?? '', /did not answer: The endpoint answered 500/)
  assert.equal(table.rowCount, rows.length)
})
