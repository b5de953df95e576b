import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { createApiKeys } from '../../src/gateway/auth/api-keys.ts'
import { createStreams } from '../../src/gateway/streams.ts'
import { eventually } from '../support/eventually.ts'
import { openSocket } from './support/socket.ts'
import { allOf, readEvents } from './support/sse.ts'
import { type Started, startGateway } from './support/start.ts'

const submit = async (started: Started, key = started.adminKey): Promise<string> =>
  (await started.call('POST', '/v1/tasks', { body: { agent: 'echo', input: 1 }, key })).json.id

const progress = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ type: 'progress' as const, fraction: index / count }))

test('a JSON page of events begins after a number and names the next one', async () => {
  await using started = await startGateway()
  const id = await submit(started)
  await started.commit(id, 'running', [{ type: 'task.started', host: 'h' }, ...progress(4)])
  const page = await started.call('GET', `/v1/tasks/${id}/events?after=1&limit=2`)
  assert.deepEqual(
    page.json.events.map((event: { number: number }) => event.number),
    [2, 3],
  )
  assert.equal(page.json.next, 3)
  const rest = await started.call('GET', `/v1/tasks/${id}/events?after=3`)
  assert.deepEqual([rest.json.events.length, rest.json.next], [3, undefined])
})

test('server-sent events follow a task from the first event to its end, then the stream closes', async () => {
  await using started = await startGateway()
  const id = await submit(started)
  const events = await readEvents(started, `/v1/tasks/${id}/events`)
  assert.equal((await events.next()).value?.event, 'task.accepted')
  await started.commit(id, 'running', [{ type: 'task.started', host: 'h' }, ...progress(2)])
  await started.commit(id, 'completed', [{ type: 'task.completed' }], { done: true })
  const seen = await allOf(events)
  assert.deepEqual(
    seen.map((event) => [event.id, event.event]),
    [
      ['2', 'task.started'],
      ['3', 'progress'],
      ['4', 'progress'],
      ['5', 'task.completed'],
    ],
  )
})

test('Last-Event-ID resumes where a reader stopped, and goes before `after`', async () => {
  await using started = await startGateway()
  const id = await submit(started)
  await started.commit(id, 'running', [{ type: 'task.started', host: 'h' }, ...progress(3)])
  await started.commit(id, 'completed', [{ type: 'task.completed' }])
  const events = await readEvents(started, `/v1/tasks/${id}/events?after=1`, { 'last-event-id': '4' })
  assert.deepEqual(
    (await allOf(events)).map((event) => event.id),
    ['5', '6'],
  )
  const wrong = await started.call('GET', `/v1/tasks/${id}/events`, {
    headers: { accept: 'text/event-stream', 'last-event-id': 'x' },
  })
  assert.equal(wrong.status, 400)
})

test('a drain tells every stream where to resume, is not ready meanwhile, and then closes', async () => {
  await using started = await startGateway()
  const id = await submit(started)
  const events = await readEvents(started, `/v1/tasks/${id}/events`)
  await events.next()
  const socket = await openSocket(started, started.adminKey)
  socket.send({ type: 'follow', task: id })
  assert.equal((await socket.next()).type, 'following')
  assert.equal((await socket.next()).event.number, 1)
  const drained = started.gateway.drain(5_000)
  const last = await allOf(events)
  assert.deepEqual(
    last.map((event) => [event.event, event.data]),
    [['draining', { task: id, after: 1 }]],
  )
  const goodbye = await socket.next()
  assert.deepEqual(goodbye, { type: 'draining', resume: { tasks: { [id]: 1 }, streams: {} } })
  assert.equal(await socket.closed, 1001)
  await drained
  await assert.rejects(fetch(`${started.url}/readyz`))
})

test('one WebSocket follows many tasks, each event once and in order, and says when each has ended', async () => {
  await using started = await startGateway()
  const ids = await Promise.all(Array.from({ length: 5 }, () => submit(started)))
  const socket = await openSocket(started, started.adminKey)
  for (const id of ids) socket.send({ type: 'follow', task: id })
  for (const id of ids) await started.commit(id, 'running', [{ type: 'task.started', host: 'h' }, ...progress(50)])
  for (const id of ids) await started.commit(id, 'completed', [{ type: 'task.completed' }])
  const numbers = new Map<string, number[]>(ids.map((id) => [id, []]))
  let ended = 0
  while (ended < ids.length) {
    const message = await socket.next()
    if (message.type === 'event') numbers.get(message.event.task)!.push(message.event.number)
    if (message.type === 'ended') ended++
  }
  const expected = Array.from({ length: 53 }, (_, index) => index + 1)
  for (const id of ids) assert.deepEqual(numbers.get(id), expected)
  socket.close()
})

test('a WebSocket follows a platform stream with replay, only of its own tenant', async () => {
  await using started = await startGateway()
  const key = await started.key('viewer', 'acme')
  const event = (id: string, tenant: string) =>
    started.bus.publishPlatform({ id, type: 'system_alert', tenant, at: 1, data: { id } })
  await event('a', 'acme')
  await event('b', 'other')
  await event('c', 'acme')
  const socket = await openSocket(started, key)
  socket.send({ type: 'follow-stream', stream: 'system_alert', after: 0 })
  assert.equal((await socket.next()).type, 'following-stream')
  const first = await socket.next()
  const second = await socket.next()
  assert.deepEqual([first.event.id, second.event.id], ['a', 'c'])
  await event('d', 'acme')
  const third = await socket.next()
  assert.equal(third.event.id, 'd')
  assert.ok(third.sequence > second.sequence)
  socket.close()
})

