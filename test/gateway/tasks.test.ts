import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newId } from '../../src/contract/ids.ts'
import { keptSpans } from './support/far-side.ts'
import { type Started, startGateway } from './support/start.ts'

let started: Started
before(async () => {
  started = await startGateway()
})
after(async () => await started[Symbol.asyncDispose]())

const submit = (body: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  started.call('POST', '/v1/tasks', { body: { agent: 'echo', input: { text: 'hello' }, ...body }, headers })

test('a submitted task is accepted with 202, its place, and can be read', async () => {
  const accepted = await submit({ metadata: { customer: '7' }, budget: { tokens: 100 } })
  assert.equal(accepted.status, 202)
  assert.equal(accepted.headers.get('location'), `/v1/tasks/${accepted.json.id}`)
  assert.equal(accepted.json.state, 'queued')
  const read = await started.call('GET', `/v1/tasks/${accepted.json.id}`)
  assert.deepEqual(read.json.input, { text: 'hello' })
  assert.deepEqual(read.json.metadata, { customer: '7' })
  assert.deepEqual(read.json.budget, { tokens: 100 })
  assert.match(read.json.createdAt, /^\d{4}-\d\d-\d\dT.*Z$/)
  assert.equal(read.json.tenant, undefined)
})

test('the same Idempotency-Key with the same request answers with the same task, with another one 409', async () => {
  const first = await submit({}, { 'idempotency-key': 'order-1' })
  const again = await submit({}, { 'idempotency-key': 'order-1' })
  assert.equal(again.json.id, first.json.id)
  assert.equal(again.headers.get('idempotency-replayed'), 'true')
  const other = await submit({ input: { text: 'other' } }, { 'idempotency-key': 'order-1' })
  assert.equal(other.status, 409)
  assert.equal(other.json.code, 'idempotency_conflict')
})

test('Prefer: wait answers 200 with the output when the task ends in time, 202 when it does not', async () => {
  const late = await submit({}, { prefer: 'wait=0' })
  assert.equal(late.status, 202)
  const { promise: offered, resolve } = Promise.withResolvers<string>()
  const taker = started.bus.take(['strict'], (offer) => resolve(offer.taskId))
  taker.more(1)
  // With an idempotency key the offer comes after the commit, so that this test may commit as soon as it has it.
  const headers = { prefer: 'respond-async, wait=20', 'idempotency-key': 'waiting' }
  const waiting = submit({ agent: 'strict', input: { name: 'mine' } }, headers)
  const mine = await offered
  await taker.stop()
  await started.commit(mine, 'completed', [{ type: 'task.started', host: 'host_test' }, { type: 'task.completed' }], {
    answer: 42,
  })
  const done = await waiting
  assert.equal(done.status, 200)
  assert.equal(done.headers.get('preference-applied'), 'wait=20')
  assert.equal(done.json.id, mine)
  assert.deepEqual(done.json.output, { answer: 42 })
})

test('a list goes page by page, newest first, and a cursor fits only its own query', async () => {
  for (let count = 0; count < 5; count++) await submit({ agent: 'strict', input: { name: `n${count}` } })
  const seen: string[] = []
  let cursor = ''
  do {
    const page = await started.call('GET', `/v1/tasks?agent=strict&limit=2${cursor}`)
    assert.equal(page.status, 200)
    seen.push(...page.json.tasks.map((task: { id: string }) => task.id))
    cursor = page.json.nextCursor === undefined ? '' : `&cursor=${page.json.nextCursor}`
    if (cursor !== '') {
      const misused = await started.call('GET', `/v1/tasks?agent=echo&limit=2${cursor}`)
      assert.equal(misused.status, 400)
    }
  } while (cursor !== '')
  assert.equal(seen.length, 6)
  assert.deepEqual(seen, [...seen].sort().reverse())
})

test('a list can be narrowed by state; an unknown state is a 400', async () => {
  const list = async (query: string) => (await started.call('GET', `/v1/tasks?${query}`)).json
  const { tasks } = await list('state=completed,failed')
  assert.ok(tasks.length > 0 && tasks.every((task: { state: string }) => task.state === 'completed'))
  assert.deepEqual((await list('status=completed,failed')).tasks, tasks, 'its old name')
  assert.equal((await list('state=asleep')).status, 400)
  assert.match((await list('state=queued&status=queued')).detail, /old name/)
})

test('an ETag saves reading what is known, and If-Match refuses to change what has changed', async () => {
  const { json: task } = await submit()
  const read = await started.call('GET', `/v1/tasks/${task.id}`)
  const etag = read.headers.get('etag')!
  const again = await started.call('GET', `/v1/tasks/${task.id}`, { headers: { 'if-none-match': etag } })
  assert.equal(again.status, 304)
  await started.commit(task.id, 'running', [{ type: 'task.started', host: 'host_test' }])
  const stale = await started.call('POST', `/v1/tasks/${task.id}/cancel`, { headers: { 'if-match': etag } })
  assert.equal(stale.status, 412)
  assert.equal(stale.json.code, 'precondition_failed')
})

test('cancel is delivered to the task, once, and refused when the task has ended', async () => {
  const { json: task } = await submit()
  const asked = await started.call('POST', `/v1/tasks/${task.id}/cancel`, { body: { reason: 'no longer needed' } })
  assert.equal(asked.status, 202)
  assert.equal((await started.call('POST', `/v1/tasks/${task.id}/cancel`)).status, 202)
  const loaded = await started.journal.load(task.id)
  assert.deepEqual(
    loaded?.mail.map((message) => message.body),
    [{ kind: 'cancel', reason: 'no longer needed' }],
  )
  await started.commit(task.id, 'cancelled', [{ type: 'task.cancelled' }])
  assert.equal((await started.call('POST', `/v1/tasks/${task.id}/cancel`)).json.code, 'wrong_state')
})

test('retry runs a failed task again and refuses others', async () => {
  const { json: task } = await submit()
  assert.equal((await started.call('POST', `/v1/tasks/${task.id}/retry`)).json.code, 'wrong_state')
  await started.commit(task.id, 'failed', [{ type: 'task.failed', error: { code: 'step_failed', message: 'no' } }])
  const retried = await started.call('POST', `/v1/tasks/${task.id}/retry`)
  assert.equal(retried.status, 202)
  assert.notEqual(retried.json.state, 'failed')
})

test('an ended task is erased with all that it asked for; its key is free again, and what it spent stays counted', async () => {
  const headers = { 'idempotency-key': 'forget-me' }
  const { json: task } = await submit({ labels: { customer: 'gone' } }, headers)
  const path = `/v1/tasks/${task.id}`
  const child = { id: newId('task') }
  const row = (await started.journal.get(task.id))!
  await started.journal.accept({ ...row, id: child.id, parent: { taskId: task.id, stepId: 's' }, depth: 1 })
  assert.equal((await started.call('DELETE', path)).json.code, 'wrong_state')
  await started.commit(task.id, 'completed', [{ type: 'task.completed' }], 'secret')
  const refused = await started.call('DELETE', path)
  assert.deepEqual([refused.status, refused.json.detail.includes(child.id)], [409, true], refused.text)
  assert.equal((await started.call('GET', path)).status, 200, 'all or nothing')
  await started.commit(child.id, 'completed', [{ type: 'task.completed' }])
  assert.equal((await started.call('DELETE', path, { key: await started.key('operator') })).status, 403)
  assert.equal((await started.call('DELETE', path, { headers: { 'if-match': '"1-1"' } })).status, 412)
  const before = (await started.call('GET', '/v1/usage')).json.usage.tasks
  assert.equal((await started.call('DELETE', path)).status, 204)
  for (const id of [task.id, child.id]) assert.equal((await started.call('GET', `/v1/tasks/${id}`)).status, 404)
  assert.equal((await started.call('GET', `${path}/events`)).status, 404)
  assert.equal((await started.call('GET', '/v1/tasks?label=customer:gone')).json.tasks.length, 0)
  assert.equal((await started.call('GET', '/v1/usage')).json.usage.tasks, before)
  assert.equal((await started.call('DELETE', path)).status, 404)
  assert.notEqual((await submit({ labels: { customer: 'gone' } }, headers)).json.id, task.id)
  const { entries } = (await started.call('GET', '/v1/audit?limit=50&order=desc')).json
  const entry = entries.find(
    (one: { action: string; status: number }) => one.action === 'task.erase' && one.status === 204,
  )
  assert.deepEqual([entry.target, entry.detail], [path, { tasks: 2 }])
})

test('of the answers to one question the first is taken and the others are a 412, whether a host has read it or not', async () => {
  const { json: task } = await submit()
  const path = `/v1/tasks/${task.id}`
  await started.commit(task.id, 'input-required', [
    { type: 'task.waiting', for: { kind: 'person', messages: ['decide'] } },
  ])
  const etag = (await started.call('GET', path)).headers.get('etag')!
  const answer = (text: string, headers: Record<string, string> = { 'if-match': etag }) =>
    started.call('POST', `${path}/messages`, { body: { type: 'decide', text }, headers })
  const answers = await Promise.all(['ada', 'bob', 'eve'].map((text) => answer(text)))
  assert.deepEqual(answers.map(({ status }) => status).sort(), [202, 412, 412])
  const refused = answers.find(({ status }) => status === 412)!
  assert.equal(refused.json.code, 'precondition_failed')
  assert.equal((await started.journal.load(task.id))?.mail.length, 1)
  await started.commit(task.id, 'input-required', [{ type: 'message.received', from: 'desk', name: 'decide' }])
  assert.equal((await answer('late')).status, 412)
  const next = (await started.call('GET', path)).headers.get('etag')!
  assert.equal((await answer('to the next question', { 'if-match': next })).status, 202)
  assert.equal((await answer('to whatever is asked', { 'if-match': '*' })).status, 202)
  assert.equal((await answer('the same', {})).status, 202)
})

test('an answer that is repeated under its Idempotency-Key is told as taken: unread, read, and after the end', async () => {
  const { json: task } = await submit()
  const path = `/v1/tasks/${task.id}`
  await started.commit(task.id, 'input-required', [
    { type: 'task.waiting', for: { kind: 'person', messages: ['decide'] } },
  ])
  const etag = (await started.call('GET', path)).headers.get('etag')!
  const answer = async (key: string) => {
    const headers = { 'if-match': etag, 'idempotency-key': key }
    const given = await started.call('POST', `${path}/messages`, { body: { type: 'decide' }, headers })
    return [given.status, given.headers.get('idempotency-replayed')]
  }
  const [taken, again, others] = [
    [202, null],
    [202, 'true'],
    [412, null],
  ]
  assert.deepEqual([await answer('ada'), await answer('ada'), await answer('bob')], [taken, again, others])
  const { mail } = (await started.journal.load(task.id))!
  assert.equal(mail.length, 1)
  const read = { type: 'message.received' as const, from: mail[0]!.from, name: 'decide' }
  await started.commit(task.id, 'input-required', [read])
  assert.deepEqual([await answer('ada'), await answer('bob')], [again, others])
  await started.commit(task.id, 'completed', [{ type: 'task.completed' }])
  assert.deepEqual([await answer('ada'), await answer('bob')], [again, others])
})

test('a message reaches the mailbox once per Idempotency-Key', async () => {
  const { json: task } = await submit()
  const path = `/v1/tasks/${task.id}/messages`
  const options = { body: { type: 'answer', text: 'yes' }, headers: { 'idempotency-key': 'm1' } }
  assert.equal((await started.call('POST', path, options)).status, 202)
  assert.equal((await started.call('POST', path, options)).status, 202)
  const loaded = await started.journal.load(task.id)
  assert.deepEqual(
    loaded?.mail.map((message) => message.body),
    [{ kind: 'event', event: { type: 'answer', text: 'yes' } }],
  )
})

test('input that does not fit the agent names the field; an unknown agent is a 404', async () => {
  const wrong = await submit({ agent: 'strict', input: { name: 5 } })
  assert.equal(wrong.status, 400)
  assert.equal(wrong.json.code, 'invalid_input')
  assert.match(wrong.json.detail, /name/)
  assert.equal((await submit({ agent: 'nobody' })).json.code, 'unknown_agent')
})

test('a deadline in the past, a wrong budget and an unknown field are refused before anything is accepted', async () => {
  const before = (await started.call('GET', '/v1/tasks?limit=500')).json.tasks.length
  assert.equal((await submit({ deadline: '2001-01-01T00:00:00Z' })).status, 400)
  assert.equal((await submit({ budget: { tokens: -1 } })).status, 400)
  assert.equal((await submit({ surprise: true })).status, 400)
  assert.equal((await started.call('GET', '/v1/tasks?limit=500')).json.tasks.length, before)
})

test('the traceparent of the request goes with the task', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const { json: task } = await submit({}, { traceparent })
  assert.equal((await started.journal.get(task.id))?.traceparent, traceparent)
})

