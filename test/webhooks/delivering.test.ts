// Deliveries by a real host over a real journal to a real receiver.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Callback } from '../../src/contract/callbacks.ts'
import { defineAgent } from '../../src/sdk/index.ts'
import { isSigned, startReceiver } from './receiver.ts'
import { callbacksInMemory, openWebhookStage, TENANT } from './stage.ts'

const adder = defineAgent({
  name: 'adder',
  version: '1.0.0',
  description: 'Adds one',
  input: z.number(),
  output: z.number(),
  run: ({ input }) => {
    if (input < 0) throw new Error('less than nothing')
    return input + 1
  },
  restarts: { max: 0, within: '1m' },
})
const asker = defineAgent({
  name: 'asker',
  version: '1.0.0',
  description: 'Asks twice',
  input: z.unknown(),
  output: z.string(),
  async run({ wait }) {
    const first = await wait<{ word: string }>('first', 'answer')
    const second = await wait<{ word: string }>('second', 'answer')
    return `${first.word} ${second.word}`
  },
})
const SECRET = `whsec_${Buffer.alloc(24, 5).toString('base64')}`
const types = (receiver: { received: { body: { type: string } }[] }) => receiver.received.map(({ body }) => body.type)

test('the end of a task is told once, signed, as the task’s submitter would read it', async (t) => {
  await using receiver = await startReceiver()
  const stage = await openWebhookStage(t, [adder], { privateOnes: [receiver.url] })
  const own = await stage.callbacks.own(TENANT, { url: `${receiver.url}?x=1`, secret: SECRET })
  const { id } = await stage.submitTelling('adder', 41, [own])
  const [delivery] = await stage.deliveries(id, 1)
  assert.deepEqual(delivery!.output, { delivered: true, attempts: 1, status: 200 })
  const [message] = receiver.received
  assert.ok(isSigned(message!, SECRET))
  assert.equal(message!.path, '/hook?x=1')
  assert.equal(message!.headers['content-type'], 'application/json')
  const { type, timestamp, data } = message!.body
  const task = await stage.desk.get(TENANT, id)
  assert.equal(type, 'task.completed')
  assert.equal(timestamp, new Date(task.endedAt!).toISOString())
  assert.equal(message!.headers['webhook-id'], `${id}_${task.lastEvent}`)
  assert.deepEqual(
    [data.id, data.state, data.output, data.input, data.event],
    [id, 'completed', 42, undefined, task.lastEvent],
  )
  assert.deepEqual(data.callbacks, [{ to: new URL(receiver.url).origin }])
  assert.ok(!JSON.stringify([message, delivery, task]).includes(SECRET))
  assert.equal(receiver.received.length, 1)
})

test('what a receiver does not take is told again under the same id, and its log says why each time', async (t) => {
  await using receiver = await startReceiver()
  receiver.answers.push(500, 302)
  const stage = await openWebhookStage(t, [adder], { privateOnes: [receiver.url] })
  const own = await stage.callbacks.own(TENANT, { url: receiver.url })
  const { id } = await stage.submitTelling('adder', 1, [own])
  const [delivery] = await stage.deliveries(id, 1)
  assert.deepEqual(delivery!.output, { delivered: true, attempts: 3, status: 200 })
  assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1)
  assert.deepEqual(new Set(receiver.received.map(({ path }) => path)), new Set(['/hook']), 'no redirect is followed')
  const secret = await stage.callbacks.signingSecret(TENANT)
  assert.ok(receiver.received.every((message) => isSigned(message, secret)))
  const log = await stage.journal.events(delivery!.id, 0, 100)
  assert.deepEqual(
    log.flatMap(({ body }) => (body.type === 'progress' ? [body.message] : [])),
    [500, 302].map((status) => `${new URL(receiver.url).origin} was not told: it answered ${status}`),
  )
})

test('what nobody takes fails for all to see; a retry of the delivery calls once more', async (t) => {
  await using receiver = await startReceiver()
  receiver.answers.push(500, 503, 404)
  const stage = await openWebhookStage(t, [adder], { privateOnes: [receiver.url] })
  const { id } = await stage.submitTelling('adder', 1, [await stage.callbacks.own(TENANT, { url: receiver.url })])
  const [delivery] = await stage.deliveries(id, 1)
  assert.equal(delivery!.error?.code, 'delivery_failed')
  assert.match(delivery!.error!.message, /was not told that task_\w+ is completed, in 3 attempts: it answered 404$/)
  assert.equal(delivery!.error?.detail?.attempts, 3)
  assert.equal(stage.failed.length, 1)
  assert.equal(receiver.received.length, 3)
  await stage.desk.retry(TENANT, delivery!.id)
  assert.deepEqual((await stage.end(delivery!.id)).output, { delivered: true, attempts: 3, status: 200 })
  assert.equal(receiver.received.length, 4)
  assert.equal((await stage.desk.get(TENANT, id)).state, 'completed', 'the task itself has nothing to do with it')
})

