import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RunOptions } from '../../src/sdk/testing/index.ts'
import { crashEverywhere, runAgent } from '../../src/sdk/testing/index.ts'
import { doubler, everythingAgent } from './everything.ts'

const answering: Pick<RunOptions, 'onEvent'> = {
  onEvent(event, send) {
    if (event.body.type === 'emitted') send({ type: 'approve', by: 'ada' })
  },
}

test('a machine with parallel states, a retry, a timer, a child and a human input runs to its end', async () => {
  const keys: string[] = []
  const agent = everythingAgent((key, step) => keys.push(`${step} ${key.split('/')[1]}`))
  const { task, events } = await runAgent(agent, { number: 20 }, { others: [doubler], ...answering })
  assert.equal(task.state, 'completed', JSON.stringify(task.error))
  assert.deepEqual(task.output, { sum: 61, approvedBy: 'ada' })
  assert.deepEqual(keys.sort(), ['fetch fetch', 'fetch fetch', 'publish publish'])
  assert.deepEqual(
    events.map((event) => event.number),
    events.map((_, index) => index + 1),
  )
})

test('killed at each commit, before and after it, the outcome is the same and the log has no gap', async () => {
  const agent = everythingAgent(() => {})
  const report = await crashEverywhere(agent, { number: 20 }, { others: [doubler], ...answering })
  assert.ok(report.commits >= 8, `it has ${report.commits} commits`)
  assert.deepEqual(report.differences, [])
  assert.deepEqual(report.gaps, [])
})
