import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpareBuffers } from '../../../src/workers/grpc/spare-buffers.ts'

test('a buffer that came back is used again, for what fits into it', () => {
  const spare = new SpareBuffers()
  const first = spare.take(5_000)
  assert.equal(first.length, 5_000)
  spare.give(first.buffer)
  assert.equal(spare.take(8_000).buffer, first.buffer)
  assert.notEqual(spare.take(8_000).buffer, first.buffer)
})

test('what is kept is bounded: so many bytes of all sizes, none that is huge, none of a stranger', () => {
  const spare = new SpareBuffers(4 * 4_096)
  const many = Array.from({ length: 10 }, () => spare.take(4_096).buffer)
  for (const buffer of many) spare.give(buffer)
  const again = Array.from({ length: 10 }, () => spare.take(4_096).buffer)
  assert.equal(again.filter((buffer) => many.includes(buffer)).length, 4)
  // What was taken again makes room.
  const larger = spare.take(8_192).buffer
  spare.give(larger)
  assert.equal(spare.take(8_192).buffer, larger)
  const huge = spare.take(5 * 1024 * 1024)
  spare.give(huge.buffer)
  assert.notEqual(spare.take(5 * 1024 * 1024).buffer, huge.buffer)
  const stranger = new ArrayBuffer(5_000)
  spare.give(stranger)
  assert.notEqual(spare.take(5_000).buffer, stranger)
})
