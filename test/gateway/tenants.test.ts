// Two tenants, each with things of its own. Whatever one tries with the other's ids is a 404 or an empty list, and no
// answer holds a trace of the other.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { keptSpans, oneChild, wordRetrieval } from './support/far-side.ts'
import { operationsOf } from './support/generated-requests.ts'
import { openSocket } from './support/socket.ts'
import { type Answer, type Started, startGateway } from './support/start.ts'

let started: Started
let mine: { key: string; task: string; document: string; keyId: string }
let foreign: string

const SECRET = 'only-acme-may-read-this'

before(async () => {
  started = await startGateway({ retrieval: wordRetrieval(), supervision: oneChild(), telemetry: keptSpans() })
  const key = await started.key('admin', 'acme')
  foreign = await started.key('admin', 'rival')
  const as = (method: string, path: string, body?: unknown) => started.call(method, path, { key, body })
  const task = (await as('POST', '/v1/tasks', { agent: 'echo', input: SECRET, metadata: { SECRET } })).json.id
  const form = new FormData()
  form.append('file', new Blob([SECRET]), `${SECRET}.txt`)
  const document = (await started.call('POST', '/v1/documents', { key, raw: form })).json.id
  const keyId = (await as('POST', '/v1/keys', { name: SECRET, role: 'viewer' })).json.id
  await as('POST', '/v1/collections/papers/documents', { documents: [{ documentId: 'd', text: SECRET }] })
  await as('PUT', '/v1/schedules/acme-nightly', { agent: 'echo', input: SECRET, cron: '@daily', metadata: { SECRET } })
  await started.commit(task, 'completed', [{ type: 'progress', message: SECRET }, { type: 'task.completed' }], SECRET)
  mine = { key, task, document, keyId }
})
after(async () => await started[Symbol.asyncDispose]())

const asRival = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  started.call(method, path, { key: foreign, headers, ...(body === undefined ? {} : { body }) })

function reveals(answer: Answer): boolean {
  const text = answer.text + JSON.stringify([...answer.headers])
  return text.includes(SECRET) || text.includes('acme')
}

test('every documented route, tried with the other tenant’s ids: nothing leaks, and an id is a 404', async () => {
  const document = (await started.call('GET', '/openapi.json')).json
  let tried = 0
  for (const { method, path, body } of operationsOf(document)) {
    const ids = path.includes('{id}') ? [mine.task, mine.document, mine.keyId] : ['']
    for (const id of ids) {
      const url = path
        .replace('{id}', id)
        .replace('{collection}', 'papers')
        .replace('{name}', 'echo')
        .replace('{schedule}', 'acme-nightly')
        .replace('{tenant}', 'acme')
        .replace('{path}', 'troupe%2Fcore')
      const sent = body?.mediaType === 'application/json' ? bodyFor(path) : undefined
      const answer = await asRival(method, url, sent)
      tried++
      // What was asked for is repeated in the message; nothing else of it may come back.
      assert.ok(!answer.text.includes(SECRET), `${method} ${url}: ${answer.text}`)
      assert.ok(answer.status < 500, `${method} ${url}: ${answer.text}`)
      if (path.includes('{schedule}') && method !== 'PUT') assert.equal(answer.status, 404, `${method} ${url}`)
      if (path.includes('{id}') && !path.includes('{collection}')) {
        assert.equal(answer.status, 404, `${method} ${url}: ${answer.text}`)
      }
    }
  }
  assert.ok(tried > 40, `only ${tried} routes`)
})

function bodyFor(path: string): unknown {
  if (path.endsWith('/search')) return { query: SECRET.slice(0, 4) }
  if (path.endsWith('/messages')) return { type: 'x' }
  if (path.endsWith('/documents')) return { documents: [{ documentId: mine.document }] }
  return {}
}

test('another tenant’s id and one that never was are told apart by nothing', async () => {
  const never = 'task_00000000000000000000000000'
  const [theirs, none] = [await asRival('GET', `/v1/tasks/${mine.task}`), await asRival('GET', `/v1/tasks/${never}`)]
  const shape = ({ json }: Answer, id: string) => ({ ...json, instance: '', detail: json.detail.replace(id, '') })
  assert.deepEqual(shape(theirs, mine.task), shape(none, never))
})