test('a wrong message is answered with a problem and the connection goes on', async () => {
  await using started = await startGateway()
  const socket = await openSocket(started, started.adminKey)
  for (const wrong of ['{', '[]', '{"type":"dance"}', '{"type":"follow"}']) {
    socket.sendText(wrong)
    const answer = await socket.next()
    assert.equal(answer.type, 'error')
    assert.equal(answer.problem.code, 'invalid_request')
  }
  socket.send({ type: 'follow', task: 'task_00000000000000000000000000' })
  assert.equal((await socket.next()).problem.code, 'not_found')
  socket.send({ type: 'ping' })
  assert.equal((await socket.next()).type, 'pong')
  socket.close()
})

test('a browser’s WebSocket may carry its key as a subprotocol, which is not echoed', async () => {
  await using started = await startGateway()
  const socket = new WebSocket(`${started.url.replace('http', 'ws')}/v1/stream`, [
    'troupe.v1',
    `troupe.bearer.${started.adminKey}`,
  ])
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  assert.equal(socket.protocol, 'troupe.v1')
  const closed = new Promise((resolve) => socket.addEventListener('close', resolve))
  socket.close()
  await closed
})

test('a reader of server-sent events that takes nothing is dropped, and others do not notice', async () => {
  await using started = await startGateway({ config: { slowReaderMs: 1_000 } })
  const id = await submit(started)
  const { hostname, port } = new URL(started.url)
  const lazy = connect(Number(port), hostname)
  lazy.write(
    `GET /v1/tasks/${id}/events HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nauthorization: Bearer ${started.adminKey}\r\n\r\n`,
  )
  await once(lazy, 'readable')
  const quick = allOf(await readEvents(started, `/v1/tasks/${id}/events`))
  const text = 'x'.repeat(100_000)
  for (let round = 0; round < 100; round++) {
    await started.commit(id, 'running', [
      { type: 'progress', message: text },
      { type: 'progress', message: text },
    ])
  }
  await started.commit(id, 'completed', [{ type: 'task.completed' }])
  assert.equal((await quick).length, 202)
  const dropped = async (): Promise<boolean> =>
    /streams_dropped_total 1/.test((await started.call('GET', '/metrics')).text)
  const deadline = Date.now() + 10_000
  while (!(await dropped())) assert.ok(Date.now() < deadline, 'the lazy reader is still held')
  lazy.destroy()
})

test('a stream whose key was revoked is told and closed at the next check', async () => {
  const ended: string[] = []
  await using started = await startGateway()
  const streams = createStreams({ gateway: 10, tenant: 10 })
  const made = await started.call('POST', '/v1/keys', { body: { name: 'short', role: 'viewer' } })
  // Its own memory of keys has time to expire: as on another gateway than the one that revokes.
  let now = Date.now()
  const keys = createApiKeys(started.store, () => now)
  const release = streams.open({
    tenant: 'default',
    end: (why) => ended.push(why),
    recheck: () => keys.check(made.json.secret),
  })
  await streams.recheck()
  assert.deepEqual(ended, [])
  await started.call('DELETE', `/v1/keys/${made.json.id}`)
  now += 6_000
  await streams.recheck()
  assert.deepEqual(ended, ['revoked'])
  release()
  streams.drain()
})

test('a connection whose key is revoked here ends at once; one whose key expires can submit nothing more', async () => {
  await using started = await startGateway()
  const made = await started.call('POST', '/v1/keys', { body: { name: 'revoked', role: 'submitter' } })
  const socket = await openSocket(started, made.json.secret)
  await started.call('DELETE', `/v1/keys/${made.json.id}`)
  assert.equal((await socket.next()).type, 'revoked')
  assert.equal(await socket.closed, 1008)

  const expiresAt = Date.now() + 3_000
  const body = { name: 'expires', role: 'submitter', expiresAt: new Date(expiresAt).toISOString() }
  const short = await openSocket(started, (await started.call('POST', '/v1/keys', { body })).json.secret)
  const submission = { agent: 'echo', input: 1 }
  const answers: string[] = []
  await eventually('the connection is ended', async () => {
    short.send({ type: 'submit', request: 'again and again', submission })
    answers.push((await short.next()).type)
    return answers.at(-1) === 'revoked'
  })
  // Not at the look that all streams have twice a minute.
  assert.ok(Date.now() - expiresAt < 15_000)
  assert.equal(await short.closed, 1008)
})

test('more streams than a tenant may have are refused with 503 and Retry-After', async () => {
  await using started = await startGateway({ config: { maxStreams: { gateway: 10, tenant: 1 } } })
  const id = await submit(started)
  const events = await readEvents(started, `/v1/tasks/${id}/events`)
  const second = await started.call('GET', `/v1/tasks/${id}/events`, { headers: { accept: 'text/event-stream' } })
  assert.equal(second.status, 503)
  assert.equal(second.json.code, 'overloaded')
  assert.ok(second.headers.get('retry-after'))
  await events.return(undefined)
})
