import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WireReader, WireWriter } from '../../../src/workers/grpc/wire.ts'

test('an embedded message of any length, written in place, is read as it was written, and so is what follows it', () => {
  for (const length of [0, 1, 120, 125, 126, 127, 128, 200, 16_380, 16_384, 100_000]) {
    const writer = new WireWriter(64)
    const outer = writer.string(1, 'before').open(2)
    const inner = writer.open(3)
    writer.bytes(4, Buffer.alloc(length, 7)).close(inner).string(5, 'inside').close(outer)
    const reader = new WireReader(writer.string(6, 'after').finish())
    assert.equal(stringOf(reader), 'before')
    reader.tag()
    const first = reader.message()
    first.tag()
    const second = first.message()
    second.tag()
    assert.deepEqual(second.view(), Buffer.alloc(length, 7))
    assert.ok(second.done)
    assert.equal(stringOf(first), 'inside')
    assert.ok(first.done)
    assert.equal(stringOf(reader), 'after')
    assert.ok(reader.done, `${length}`)
  }
})

test('what was written can be wrapped where headroom was kept, and only there', () => {
  for (const length of [0, 1, 127, 128, 70_000]) {
    const wrapped = new WireWriter(8, 16).bytes(1, Buffer.alloc(length, 1)).wrap(2).string(3, 'error').finish()
    const reader = new WireReader(wrapped)
    reader.tag()
    const inside = reader.message()
    inside.tag()
    assert.equal(inside.view().length, length)
    assert.ok(inside.done)
    assert.equal(stringOf(reader), 'error')
    assert.ok(reader.done)
  }
  assert.throws(() => new WireWriter(64, 1).string(1, 'x').wrap(2), RangeError)
})

function stringOf(reader: WireReader): string {
  reader.tag()
  return reader.string()
}
