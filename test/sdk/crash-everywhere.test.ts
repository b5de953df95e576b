import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import converter from '../../examples/currency-converter/index.ts'
import { defineAgent } from '../../src/sdk/index.ts'
import { crashEverywhere, runAgent } from '../../src/sdk/testing/index.ts'

test('crashEverywhere leaves no timer behind: an author’s tests end when their last assertion does', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  const report = await crashEverywhere(converter, { amount: 10, from: 'EUR', to: 'USD' })
  assert.ok(report.commits >= 2)
  assert.equal(timers(), before)
})

test('an agent that waits for days is tested in a moment, and dies at every commit of it', async () => {
  const days = 24 * 60 * 60 * 1_000
  const reminder = defineAgent({
    name: 'reminder',
    version: '1.0.0',
    description: 'Waits two days, then one',
    input: z.object({}),
    output: z.array(z.string()),
    async run({ sleep }) {
      await Promise.all([sleep('two', 2 * days), sleep('one', days)])
      return ['done']
    },
  })
  const hurry = { timersFasterBy: days }
  const { task, events } = await runAgent(reminder, {}, hurry)
  assert.deepEqual(task.output, ['done'])
  const fired = events.flatMap(({ body }) => (body.type === 'timer.fired' ? [body.timer] : []))
  assert.deepEqual(fired, ['one', 'two'])
  const { differences, gaps } = await crashEverywhere(reminder, {}, hurry)
  assert.deepEqual([differences, gaps], [[], []])
})
