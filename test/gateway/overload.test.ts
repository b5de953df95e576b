// Senders that are slow, break off or are too many: each ends as a clear refusal, and nobody else notices.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { createBodies } from '../../src/gateway/limits/bodies.ts'
import { eventually } from '../support/eventually.ts'
import { type Started, startGateway } from './support/start.ts'

const SLOW = { slowHeadersMs: 200, slowBodyMs: 500 }

/** A connection that says `first`, and what came back until it was closed. */
function open(started: Started, first: string): { socket: Socket; answer: Promise<string> } {
  const { port, hostname } = new URL(started.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  let text = ''
  socket.on('data', (bytes) => {
    text += bytes
  })
  const answer = once(socket, 'close').then(() => text)
  socket.write(first)
  return { socket, answer }
}

const post = (started: Started, more: string) =>
  `POST /v1/tasks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${started.adminKey}\r\ncontent-type: application/json\r\n${more}\r\n\r\n`

const tasksOf = async (started: Started) => (await started.call('GET', '/v1/tasks')).json.tasks.length

test('headers that drip in are cut off with 408, while others are served', async () => {
  await using started = await startGateway({ config: SLOW })
  const begun = performance.now()
  const slow = Array.from({ length: 50 }, () => open(started, 'GET /v1/tasks HTTP/1.1\r\nx-drip: '))
  const drip = setInterval(() => {
    for (const { socket } of slow) if (socket.writable) socket.write('a')
  }, 20)
  assert.equal((await started.call('GET', '/v1/agents')).status, 200)
  for (const { answer } of slow) assert.match(await answer, /^HTTP\/1.1 408 [\s\S]*"code":"request_too_slow"/)
  clearInterval(drip)
  // Node looks after slow headers each half minute, unless it is told to look more often.
  assert.ok(performance.now() - begun < 15_000)
})

test('a body that stops half-way is cut off with 408, and nothing of it is done', async () => {
  await using started = await startGateway({ config: SLOW })
  const { answer } = open(started, `${post(started, 'content-length: 1000')}{"agent":"echo","input":`)
  assert.match(await answer, /^HTTP\/1.1 408 [\s\S]*problem\+json[\s\S]*"code":"request_too_slow"/)
  assert.equal(await tasksOf(started), 0)
})

test('a body that only drips is cut off as well, and so is one that follows an answered request', async () => {
  await using started = await startGateway({ config: SLOW })
  const { socket, answer } = open(started, 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(socket, 'data')
  socket.write(`${post(started, 'content-length: 1000')}{"agent":"echo","input":"`)
  const drip = setInterval(() => socket.writable && socket.write('a'), 50)
  const text = await answer
  clearInterval(drip)
  assert.match(text, /^HTTP\/1.1 200 [\s\S]*HTTP\/1.1 408 [\s\S]*"code":"request_too_slow"/)
  assert.equal(await tasksOf(started), 0)
})

test('a slow upload that makes progress takes as long as it takes', async () => {
  await using started = await startGateway({ config: SLOW })
  const begun = performance.now()
  const body = JSON.stringify({ agent: 'echo', input: 'x'.repeat(6_000) })
  const { socket, answer } = open(started, post(started, `connection: close\r\ncontent-length: ${body.length}`))
  for (let at = 0; at < body.length; at += 300) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    socket.write(body.slice(at, at + 300))
  }
  assert.match(await answer, /^HTTP\/1.1 202 /)
  assert.ok(performance.now() - begun > 3 * SLOW.slowBodyMs)
})

test('a form whose file stops half-way is cut off, and nothing of it is kept', async () => {
  await using started = await startGateway({ config: SLOW })
  const head = `POST /v1/documents HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${started.adminKey}\r\n`
  const part = '--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nDear Ada'
  const { answer } = open(
    started,
    `${head}content-type: multipart/form-data; boundary=b\r\ncontent-length: 5000\r\n\r\n${part}`,
  )
  assert.match(await answer, /^HTTP\/1.1 408 [\s\S]*"code":"request_too_slow"/)
  assert.deepEqual((await started.call('GET', '/v1/documents')).json.documents, [])
})

test('a caller that hangs up in the middle of its body leaves nothing behind', async () => {
  await using started = await startGateway({ config: { maxHeldBodyBytes: 150_000 } })
  const half = `{"agent":"echo","input":"${'x'.repeat(50_000)}`
  for (let round = 0; round < 5; round++) {
    const { socket, answer } = open(started, `${post(started, 'content-length: 100000')}${half}`)
    await once(socket, 'connect')
    await new Promise<void>((resolve) => socket.write('y', () => resolve()))
    socket.destroy()
    await answer
  }
  assert.equal(await tasksOf(started), 0)
  // What they held is given back, however they went.
  const body = { agent: 'echo', input: 'x'.repeat(100_000) }
  const deadline = performance.now() + 30_000
  let status = 0
  while (status !== 202 && performance.now() < deadline) {
    status = (await started.call('POST', '/v1/tasks', { body })).status
  }
  assert.equal(status, 202)
})

test('more large bodies at a time than may be held are refused at once with Retry-After; small ones still pass', async () => {
  await using started = await startGateway({ config: { maxHeldBodyBytes: 150_000 } })
  const { socket } = open(started, `${post(started, 'content-length: 100000')}{`)
  await once(socket, 'connect')
  const large = { agent: 'echo', input: 'x'.repeat(100_000) }
  const deadline = performance.now() + 30_000
  let refused = await started.call('POST', '/v1/tasks', { body: large })
  // Until the gateway has read the first one's headers, this one is served.
  while (refused.status === 202 && performance.now() < deadline) {
    refused = await started.call('POST', '/v1/tasks', { body: large })
  }
  assert.deepEqual([refused.status, refused.json.code, refused.headers.get('retry-after')], [503, 'overloaded', '1'])
  assert.equal((await started.call('POST', '/v1/tasks', { body: { agent: 'echo', input: 1 } })).status, 202)
  socket.destroy()
})

test('large answers that nobody takes: no more of them than may be held, and their connections are closed', async () => {
  await using started = await startGateway({ config: { maxHeldBodyBytes: 25_000_000, slowReaderMs: 1_000 } })
  const body = { agent: 'echo', input: 'x'.repeat(10_000_000) }
  const path = `/v1/tasks/${(await started.call('POST', '/v1/tasks', { body })).json.id}`
  const get = `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${started.adminKey}\r\n\r\n`
  const { hostname, port } = new URL(started.url)
  const lazy = [1, 2].map(() => connect(Number(port), hostname).once('error', () => {}))
  for (const socket of lazy) {
    socket.write(get)
    await once(socket, 'readable')
  }
  const refused = await started.call('GET', path)
  assert.deepEqual([refused.status, refused.json.code, refused.headers.get('retry-after')], [503, 'overloaded', '1'])
  assert.equal((await started.call('GET', '/v1/tasks')).status, 200, 'a small one passes')
  await eventually('there is room again', async () => (await started.call('GET', path)).status === 200)
  for (const socket of lazy) socket.destroy()
})

test('bodies without a length count as what they may become, and each is given back once', () => {
  const bodies = createBodies(1_000_000)
  const first = bodies.hold({ 'transfer-encoding': 'chunked' }, 600_000)
  assert.equal(bodies.held, 600_000)
  assert.throws(() => bodies.hold({ 'content-length': '500000' }, 600_000), { code: 'overloaded' })
  assert.equal(bodies.hold({ 'content-length': '1000' }, 600_000), undefined)
  assert.equal(bodies.hold({ 'content-length': '700000' }, 600_000), undefined, 'refused by its length elsewhere')
  first?.()
  first?.()
  assert.equal(bodies.held, 0)
})

test('a flood of submissions ends as accepted or as a coded refusal, and none is left waiting', async () => {
  // So few that a machine on which all of them take half a minute still refuses some.
  await using started = await startGateway({ config: { requestsPerSecond: { key: 10, tenant: 10 } } })
  const submit = async () => {
    const { status, json, headers } = await started.call('POST', '/v1/tasks', { body: { agent: 'echo', input: 1 } })
    return { status, code: json.code, retryAfter: headers.get('retry-after') }
  }
  const answers = await Promise.all(Array.from({ length: 400 }, submit))
  const refused = answers.filter(({ status }) => status !== 202)
  assert.ok(refused.length > 0)
  for (const { status, code, retryAfter } of refused) {
    assert.deepEqual([status, code, retryAfter], [429, 'rate_limited', '1'])
  }
  // What the gateway itself needs; a client that opens hundreds of connections at once waits for itself.
  const { text } = await started.call('GET', '/metrics')
  const count = (bound: string) => {
    const name = `troupe_http_request_duration_seconds_bucket{method="POST",route="/v1/tasks",le="${bound}"} `
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(name))
        ?.slice(name.length),
    )
  }
  assert.equal(count('+Inf'), answers.length)
  assert.equal(count('10'), answers.length)
})