test('a receiver that says that it is gone is not called again', async (t) => {
  await using receiver = await startReceiver()
  receiver.answers.push(410)
  const stage = await openWebhookStage(t, [adder], { privateOnes: [receiver.url] })
  const { id } = await stage.submitTelling('adder', 1, [await stage.callbacks.own(TENANT, { url: receiver.url })])
  const [delivery] = await stage.deliveries(id, 1)
  assert.deepEqual([delivery!.state, delivery!.error?.detail?.attempts, receiver.received.length], ['failed', 1, 1])
})

test('a task that needs a person says so, each time; then it tells of its end', async (t) => {
  await using receiver = await startReceiver()
  const stage = await openWebhookStage(t, [asker], { privateOnes: [receiver.url] })
  const { id } = await stage.submitTelling('asker', null, [await stage.callbacks.own(TENANT, { url: receiver.url })])
  await receiver.count(1)
  await stage.desk.signal(TENANT, id, { type: 'nonsense' })
  await stage.desk.signal(TENANT, id, { type: 'answer', word: 'yes' })
  await receiver.count(2)
  await stage.desk.signal(TENANT, id, { type: 'answer', word: 'indeed' })
  await receiver.count(3)
  assert.deepEqual(types(receiver), ['task.input_required', 'task.input_required', 'task.completed'])
  assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 3)
})

test('failed, cancelled and retried tasks tell as well, and each receiver only what it asked for', async (t) => {
  await using receiver = await startReceiver()
  await using failures = await startReceiver()
  const stage = await openWebhookStage(t, [adder, asker], { privateOnes: [receiver.url, failures.url] })
  const own = [
    await stage.callbacks.own(TENANT, { url: receiver.url }),
    await stage.callbacks.own(TENANT, { url: failures.url, events: ['task.failed'] }),
  ]
  const broken = await stage.submitTelling('adder', -1, own)
  await stage.deliveries(broken.id, 2)
  assert.deepEqual([types(receiver), types(failures)], [['task.failed'], ['task.failed']])
  assert.equal(receiver.received[0]!.body.data.error.code, 'agent_crashed')
  await stage.desk.retry(TENANT, broken.id)
  await stage.deliveries(broken.id, 4)
  assert.equal(failures.received.length, 2)
  assert.notEqual(failures.received[0]!.headers['webhook-id'], failures.received[1]!.headers['webhook-id'])
  const waiting = await stage.submitTelling('asker', null, own)
  await receiver.count(3)
  await stage.desk.cancel(TENANT, waiting.id)
  await receiver.count(4)
  assert.deepEqual(types(receiver).slice(2), ['task.input_required', 'task.cancelled'])
  assert.equal(failures.received.length, 2)
})

test('a tenant’s webhook is told of tasks submitted from then on, until it is removed', async (t) => {
  await using receiver = await startReceiver()
  const stage = await openWebhookStage(t, [adder, asker], { privateOnes: [receiver.url] })
  const before = await stage.submitTelling('adder', 1, [])
  await stage.end(before.id)
  const { webhook, secret } = await stage.callbacks.create(TENANT, { url: receiver.url, createdBy: 'test' })
  const { id } = await stage.submitTelling('adder', 2, [])
  await stage.deliveries(id, 1)
  assert.equal(receiver.received.length, 1)
  assert.ok(isSigned(receiver.received[0]!, secret))
  const waiting = await stage.submitTelling('asker', null, [])
  await receiver.count(2)
  await stage.callbacks.remove(TENANT, webhook.id)
  await stage.desk.cancel(TENANT, waiting.id)
  const deliveries = await stage.deliveries(waiting.id, 2)
  assert.deepEqual(deliveries[1]!.output, { delivered: false, attempts: 1, because: 'the webhook was removed' })
  assert.equal(receiver.received.length, 2)
})

