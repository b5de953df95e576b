import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crashEverywhere, explore, runAgent } from '@troupe/sdk/testing'
import businessIntelligence from '../../business-intelligence/index.ts'
import agent from '../index.ts'
import { machine } from '../machine.ts'
import type { Report } from '../request.ts'

function sales(days: number) {
  return Array.from({ length: days }, (_, day) => ({
    sale_id: 500 + day * 2,
    day: new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10),
    shop: ['north', 'south', 'west'][day % 3]!,
    revenue: 200 + ((day * 7919) % 23),
  }))
}

async function run(input: object, services = {}): Promise<Report> {
  const { task } = await runAgent(agent, input as never, { patience: 60_000, services })
  assert.equal(task.state, 'completed', JSON.stringify(task.error))
  return task.output as Report
}

test('a clean dataset passes with a score of 1', async () => {
  const { verdict, scores, reasons } = await run({ dataset: { rows: sales(120) } })
  assert.deepEqual([verdict, scores?.overall, reasons], ['pass', 1, []])
})

test('a broken expectation fails the verdict and names the rows; the same as a warning only warns', async () => {
  const rows: Record<string, string | number>[] = sales(120)
  rows[6]!.revenue = -40
  const expectation = { kind: 'range', column: 'revenue', min: 0 }
  const failed = await run({
    dataset: { rows },
    expectations: [expectation],
    infer: false,
    policy: { anomalies: 'allow' },
  })
  assert.equal(failed.verdict, 'fail')
  assert.match(failed.reasons[0]!.text, /"revenue is at least 0" is broken by 1 of 120 \(row 7\)/)
  const warned = await run({
    dataset: { rows },
    expectations: [{ ...expectation, severity: 'warning' }],
    infer: false,
    policy: { anomalies: 'allow' },
  })
  assert.equal(warned.verdict, 'warn')
})

test('a value that does not fit its series is an anomaly with its day', async () => {
  const rows = sales(120)
  rows[60]!.revenue = 900
  const { anomalies, verdict } = await run({ dataset: { rows } })
  assert.deepEqual(
    anomalies.map(({ measure, time, value }) => [measure, time, value]),
    [['revenue', '2024-03-01', 900]],
  )
  assert.equal(verdict, 'warn')
})

test('drift against a reference warns, and fails where the policy says so', async () => {
  const dataset = { rows: sales(120).map((row) => ({ ...row, revenue: row.revenue * 3 })) }
  const reference = { rows: sales(120) }
  assert.equal((await run({ dataset, reference })).verdict, 'warn')
  const { verdict, drift } = await run({ dataset, reference, policy: { drift: 'fail' } })
  assert.deepEqual([verdict, drift?.drift], ['fail', 'strong'])
})

test('personal data and secrets are found by kind with their rows, and never shown', async () => {
  const rows = sales(40).map((row, index) => ({
    ...row,
    contact: index === 3 ? 'mail jane.doe@example.com' : 'none given',
    note: index === 5 ? 'password: hunter2hunter2' : 'ok',
  }))
  const report = await run({ dataset: { rows } })
  const found = report.compliance.map(({ matter, kind, where, examples }) => [matter, kind, where, examples[0]?.row])
  assert.deepEqual(found, [
    ['personal data', 'email', 'contact', 4],
    ['secret', 'password', 'note', 6],
  ])
  assert.equal(report.verdict, 'fail')
  assert.doesNotMatch(JSON.stringify(report.compliance), /jane\.doe|hunter2/)
})

test('rows kept too long and clauses that are missing fail', async () => {
  const old = await run({
    dataset: { rows: sales(60) },
    policy: { retention: { column: 'day', days: 30, now: '2024-03-01' } },
  })
  assert.equal(old.compliance.find((one) => one.matter === 'retention')?.count, 30)
  const text = 'This agreement is governed by the laws of Ireland.\n\nEither party may terminate it with notice.'
  const requiredClauses = [
    { name: 'law', anyOf: ['governed by the  laws of'] },
    { name: 'liability', anyOf: ['limitation of liability', 'liability is limited'] },
  ]
  const contract = await run({ document: { text }, policy: { requiredClauses } })
  assert.deepEqual(
    contract.compliance.filter((one) => one.matter === 'required clause').map((one) => one.kind),
    ['liability'],
  )
  assert.equal(contract.verdict, 'fail')
})

test('a document with open places and lost letters is told so; an empty one fails', async () => {
  const report = await run({ document: { text: 'Dear [NAME], the caf\uFFFD is open. TBD.' } })
  assert.deepEqual(report.violations.map((one) => one.kind).sort(), ['encoding', 'placeholder'])
  assert.equal((await run({ document: { text: '  ' } })).verdict, 'fail')
})

