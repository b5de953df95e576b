import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Breaker } from '../../../src/workers/grpc/index.ts'

test('the breaker opens after failures in a row, lets one trial through, and closes on success', () => {
  let now = 0
  const breaker = new Breaker({ failures: 2, openMs: 100, now: () => now })
  breaker.failed()
  assert.ok(breaker.allows())
  breaker.failed()
  assert.ok(!breaker.allows())
  now = 100
  assert.ok(breaker.allows(), 'one trial')
  assert.ok(!breaker.allows(), 'only one')
  breaker.succeeded()
  assert.ok(breaker.allows())
})

test('a trial whose caller gave up is followed by another one', () => {
  let now = 0
  const breaker = new Breaker({ failures: 1, openMs: 100, now: () => now })
  breaker.failed()
  now = 100
  assert.ok(breaker.allows())
  // Cancelled, or past its deadline: nobody says whether the worker is back.
  assert.ok(!breaker.allows())
  now = 200
  assert.ok(breaker.allows())
})

test('retries are a share of the calls, with a small reserve', () => {
  const breaker = new Breaker({ retryShare: 0.5 })
  let reserve = 0
  while (breaker.takeRetry()) reserve++
  assert.equal(reserve, 10)
  breaker.succeeded()
  assert.ok(!breaker.takeRetry())
  breaker.succeeded()
  assert.ok(breaker.takeRetry())
})