test('an address that leads into a private network is not called, by whatever name', async (t) => {
  await using receiver = await startReceiver()
  const { port } = new URL(receiver.url)
  const privateOnes = [receiver.url]
  // Sealed before the operator took his permission back.
  const callbacks = callbacksInMemory(privateOnes)
  const once = await callbacks.own(TENANT, { url: receiver.url })
  const stage = await openWebhookStage(t, [adder], { callbacks, privateOnes: [] })
  const named: Callback = { ...once, url: `https://localhost:${port}/hook` } as Callback
  for (const own of [once, named]) {
    const { id } = await stage.submitTelling('adder', 1, [own])
    const [delivery] = await stage.deliveries(id, 1)
    assert.equal(delivery!.error?.code, 'delivery_failed')
    assert.match(delivery!.error!.message, /The callback's address is refused/)
    assert.equal(delivery!.error?.detail?.attempts, 1)
  }
  assert.match(stage.failed[1]!, /localhost leads to (127\.0\.0\.1|::1), which is not a public address/)
  assert.equal(receiver.received.length, 0)
})

test('a receiver that never answers rests after three silences, and is called once more before it is given up', async (t) => {
  await using receiver = await startReceiver()
  receiver.answers.push(0, 0, 0, 0)
  const given = { privateOnes: [receiver.url], timeoutMs: 50, restMs: 1_500, pausesMs: [5, 5, 5, 5] }
  const stage = await openWebhookStage(t, [adder], given)
  const { id } = await stage.submitTelling('adder', 1, [await stage.callbacks.own(TENANT, { url: receiver.url })])
  const [delivery] = await stage.deliveries(id, 1)
  assert.match(delivery!.error!.message, /no answer within 50 ms$/)
  assert.equal(receiver.received.length, 4)
})

test('of many deliveries to a receiver that never answers one asks for all', async (t) => {
  await using receiver = await startReceiver()
  const many = 48
  receiver.answers.push(...Array(2 * many).fill(0))
  const given = { privateOnes: [receiver.url], timeoutMs: 300, restMs: 1_500, pausesMs: [5] }
  const stage = await openWebhookStage(t, [adder], given)
  const own = await stage.callbacks.own(TENANT, { url: receiver.url })
  const tasks = await Promise.all(Array.from({ length: many }, () => stage.submitTelling('adder', 1, [own])))
  const deliveries = await Promise.all(tasks.map(({ id }) => stage.deliveries(id, 1)))
  assert.deepEqual([...new Set(deliveries.flat().map(({ state }) => state))], ['failed'])
  // The first calls of a host are under way together, 16 of them; afterwards it is one in each rest.
  assert.ok(receiver.received.length < many, `${receiver.received.length} calls`)
})

test('an address at which one tenant’s calls are not answered does not rest for another tenant', async (t) => {
  await using receiver = await startReceiver()
  receiver.answers.push(0, 0, 0)
  const pausesMs = [5, 5, 60_000]
  const stage = await openWebhookStage(t, [adder], { privateOnes: [receiver.url], timeoutMs: 50, pausesMs })
  const silent = await stage.callbacks.own('rival', { url: `${receiver.url}/silent` })
  const { task } = await stage.desk.submit({ tenant: 'rival', agent: 'adder', input: 1, callbacks: [silent] })
  await receiver.count(3)
  const { tasks } = await stage.desk.list('rival', { labels: [`troupe.delivery-of:${task.id}`] })
  for await (const { body } of stage.desk.follow('rival', tasks[0]!.id, 0, AbortSignal.timeout(15_000))) {
    if (body.type === 'step.completed' && body.step === 'attempt-3') break
  }
  const { id } = await stage.submitTelling('adder', 1, [await stage.callbacks.own(TENANT, { url: receiver.url })])
  const [delivery] = await stage.deliveries(id, 1)
  assert.deepEqual(delivery!.output, { delivered: true, attempts: 1, status: 200 })
})

test('another tenant’s task, or one that is not kept, is not told of', async (t) => {
  await using receiver = await startReceiver()
  const stage = await openWebhookStage(t, [adder], { privateOnes: [receiver.url] })
  const { id } = await stage.submitTelling('adder', 1, [await stage.callbacks.own(TENANT, { url: receiver.url })])
  await stage.deliveries(id, 1)
  const input = { task: id, number: 2, event: 'task.completed', callback: 0 }
  const { task } = await stage.journal.accept(delivery('rival', input))
  await stage.journal.findOrphans({ unclaimedMs: 0, limit: 10 }).then((wakes) => wakes.forEach(stage.bus.offer))
  const ended = await stage.desk.waitForEnd('rival', task.id, 10_000)
  assert.deepEqual(ended.output, { delivered: false, attempts: 1, because: 'the task is not kept any more' })
  assert.equal(receiver.received.length, 1)
})

function delivery(tenant: string, input: unknown) {
  const id = `task_${'0'.repeat(25)}1`
  return { id, tenant, agent: 'webhook', agentVersion: '1.0.0', input, priority: 'normal' as const, depth: 0 }
}

test('a webhook whose secret is rotated signs with both until the old one’s time is over', async (t) => {
  await using receiver = await startReceiver()
  const stage = await openWebhookStage(t, [adder], { privateOnes: [receiver.url] })
  const { callbacks } = stage
  const { webhook, secret: first } = await callbacks.create(TENANT, { url: receiver.url, createdBy: 'key_test' })
  const tell = async () => {
    const { id } = await stage.submitTelling('adder', 1, [])
    await stage.deliveries(id, 1)
    return receiver.received.at(-1)!
  }
  const { secret: second } = await callbacks.rotate(TENANT, webhook.id, { overlapMs: 3_600_000 })
  const both = await tell()
  assert.deepEqual([isSigned(both, first), isSigned(both, second)], [true, true])
  const { secret: third } = await callbacks.rotate(TENANT, webhook.id, { overlapMs: 0 })
  const one = await tell()
  assert.deepEqual(
    [first, second, third].map((secret) => isSigned(one, secret)),
    [false, false, true],
  )
})
