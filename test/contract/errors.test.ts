// What a thrown value says when it becomes a coded error: whoever reads it has no debugger.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toErrorRecord } from '../../src/contract/errors.ts'

const denied = (facts: object) =>
  Object.assign(new Error('Access restricted.'), { code: 'ERR_ACCESS_DENIED', ...facts })

test('an error is told with what was behind it, once', () => {
  const refused = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
  assert.equal(toErrorRecord(new TypeError('fetch failed', { cause: refused })).message, 'fetch failed: ECONNREFUSED')
  const inner = new Error('no such host')
  assert.equal(toErrorRecord(new Error('sending: no such host', { cause: inner })).message, 'sending: no such host')
})

test('an error that is its own cause is told, and told to an end', () => {
  const circle = new Error('round')
  circle.cause = circle
  assert.equal(toErrorRecord(circle).message, 'round')
})

test('what Node refuses an isolated plug-in is permission_denied, in the words of its manifest', () => {
  const read = denied({ permission: 'FileSystemRead', resource: '/etc/passwd' })
  const declared = 'FileSystemRead of /etc/passwd is not declared in the manifest’s permissions.files.read.'
  assert.deepEqual(toErrorRecord(read, 'step_failed'), { code: 'permission_denied', message: declared })
  const behind = new TypeError('fetch failed', { cause: denied({}) })
  assert.deepEqual(toErrorRecord(behind), { code: 'permission_denied', message: 'fetch failed: Access restricted.' })
})
