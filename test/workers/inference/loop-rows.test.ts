import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LoopRows } from '../../../src/workers/inference/loop-rows.ts'

test('as many rows as were seen to be quick, at most 64, wherever they were computed', () => {
  const loop = new LoopRows(0.3)
  assert.equal(loop.rows, 0)
  loop.ran(1, 0.05)
  assert.equal(loop.rows, 1)
  loop.ran(24, 0.2)
  assert.equal(loop.rows, 24)
  loop.ran(8, 0.1)
  assert.equal(loop.rows, 24)
  loop.ran(48, 0.31)
  assert.equal(loop.rows, 24)
  loop.ran(200, 0.3)
  assert.equal(loop.rows, 64)
})

test('four times as long is slow: alone it changes nothing, three in a row halve what is taken, quick ones bring it back', () => {
  const loop = new LoopRows(0.3)
  loop.ran(32, 0.2)
  loop.ran(32, 4)
  loop.ran(32, 4)
  loop.ran(16, 0.1)
  loop.ran(32, 4)
  loop.ran(32, 4)
  assert.equal(loop.rows, 32)
  // Larger runs than are taken here may be slow.
  loop.ran(64, 4)
  assert.equal(loop.rows, 32)
  loop.ran(20, 4)
  assert.equal(loop.rows, 10)
  for (let run = 0; run < 12; run++) loop.ran(1, 1.1)
  assert.equal(loop.rows, 10)
  for (let run = 0; run < 12; run++) loop.ran(1, 1.3)
  assert.equal(loop.rows, 0)
  loop.ran(4, 0.1)
  assert.equal(loop.rows, 4)
})

test('a run that is far too slow is enough, and of 0 ms nothing is computed here', () => {
  const loop = new LoopRows(0.3)
  loop.ran(32, 0.2)
  loop.ran(32, 101)
  assert.equal(loop.rows, 0)
  const never = new LoopRows(0)
  never.ran(1, 0.001)
  assert.equal(never.rows, 0)
})