test('lists, usage, audit, search and collections hold nothing of the other tenant', async () => {
  for (const path of ['/v1/tasks', '/v1/documents', '/v1/keys', '/v1/usage', '/v1/collections', '/v1/schedules']) {
    const answer = await asRival('GET', path)
    assert.equal(answer.status, 200, path)
    assert.ok(!reveals(answer), `${path}: ${answer.text}`)
  }
  // Its own attempts are there, under the paths it asked for; no entry is another tenant’s.
  const { entries } = (await asRival('GET', '/v1/audit?limit=500')).json
  assert.ok(entries.length > 0 && entries.every((entry: { tenant: string }) => entry.tenant === 'rival'))
  assert.equal((await asRival('GET', `/v1/tasks?parent=${mine.task}`)).json.tasks.length, 0)
  assert.equal((await asRival('GET', '/v1/usage')).json.usage.tasks, 0)
  const search = await asRival('POST', '/v1/collections/papers/search', { query: 'only' })
  assert.ok(!reveals(search))
})

test('a cursor of one tenant is refused for another', async () => {
  for (let count = 0; count < 2; count++) {
    await started.call('POST', '/v1/tasks', { key: mine.key, body: { agent: 'echo', input: 1 } })
  }
  const page = await started.call('GET', '/v1/tasks?limit=1', { key: mine.key })
  assert.ok(page.json.nextCursor)
  assert.equal((await asRival('GET', `/v1/tasks?limit=1&cursor=${page.json.nextCursor}`)).status, 400)
})

test('an Idempotency-Key of one tenant means nothing to another', async () => {
  const body = { agent: 'echo', input: SECRET }
  const headers = { 'idempotency-key': 'shared' }
  const first = await started.call('POST', '/v1/tasks', { key: mine.key, body, headers })
  const second = await asRival('POST', '/v1/tasks', { agent: 'echo', input: 'other' }, headers)
  assert.equal(second.status, 202)
  assert.notEqual(second.json.id, first.json.id)
})

test('server-sent events and WebSocket of another tenant’s task are a 404 and an error, without an event', async () => {
  const events = await asRival('GET', `/v1/tasks/${mine.task}/events`, undefined, { accept: 'text/event-stream' })
  assert.equal(events.status, 404)
  const socket = await openSocket(started, foreign)
  socket.send({ type: 'follow', task: mine.task })
  const answer = await socket.next()
  assert.deepEqual([answer.type, answer.problem.code], ['error', 'not_found'])
  assert.ok(!JSON.stringify(answer).includes(SECRET))
  socket.close()
})

test('a tenant’s admin makes no keys for another tenant and reads no platform things', async () => {
  const theirs = await asRival('POST', '/v1/keys', { name: 'x', role: 'viewer', tenant: 'acme' })
  assert.equal(theirs.status, 404)
  assert.equal((await asRival('GET', '/v1/keys?tenant=acme')).status, 404)
  assert.equal((await asRival('DELETE', `/v1/keys/${mine.keyId}?tenant=acme`)).status, 404)
  for (const path of ['/v1/supervision', '/v1/audit/verification']) {
    assert.equal((await asRival('GET', path)).status, 403, path)
  }
  assert.equal((await asRival('PUT', '/v1/quotas/rival', {})).status, 403)
  const agent = await asRival('GET', '/v1/agents/echo')
  assert.equal(agent.json.health, undefined)
})

test('nothing that was tried changed anything of the other tenant', async () => {
  const task = await started.call('GET', `/v1/tasks/${mine.task}`, { key: mine.key })
  assert.equal(task.json.state, 'completed')
  const keys = await started.call('GET', '/v1/keys', { key: mine.key })
  const kept = keys.json.keys.find((one: { id: string }) => one.id === mine.keyId)
  assert.ok(kept !== undefined && kept.revokedAt === undefined)
  const found = await started.call('POST', '/v1/collections/papers/search', { key: mine.key, body: { query: SECRET } })
  assert.equal(found.json.passages.length, 1)
})
