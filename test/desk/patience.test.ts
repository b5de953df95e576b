import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPatience } from '../../src/desk/patience.ts'

test('who comes while others have waited too long is refused at once, until they are answered', async () => {
  let now = 0
  const patience = createPatience(1_500, () => now)
  const answer = Promise.withResolvers<string>()
  const first = patience.of(() => answer.promise)
  now = 1_500
  assert.equal(await patience.of(async () => 'in time'), 'in time')
  now = 1_501
  let begun = false
  const refused = patience.of(async () => {
    begun = true
  })
  await assert.rejects(refused, { code: 'journal_unavailable', status: 503, passing: true })
  assert.equal(begun, false)
  answer.resolve('late')
  assert.equal(await first, 'late')
  assert.equal(await patience.of(async () => 'again'), 'again')
})

test('a failure frees its place as an answer does', async () => {
  let now = 0
  const patience = createPatience(1_500, () => now)
  const failing = patience.of(() => Promise.reject(new Error('away')))
  await assert.rejects(failing, /away/)
  now = 60_000
  assert.equal(await patience.of(async () => 1), 1)
})
