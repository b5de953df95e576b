import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { TroupeError } from '@troupe/sdk'
import { crashEverywhere, explore, runAgent, testServices } from '@troupe/sdk/testing'
import { checkFigures } from '../../../bench/insights.ts'
import { sharedData } from '../../../test/support/shared-data.ts'
import agent from '../index.ts'
import { machine } from '../machine.ts'
import type { Answer } from '../request.ts'

const months = (count: number) =>
  Array.from({ length: count }, (_, row) => {
    const month = Math.floor(row / 3)
    const region = ['north', 'south', 'west'][row % 3]!
    return {
      month: new Date(Date.UTC(2021, month, 1)).toISOString().slice(0, 10),
      region,
      revenue: 100 + ((row * 7919) % 13) + (region === 'west' && month >= 20 ? 90 : 0),
    }
  })

async function run(input: object): Promise<Answer> {
  const { task } = await runAgent(agent, input as never, { patience: 60_000 })
  assert.equal(task.state, 'completed', JSON.stringify(task.error))
  return task.output as Answer
}

test('a dataset becomes insights, a forecast, charts and a report, and SQLite computes the same figures', async () => {
  const rows = months(120)
  const answer = await run({
    dataset: { rows },
    question: 'total revenue by region in 2023',
    report: ['html', 'markdown', 'pdf'],
  })
  assert.ok(
    answer.insights.some((insight) => insight.kind === 'driver' && insight.at?.segment === 'west'),
    answer.summary,
  )
  assert.deepEqual(answer.answer?.rows.map((row) => row.region).sort(), ['north', 'south', 'west'])
  assert.equal(answer.forecast?.points.length, 12)
  assert.ok(answer.charts.length >= 2)
  assert.deepEqual(Object.keys(answer.reports).sort(), ['html', 'markdown', 'pdf'])
  const text = ['month,region,revenue', ...rows.map((row) => Object.values(row).join(','))].join('\n')
  const figures = [...answer.insights.flatMap((insight) => insight.figures), ...answer.keyFigures]
  assert.deepEqual((await checkFigures({ name: 'data', text }, figures)).unequal, [])
})

for (const name of ['KNYC', 'recent-grads']) {
  const path = sharedData(`bi/fivethirtyeight/${name}.csv`)
  test(`all figures about ${name} equal their SQL run by SQLite`, {
    skip: path === undefined && 'the shared data is absent',
  }, async () => {
    const text = readFileSync(path!, 'utf8')
    const answer = await run({ dataset: { text }, charts: 2 })
    const figures = [...answer.insights.flatMap((insight) => insight.figures), ...answer.keyFigures]
    assert.ok(figures.length > 20)
    assert.deepEqual((await checkFigures({ name: 'data', text }, figures)).unequal, [])
  })
}

test('a question that is not understood is said to be, and the insights come all the same', async () => {
  const answer = await run({ dataset: { rows: months(60) }, question: 'why is the sky blue', charts: 0, report: [] })
  assert.equal(answer.answer?.understood, false)
  assert.match(answer.answer.notes.join(' '), /"sky"/)
  assert.equal(answer.table.rowCount, 60)
})

test('in the report a group without a name is called so, and no chance is told to three hundred places', async () => {
  const rows = months(120).map((row, index) => (index % 40 === 7 ? { ...row, region: null } : row))
  const services = {}
  const input = { dataset: { rows }, question: 'total revenue by region', charts: 0, report: ['markdown'] }
  const { task } = await runAgent(agent, input as never, { patience: 60_000, services })
  const { reports } = task.output as Answer
  const report = Buffer.from(await testServices(services).documents('any').read(reports.markdown!)).toString()
  assert.match(report, /\| \(no region\) \|/)
  assert.doesNotMatch(report, /finding \d[^;\n]*e-\d/)
})