test('with telemetry, a task carries the span that accepted it, and its trace can be read', async () => {
  const telemetry = keptSpans()
  await using traced = await startGateway({ telemetry })
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const body = { agent: 'echo', input: 1 }
  const { json: task } = await traced.call('POST', '/v1/tasks', { body, headers: { traceparent } })
  assert.deepEqual(telemetry.opened, ['POST /v1/tasks'])
  const kept = (await traced.journal.get(task.id))?.traceparent
  assert.equal(kept, '00-0af7651916cd43dd8448eb211c80319c-00000000000000aa-01')
  const trace = await traced.call('GET', `/v1/tasks/${task.id}/trace`)
  const [span] = trace.json.spans
  assert.deepEqual([span.id, span.startedAt], [`default/${task.id}`, '1970-01-01T00:00:00.000Z'])
  assert.equal((await started.call('GET', `/v1/tasks/${(await submit()).json.id}/trace`)).status, 503)
})

test('a request that waits is answered 202 when the gateway drains, and the task goes on', async () => {
  await using draining = await startGateway()
  const { promise: offered, resolve } = Promise.withResolvers<string>()
  draining.bus.take(['echo'], (offer) => resolve(offer.taskId)).more(1)
  const body = { agent: 'echo', input: 1 }
  const waiting = draining.call('POST', '/v1/tasks', { body, headers: { prefer: 'wait=60' } })
  const id = await offered
  await draining.gateway.drain(5_000)
  const answer = await waiting
  assert.deepEqual([answer.status, answer.json.id], [202, id])
  assert.equal((await draining.journal.get(id))?.state, 'queued')
})

test('a page of an allowed origin may read answers and refusals, one of another origin not', async () => {
  await using shared = await startGateway({ config: { corsOrigins: ['https://console.example'] } })
  const from = async (origin: string, key?: string) =>
    (await shared.call('GET', '/v1/tasks', { key, headers: { origin } })).headers.get('access-control-allow-origin')
  assert.equal(await from('https://console.example', shared.adminKey), 'https://console.example')
  assert.equal(await from('https://console.example'), 'https://console.example')
  assert.equal(await from('https://evil.example', shared.adminKey), null)
  for (const method of ['POST', 'PUT', 'DELETE']) {
    const headers = { origin: 'https://console.example', 'access-control-request-method': method }
    const preflight = await shared.call('OPTIONS', '/v1/tasks', { key: undefined, headers })
    const allowed = preflight.headers.get('access-control-allow-methods')?.split(', ')
    assert.deepEqual([preflight.status, allowed?.includes(method)], [204, true], method)
  }
})

test('answers carry headers that keep browsers from guessing, framing and caching', async () => {
  const { headers } = await started.call('GET', '/v1/tasks')
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/)
  assert.equal(headers.get('referrer-policy'), 'no-referrer')
  assert.ok(headers.get('strict-transport-security'))
})
