import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startThread } from '../../../src/workers/retrieval/thread.ts'
import type { Mortal } from './mortal-thread.ts'

const start = () => startThread<Mortal>(new URL('./mortal-thread.ts', import.meta.url), null)

test('a thread that dies takes the calls that wait with it, and the next finds another', async () => {
  const thread = start()
  const first = await thread.call.id()
  const lost = await Promise.allSettled([thread.call.leave(), thread.call.id()])
  assert.deepEqual(
    lost.map((call) => call.status === 'rejected' && call.reason.code),
    ['worker_unavailable', 'worker_unavailable'],
  )
  assert.notEqual(await thread.call.id(), first)
  assert.equal(thread.waiting, 0)
  await thread.stop()
})

test('a thread that was stopped stays so', async () => {
  const thread = start()
  const before = thread.call.id()
  await thread.stop()
  assert.ok((await before) > 0)
  await assert.rejects(thread.call.id(), { code: 'draining' })
  await thread.stop()
})
