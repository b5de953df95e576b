// What people and probes try first, and what they get wrong first.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Started, startGateway } from './support/start.ts'

let started: Started

before(async () => {
  started = await startGateway()
})
after(async () => await started[Symbol.asyncDispose]())

test('probes that ask with HEAD are answered; streams have no HEAD', async () => {
  for (const path of ['/healthz', '/readyz']) {
    const answer = await fetch(started.url + path, { method: 'HEAD' })
    assert.equal(answer.status, 200)
    assert.equal(await answer.text(), '')
  }
  assert.equal((await fetch(`${started.url}/v1/tasks`, { method: 'HEAD' })).status, 405)
})

test('a key that would have expired already is not made', async () => {
  const body = { name: 'late', role: 'viewer', expiresAt: '2020-01-01T00:00:00Z' }
  const answer = await started.call('POST', '/v1/keys', { body })
  assert.equal(answer.status, 400)
  assert.match(answer.json.detail, /expiresAt: 2020-01-01T00:00:00\.000Z has passed/)
  const { keys } = (await started.call('GET', '/v1/keys')).json
  assert.ok(keys.every(({ name }: { name: string }) => name !== 'late'))
})

test('a form with a field, or a second file, is told what a form must hold; no document is left', async () => {
  const withField = new FormData()
  withField.append('title', 'x')
  const withTwo = new FormData()
  withTwo.append('file', new Blob(['one']), 'one.txt')
  withTwo.append('file', new Blob(['two']), 'two.txt')
  for (const raw of [withField, withTwo]) {
    const answer = await started.call('POST', '/v1/documents', { raw })
    assert.equal(answer.status, 400)
    assert.match(answer.json.detail, /one file part and nothing else/)
  }
  assert.deepEqual((await started.call('GET', '/v1/documents')).json.documents, [])
})
