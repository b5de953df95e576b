import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchSize } from '../../../src/workers/inference/batch-size.ts'

test('a quick model’s runs grow to 256 rows, a slow one’s stay at 64, a size that was given stays; so with what lies ready', () => {
  const quick = new BatchSize(undefined)
  assert.equal(quick.rows, 64)
  for (let run = 0; run < 3; run++) quick.ran(64, 64 * 0.005)
  assert.equal(quick.rows, 256)
  assert.equal(quick.readyRows, 16)
  const slow = new BatchSize(undefined)
  slow.ran(64, 640)
  assert.equal(slow.rows, 64)
  assert.equal(slow.readyRows, 64)
  const given = new BatchSize(16)
  given.ran(16, 0.01)
  assert.equal(given.rows, 16)
  assert.equal(given.readyRows, 16)
})

test('one slow run is enough to shrink, many quick ones are needed to grow again, small runs say nothing', () => {
  const size = new BatchSize(undefined)
  size.ran(64, 64 * 0.005)
  assert.equal(size.rows, 256)
  size.ran(256, 256)
  assert.equal(size.rows, 64)
  size.ran(64, 64 * 0.005)
  assert.equal(size.rows, 64)
  for (let run = 0; run < 40; run++) size.ran(64, 64 * 0.005)
  assert.equal(size.rows, 256)
  size.ran(1, 5)
  assert.equal(size.rows, 256)
})