test('an analysis by business-intelligence is borne out by its data, and a falsified one is caught', async () => {
  const dataset = { rows: sales(120).map((row, index) => ({ ...row, revenue: row.revenue + index })) }
  const { task } = await runAgent(businessIntelligence, { dataset, charts: 0, report: [] } as never)
  const analysis = task.output as {
    summary: string
    insights: { text: string; figures: { value: unknown }[] }[]
    keyFigures: object[]
  }
  const honest = await run({ dataset, analysis })
  assert.ok(honest.claims.length > 3)
  assert.deepEqual(
    honest.claims.filter((claim) => claim.verdict !== 'supported'),
    [],
  )

  const [first] = analysis.insights
  const falsified = {
    ...analysis,
    insights: [{ ...first!, figures: first!.figures.map((figure) => ({ ...figure, value: 7 })) }],
  }
  const caught = await run({ dataset, analysis: falsified })
  assert.equal(caught.verdict, 'fail')
  assert.equal(caught.claims[0]?.verdict, 'contradicted')
  const invented = await run({ dataset, analysis: { sentences: ['Revenue rose by 4217 percent.'] } })
  assert.equal(invented.claims[0]?.verdict, 'unsupported')
})

test('a sentence about a document that the document does not know is not supported', async () => {
  const text = 'The committee met on Tuesday. It approved a budget of 40,000 euros for the new library in Cork.'
  const { claims } = await run({
    document: { text },
    analysis: {
      sentences: [
        'It approved a budget of 40,000 euros for the new library in Cork.',
        'It approved a budget of 90,000 euros for a stadium in Galway.',
      ],
    },
  })
  assert.deepEqual(
    claims.map((claim) => claim.verdict),
    ['supported', 'unsupported'],
  )
})

test('one row, only nulls and ragged rows end as reports; what is no table as a coded failure', async () => {
  for (const text of ['a,b\n1,2\n', 'a,b\n,\n,\n', 'a,b\n1,2\n3\n4,5,6\n']) await run({ dataset: { text } })
  const { task } = await runAgent(agent, { dataset: { text: '[1, 2' } } as never)
  assert.deepEqual([task.state, task.error?.code], ['failed', 'document_unreadable'])
})

test('every state of the machine is reached, but for the one it only passes', () => {
  const input = { dataset: { rows: [] }, reference: { rows: [] }, lookups: [], analysis: {}, policy: {} }
  const done = (id: string, output: unknown) => ({ type: `xstate.done.actor.${id}`, output })
  const events = [
    done('drift', { drift: 'none', columns: [] }),
    done('anomalies', []),
    done('compliance', []),
    done('claims', []),
  ]
  const { unreached } = explore(machine, { input, events })
  const asked = { ...input, lookups: [{ name: 'shops', dataset: { source: 'shop', sql: 'SELECT 1' } }] }
  const fetched = done('fetch', { request: input, origins: [] })
  const reachedWithSource = explore(machine, { input: asked, events: [fetched, ...events] }).unreached
  assert.deepEqual(
    [unreached, reachedWithSource],
    [['quality-assurance.starting', 'quality-assurance.fetching'], ['quality-assurance.starting']],
  )
})

test('dataset and reference may come from a database; both answers are stored and named', async () => {
  const sources = {
    async query(_: string, sql: string) {
      const rows = sales(sql.includes('old') ? 80 : 60)
      return { columns: Object.keys(rows[0]!), rows }
    },
  }
  const input = {
    dataset: { source: 'shop', sql: 'SELECT * FROM sales' },
    reference: { source: 'shop', sql: 'SELECT * FROM old_sales' },
  }
  const { task } = await runAgent(agent, input as never, { patience: 60_000, services: { sources } })
  assert.equal(task.state, 'completed', JSON.stringify(task.error))
  const { origins, drift } = task.output as Report
  assert.deepEqual(
    origins.map(({ rows }) => rows),
    [60, 80],
  )
  assert.ok(drift !== undefined)
})

test('killed at every commit, it ends the same', async () => {
  const input = {
    dataset: { rows: sales(60) },
    reference: { rows: sales(80) },
    analysis: { sentences: ['There are 3 shops.'] },
  }
  const report = await crashEverywhere(agent, input as never, { patience: 60_000 })
  assert.ok(report.commits > 5)
  assert.deepEqual([report.differences.slice(0, 1), report.gaps], [[], []])
})