test('with a model an open question becomes SQL, which runs behind the wall: a refused one is corrected', async () => {
  const replies = [
    "```sql\nSELECT * FROM read_csv('/etc/passwd')\n```",
    'SELECT region, max(revenue) AS best FROM data GROUP BY 1 ORDER BY 1',
  ]
  const asked: string[] = []
  const chat = {
    invoke: async (messages: { content: string }[]) => {
      asked.push(messages.at(-1)!.content)
      return { text: replies.shift()! }
    },
  }
  const llm = { configured: true, chat: async () => chat as never }
  const input = {
    dataset: { rows: months(60) },
    question: 'which month was luckiest for whom',
    charts: 0,
    report: [],
    forecastPeriods: 0,
  }
  const { task } = await runAgent(agent, input as never, { services: { llm } })
  const { answer } = task.output as Answer
  assert.equal(answer?.by, 'model')
  assert.equal(answer?.rows.length, 3)
  assert.match(asked[1]!, /That failed: the query is refused/)
})

test('a table of one row, one of only nulls and a ragged one end as results', async () => {
  for (const text of ['a,b\n1,2\n', 'a,b\n,\n,\n', 'a,b\n1,2\n3\n4,5,6\n']) {
    const answer = await run({ dataset: { text }, report: ['markdown'] })
    assert.deepEqual(answer.insights, [])
  }
})

test('what is no table fails the task with the reason, at once', async () => {
  const { task } = await runAgent(agent, { dataset: { text: '{"broken' } } as never)
  assert.equal(task.state, 'failed')
  assert.equal((task.error as unknown as TroupeError).code, 'document_unreadable')
})

test('every state of the machine is reached, but for the one it only passes', () => {
  const input = { dataset: { rows: [] }, question: 'x', forecastPeriods: 1, charts: 1, report: ['html'] }
  const profiled = {
    type: 'xstate.done.actor.profile',
    output: { profile: { rowCount: 1, columns: [{ role: 'time' }] } },
  }
  const asked = { ...input, dataset: { source: 'shop', sql: 'SELECT 1' } }
  const fetched = { type: 'xstate.done.actor.fetch', output: { request: asked } }
  const { unreached } = explore(machine, { input, events: [profiled] })
  const reachedWithSource = explore(machine, { input: asked, events: [fetched, profiled] }).unreached
  assert.deepEqual(
    [unreached, reachedWithSource],
    [['business-intelligence.starting', 'business-intelligence.fetching'], ['business-intelligence.starting']],
  )
})

test('a database is asked once, and everything after works on the stored answer', async () => {
  const queries: string[] = []
  const sources = {
    async query(source: string, sql: string) {
      queries.push(`${source}: ${sql}`)
      return { columns: ['month', 'region', 'revenue'], rows: months(120) }
    },
  }
  const sql = 'SELECT month, region, revenue FROM sales'
  const input = { dataset: { source: 'shop', sql }, question: 'total revenue by region', charts: 0, report: [] }
  const { task } = await runAgent(agent, input as never, { patience: 60_000, services: { sources } })
  assert.equal(task.state, 'completed', JSON.stringify(task.error))
  const answer = task.output as Answer
  assert.deepEqual(queries, [`shop: ${sql}`])
  assert.deepEqual([answer.origin?.source, answer.origin?.sql, answer.origin?.rows], ['shop', sql, 120])
  assert.equal(answer.table.rowCount, 120)
  assert.deepEqual(answer.answer?.rows.map((row) => row.region).sort(), ['north', 'south', 'west'])
})

test('a database that refuses the query fails the task with its code', async () => {
  const { task } = await runAgent(agent, { dataset: { source: 'shop', sql: 'DROP TABLE sales' } } as never)
  assert.deepEqual([task.state, task.error?.code], ['failed', 'not_found'])
})

for (const extras of [
  { charts: 1, report: [] },
  { charts: 0, report: ['html'] },
]) {
  test(`killed at every commit, it ends the same: ${JSON.stringify(extras)}`, async () => {
    const input = { dataset: { rows: months(60) }, question: 'revenue by region', forecastPeriods: 3, ...extras }
    const report = await crashEverywhere(agent, input as never, { patience: 60_000 })
    assert.ok(report.commits > 5)
    assert.deepEqual([report.differences.slice(0, 1), report.gaps], [[], []])
  })
}
