import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { keepForgetting } from '../../src/host/retention.ts'
import { defineAgent } from '../../src/sdk/index.ts'
import { openTestStage, TENANT } from '../actor/stage.ts'

const quick = defineAgent({
  name: 'quick',
  version: '1.0.0',
  description: 'Ends at once',
  input: z.any(),
  output: z.any(),
  run: () => ({}),
})

test('tasks that ended longer ago than the retention are forgotten', async (t) => {
  const stage = await openTestStage(t, [quick])
  await stage.startHost()
  const task = await stage.submit('quick', {})
  await stage.end(task.id)
  const { promise, resolve } = Promise.withResolvers<void>()
  const journal = { ...stage.journal }
  journal.purge = async (before, limit) => {
    const deleted = await stage.journal.purge(before, limit)
    if (deleted > 0) resolve()
    return deleted
  }
  const stop = keepForgetting({
    journal,
    retentionMs: 1,
    lookMs: 5,
    onTrouble: (_, error) => assert.fail(String(error)),
  })
  await promise
  stop()
  await assert.rejects(stage.desk.get(TENANT, task.id), { code: 'not_found' })
})
