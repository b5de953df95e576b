import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Task } from '../../src/contract/task.ts'
import { createSealing } from '../../src/gateway/callbacks/sealing.ts'
import { messageOf, signedHeaders } from '../../src/webhooks/message.ts'
import { createPatience } from '../../src/webhooks/patience.ts'

test('the signature is the one that the public libraries of Standard Webhooks expect', () => {
  const headers = signedHeaders({
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    body: '{"test": 2432232314}',
    at: 1_614_265_330_999,
  })
  assert.equal(headers['webhook-timestamp'], '1614265330')
  assert.equal(headers['webhook-signature'], 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

test('a message is never larger than 64 KB: a large output stays behind, and it says so', () => {
  const task = { lastEvent: 3, updatedAt: 0 } as Task
  const news = { event: 'task.completed' as const, number: 3, at: 0 }
  const view = { id: 'task_1', state: 'completed', input: 'i', output: 'x'.repeat(70_000) }
  const large = JSON.parse(messageOf(task, view, news))
  assert.deepEqual(large.data, { id: 'task_1', state: 'completed', event: 3, omitted: ['output'] })
  const small = JSON.parse(messageOf(task, { ...view, output: 'y' }, news))
  assert.deepEqual(small, {
    type: 'task.completed',
    timestamp: '1970-01-01T00:00:00.000Z',
    data: { id: 'task_1', state: 'completed', output: 'y', event: 3 },
  })
})

test('news of a task that has gone on since tell nothing of what it is now', () => {
  const task = { lastEvent: 9, updatedAt: 0 } as Task
  const view = { id: 'task_1', agent: 'a', state: 'completed', output: 1 }
  const { data } = JSON.parse(messageOf(task, view, { event: 'task.failed', number: 3, at: 0 }))
  assert.deepEqual(data, { id: 'task_1', agent: 'a', event: 3 })
})

test('a receiver that did not answer three calls in a row rests, is then asked by one, and is forgiven by one answer', () => {
  let now = 0
  const patience = createPatience(30_000, () => now)
  const restMs = (receiver: string) => patience.admit(receiver).restMs
  patience.silent('a')
  patience.silent('a')
  assert.equal(restMs('a'), 0)
  patience.silent('a')
  assert.deepEqual(patience.admit('a'), { restMs: 30_000, silences: 3 })
  assert.equal(restMs('b'), 0)
  now = 30_000
  assert.equal(restMs('a'), 0)
  assert.equal(restMs('a'), 30_000, 'one asks for all')
  now = 45_000
  patience.silent('a')
  assert.deepEqual(patience.admit('a'), { restMs: 30_000, silences: 4 }, 'still silent: it rests again')
  patience.answered('a')
  patience.silent('a')
  assert.equal(restMs('a'), 0)
})

test('a sealed secret is the same text each time, opens for its tenant only, and not when it was changed', () => {
  const sealing = createSealing(Buffer.alloc(32, 7))
  const sealed = sealing.seal('acme', 'whsec_secret')
  assert.equal(sealing.seal('acme', 'whsec_secret'), sealed)
  assert.ok(!Buffer.from(sealed, 'base64url').toString('latin1').includes('secret'))
  assert.equal(sealing.open('acme', sealed), 'whsec_secret')
  assert.throws(() => sealing.open('rival', sealed))
  assert.throws(() => createSealing(Buffer.alloc(32, 8)).open('acme', sealed))
  const changed = Buffer.from(sealed, 'base64url')
  changed[changed.length - 1]! ^= 1
  assert.throws(() => sealing.open('acme', changed.toString('base64url')))
  assert.notEqual(sealing.signingSecret('acme'), sealing.signingSecret('rival'))
})
