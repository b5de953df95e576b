import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crashEverywhere, type RunOptions, runAgent } from '@troupe/sdk/testing'
import reviewer from '../index.ts'

const risky = { text: 'The parties agree. The contract shall automatically renew each year.' }
const refusing: RunOptions = {
  onEvent({ body }, send) {
    if (body.type === 'task.waiting' && body.for.kind === 'person') send({ type: 'decide', approved: false })
  },
}

test('a contract without a risky clause is approved without a person', async () => {
  const { task } = await runAgent(reviewer, { text: 'The parties agree.' })
  assert.deepEqual(task.output, { approved: true, findings: [] })
})

test('a risky clause waits for a person, whose word counts', async () => {
  const { task } = await runAgent(reviewer, risky, refusing)
  assert.deepEqual(task.output, {
    approved: false,
    findings: [{ risk: 'automatic renewal', sentence: 'The contract shall automatically renew each year.' }],
  })
})

test('a crash at any commit changes nothing in the outcome', async () => {
  const report = await crashEverywhere(reviewer, risky, refusing)
  assert.deepEqual([report.differences, report.gaps], [[], []])
})
