import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sharedData } from '../support/shared-data.ts'
import { type Answer, type Started, startGateway } from './support/start.ts'

const parsing = sharedData('json/JSONTestSuite/test_parsing')
const transforms = sharedData('json/JSONTestSuite/test_transform')
const naughty = sharedData('security/blns/blns.json')

let started: Started
before(async () => {
  started = await startGateway()
})
after(async () => await started[Symbol.asyncDispose]())

const json = { 'content-type': 'application/json' }
const send = (raw: string | Uint8Array): Promise<Answer> => started.call('POST', '/v1/tasks', { raw, headers: json })
const submission = (input: string) => `{"agent":"echo","input":${input}}`

async function roundTrip(input: string): Promise<Answer> {
  const accepted = await send(submission(input))
  if (accepted.status !== 202) return accepted
  return await started.call('GET', `/v1/tasks/${accepted.json.id}`)
}

function isProblem(answer: Answer, about: string): void {
  assert.ok(answer.status >= 400 && answer.status < 500, `${about}: ${answer.status} ${answer.text}`)
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/, about)
  assert.ok(answer.json.code && answer.json.fix && answer.json.instance, about)
}

test('what is not JSON, or JSON that would be changed on its way, is a 400 problem', async () => {
  const wrong: Record<string, string | Uint8Array> = {
    'a cut-off object': '{"agent":',
    'trailing text': '{} {}',
    'a byte that is not UTF-8': Buffer.concat([Buffer.from('{"agent":"'), Buffer.from([0xff]), Buffer.from('"}')]),
    'UTF-16': Buffer.from('{"agent":"echo"}', 'utf16le'),
    'a raw NUL byte': '{"agent":"echo","input":"\u0000"}',
    NaN: submission('NaN'),
    'a number beyond every double': submission('1e999'),
    'a number of 400 digits': submission('9'.repeat(400)),
    __proto__: submission('{"__proto__":{"admin":true}}'),
    '__proto__ written with escapes': submission('{"\\u005f_proto__":{"admin":true}}'),
    'constructor.prototype': submission('{"constructor":{"prototype":{"admin":true}}}'),
    '100,000 opening brackets': submission('['.repeat(100_000)),
    '100,000 nested arrays': submission('['.repeat(100_000) + ']'.repeat(100_000)),
    '100,000 nested objects': submission(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
    'an array instead of an object': '[]',
    'a string': '"x"',
    null: 'null',
    nothing: '',
  }
  for (const [about, raw] of Object.entries(wrong)) isProblem(await send(raw), about)
  assert.equal(({} as Record<string, unknown>).admin, undefined)
})

test('strings come back unchanged: NUL, lone surrogates, invisible and combining characters, long ones', async () => {
  const strings = [
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\udc00\ud800',
    '\u202e',
    'e\u0301',
    '\ufeffx',
    '😀',
    'x'.repeat(70_000),
  ]
  const read = await roundTrip(JSON.stringify(strings))
  assert.deepEqual(read.json?.input, strings)
})

test('of a key that occurs twice the last one counts', async () => {
  assert.deepEqual((await roundTrip('{"a":1,"a":2}')).json.input, { a: 2 })
})

test('a value over the limit is a 413, one in a type we do not take a 415', async () => {
  const large = await send(submission(JSON.stringify('x'.repeat(17 * 1024 * 1024))))
  assert.equal(large.json.code, 'value_too_large')
  const xml = await started.call('POST', '/v1/tasks', { raw: '<a/>', headers: { 'content-type': 'text/xml' } })
  assert.equal(xml.json.code, 'unsupported_media_type')
})

test('an unknown path is a 404, a known one with another method a 405 that names the right ones', async () => {
  const unknown = await started.call('GET', '/v2/nothing')
  assert.deepEqual([unknown.status, unknown.json.code], [404, 'not_found'])
  const method = await started.call('DELETE', '/v1/tasks')
  assert.deepEqual([method.status, method.json.code], [405, 'method_not_allowed'])
  assert.match(method.headers.get('allow') ?? '', /GET.*POST/)
})

test('ids and paths that are none are a 404 or 400, never a failure', async () => {
  const ids = [
    'x',
    '..%2f..%2fetc%2fpasswd',
    '%00',
    "'%20OR%201=1",
    '%ff',
    'task_',
    '😀',
    'a'.repeat(150),
    'a'.repeat(5_000),
  ]
  for (const id of ids) {
    for (const path of [`/v1/tasks/${id}`, `/v1/tasks/${id}/events`, `/v1/documents/${id}`, `/v1/agents/${id}`]) {
      isProblem(await started.call('GET', path), path)
    }
  }
  isProblem(await started.call('GET', '/v1/tasks?limit=abc'), 'limit')
  isProblem(await started.call('GET', '/v1/tasks?cursor=AAAA'), 'cursor')
  isProblem(await started.call('GET', '/v1/tasks?agent=%00'), 'agent')
})

test('a request that is not HTTP is refused and the next one is served', async () => {
  const { port, hostname } = new URL(started.url)
  for (const raw of [
    'NONSENSE\r\n\r\n',
    `GET / HTTP/1.1\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`,
    '\u0000\u0001\u0002\r\n\r\n',
  ]) {
    const socket = connect(Number(port), hostname)
    const gone = new Promise((resolve) => socket.once('close', resolve))
    let answer = ''
    socket.on('data', (bytes) => {
      answer += bytes
    })
    socket.on('error', () => {})
    socket.write(raw)
    await gone
    assert.match(answer, /^HTTP\/1\.1 4(00|31) .*\r\n[\s\S]*application\/problem\+json[\s\S]*"code":"invalid_request"/)
  }
  assert.equal((await started.call('GET', '/healthz')).status, 200)
})

test('the caller’s request id is kept when it is harmless, and replaced when it is not', async () => {
  const kept = await started.call('GET', '/v1/none', { headers: { 'x-request-id': 'order-12345678' } })
  assert.equal(kept.headers.get('x-request-id'), 'order-12345678')
  assert.equal(kept.json.instance, 'order-12345678')
  const replaced = await started.call('GET', '/healthz', { headers: { 'x-request-id': 'a "b" c' } })
  assert.match(replaced.headers.get('x-request-id') ?? '', /^req_[0-9a-z]{26}$/)
})

test('JSONTestSuite: every case is accepted unchanged or refused as a problem, never a failure', {
  skip: parsing === undefined || transforms === undefined ? 'shared data json/JSONTestSuite is absent' : false,
}, async () => {
  for (const folder of [parsing!, transforms!]) {
    for (const name of readdirSync(folder)) {
      const bytes = readFileSync(join(folder, name))
      // The case as the whole body, and as the input of a task.
      const bare = await send(bytes)
      assert.ok(bare.status < 500, name)
      const wrapped = Buffer.concat([Buffer.from('{"agent":"echo","input":'), bytes, Buffer.from('}')])
      const accepted = await send(wrapped)
      assert.ok(accepted.status < 500, `${name}: ${accepted.text}`)
      if (name.startsWith('n_') && !name.includes('BOM')) assert.notEqual(accepted.status, 202, name)
      if (accepted.status !== 202) continue
      const read = await started.call('GET', `/v1/tasks/${accepted.json.id}`)
      // As JSON: there is no minus zero in it.
      assert.equal(JSON.stringify(read.json.input), JSON.stringify(JSON.parse(bytes.toString('utf8'))), name)
    }
  }
})

test('the big list of naughty strings comes back unchanged, as input, metadata, message and document name', {
  skip: naughty === undefined ? 'shared data security/blns is absent' : false,
}, async () => {
  const strings = JSON.parse(readFileSync(naughty!, 'utf8')) as string[]
  for (const text of strings) {
    const body = { agent: 'echo', input: { text, [text === '__proto__' ? 'k' : text]: 1 }, metadata: { text } }
    const accepted = await started.call('POST', '/v1/tasks', { body })
    assert.equal(accepted.status, 202, `${JSON.stringify(text)}: ${accepted.text}`)
    const read = await started.call('GET', `/v1/tasks/${accepted.json.id}`)
    assert.deepEqual(read.json.input, body.input)
    assert.deepEqual(read.json.metadata, body.metadata)
    const message = { type: 'note', text }
    const sent = await started.call('POST', `/v1/tasks/${accepted.json.id}/messages`, { body: message })
    assert.equal(sent.status, 202)
    const form = new FormData()
    form.append('file', new Blob(['x']), text)
    const stored = await started.call('POST', '/v1/documents', { raw: form })
    assert.ok(stored.status < 500, stored.text)
    for (const place of ['/v1/tasks/', '/v1/agents/', '/v1/documents/', '/v1/tasks?agent=', '/v1/tasks?cursor=']) {
      const answer = await started.call('GET', place + encodeURIComponent(text.toWellFormed()))
      assert.ok(answer.status < 500, place + text)
    }
  }
})
