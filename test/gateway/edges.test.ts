// What Node's server and Fastify would answer in their own words, or pass over: every refusal is a problem with a code.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Started, startGateway } from './support/start.ts'

let started: Started

before(async () => {
  started = await startGateway()
})
after(async () => await started[Symbol.asyncDispose]())

/** What comes back for these bytes, until the connection is closed. */
async function said(bytes: string): Promise<{ status: number; head: string; problem: Record<string, unknown> }> {
  const { port, hostname } = new URL(started.url)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.on('data', (piece) => {
    text += piece
  })
  socket.write(bytes)
  await once(socket, 'close', { signal: AbortSignal.timeout(10_000) })
  const [head = '', body = ''] = text.split('\r\n\r\n')
  return { status: Number(head.slice(9, 12)), head: head.toLowerCase(), problem: JSON.parse(body) }
}

const auth = () => `authorization: Bearer ${started.adminKey}\r\n`

const refused: [what: string, bytes: () => string, status: number, code: string][] = [
  ['without Host', () => `GET /v1/tasks HTTP/1.1\r\n${auth()}connection: close\r\n\r\n`, 400, 'invalid_request'],
  [
    'that expects what nobody offers',
    () => `GET /v1/tasks HTTP/1.1\r\nhost: x\r\nexpect: miracles\r\n${auth()}connection: close\r\n\r\n`,
    417,
    'invalid_request',
  ],
  ['that takes it for a proxy', () => 'CONNECT a.example:443 HTTP/1.1\r\nhost: x\r\n\r\n', 405, 'method_not_allowed'],
  ['with headers beyond measure', () => `GET / HTTP/1.1\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, 431, 'invalid_request'],
]
for (const [what, bytes, status, code] of refused) {
  test(`a request ${what} gets ${status} as problem+json`, async () => {
    const answer = await said(bytes())
    assert.equal(answer.status, status)
    assert.match(answer.head, /content-type: application\/problem\+json/)
    assert.deepEqual([answer.problem.status, answer.problem.code], [status, code])
  })
}

test('HTTP/1.0 has no Host, and is served', async () => {
  const { status } = await said(`GET /v1/agents HTTP/1.0\r\n${auth()}\r\n`)
  assert.equal(status, 200)
})

test('an offer of HTTP/2 that comes with a body is passed over, and the body is read', async () => {
  const body = JSON.stringify({ agent: 'echo', input: 1 })
  const offer = 'connection: Upgrade, HTTP2-Settings, close\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAA\r\n'
  const head = `POST /v1/tasks HTTP/1.1\r\nhost: x\r\n${auth()}${offer}content-type: application/json\r\n`
  const { status } = await said(`${head}content-length: ${body.length}\r\n\r\n${body}`)
  assert.equal(status, 202)
})

test('an offer of a WebSocket where none is served is passed over: the route answers as it does', async () => {
  const offer = 'connection: Upgrade, close\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n'
  const head = `GET /v1/agents HTTP/1.1\r\nhost: x\r\n${auth()}${offer}`
  const { status } = await said(`${head}sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`)
  assert.equal(status, 200)
})

test('a query parameter that the route does not know is refused by its name, with the nearest one', async () => {
  const slip = await started.call('GET', '/v1/tasks?staus=failed')
  assert.deepEqual([slip.status, slip.json.code], [400, 'invalid_request'])
  assert.match(slip.json.detail, /"staus".*Did you mean status\?/)
  assert.deepEqual(slip.json.context.parameter, 'staus')
  const far = await started.call('GET', '/v1/tasks?limit=1&verbose=true')
  assert.match(far.json.detail, /"verbose".*It takes state, status, agent, parent, label, cursor, limit\./)
  const none = await started.call('POST', '/v1/tasks?wait=5', { body: { agent: 'echo', input: 1 } })
  assert.match(none.json.detail, /"wait"\. It takes none\./)
  assert.equal((await started.call('GET', '/v1/tasks')).json.tasks.length, 1, 'only the one of the test before')
  assert.equal((await started.call('GET', '/healthz?probe=1', { key: undefined })).status, 200)
  assert.equal((await started.call('GET', '/v1/tasks?__proto__=1')).status, 400)
})

test('a body with a content coding is refused, and what may be sent is named', async () => {
  const raw = gzipSync(JSON.stringify({ agent: 'echo', input: 1 }))
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  const answer = await started.call('POST', '/v1/tasks', { raw, headers })
  assert.deepEqual([answer.status, answer.json.code], [415, 'unsupported_media_type'])
  assert.equal(answer.headers.get('accept-encoding'), 'identity')
  const plain = { 'content-type': 'application/json', 'content-encoding': 'identity' }
  const passed = await started.call('POST', '/v1/tasks', { raw: '{"agent":"echo","input":1}', headers: plain })
  assert.equal(passed.status, 202)
})

test('a form sent to a door that takes JSON is a 415: only uploads take forms', async () => {
  const body = new FormData()
  body.set('file', new Blob(['text']), 'a.txt')
  const headers = { authorization: `Bearer ${started.adminKey}` }
  const answer = await fetch(`${started.url}/v1/tasks`, { method: 'POST', headers, body })
  const { code } = (await answer.json()) as { code: string }
  assert.deepEqual([answer.status, code], [415, 'unsupported_media_type'])
})

test('a gateway that closes says so with a code and when to come again', async () => {
  await using closing = await startGateway()
  const { port, hostname } = new URL(closing.url)
  const socket = connect(Number(port), hostname)
  const ask = `GET /v1/agents HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${closing.adminKey}\r\n\r\n`
  // The second request of this connection begins before the gateway closes, and ends after.
  socket.write(ask + ask.slice(0, 20))
  await once(socket, 'data')
  const closed = closing.gateway.drain(5_000)
  let text = ''
  socket.on('data', (piece) => {
    text += piece
  })
  socket.write(ask.slice(20))
  await once(socket, 'close')
  await closed
  assert.match(text, /^HTTP\/1.1 503 [\s\S]*"code":"draining"/)
  assert.match(text, /retry-after: 1/)
})
