import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageReader } from '../../../src/workers/grpc/message-reader.ts'
import { SpareBuffers } from '../../../src/workers/grpc/spare-buffers.ts'

function framed(...messages: Buffer[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => {
      const header = Buffer.alloc(5)
      header.writeUInt32BE(message.length, 1)
      return [header, message]
    }),
  )
}

function reader(mostBytes = 10_000_000) {
  const read: Buffer[] = []
  const spare = new SpareBuffers()
  const messages = new MessageReader(spare, mostBytes, (bytes, memory) => {
    // Copied, because the memory will hold another message.
    read.push(Buffer.from(bytes))
    if (memory !== undefined) spare.give(memory)
  })
  return { read, messages }
}

test('wherever the bytes are cut, the same messages come out', () => {
  const sent = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('a longer message, the third'), Buffer.from('4')]
  const bytes = framed(...sent)
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      const { read, messages } = reader()
      for (const chunk of [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]) {
        messages.push(chunk)
      }
      assert.deepEqual(read, sent, `cut at ${first} and ${second}`)
    }
  }
})

test('byte by byte, and larger than what a length alone may reserve', () => {
  const small = reader()
  for (const byte of framed(Buffer.from('slow'), Buffer.from('er'))) small.messages.push(Buffer.from([byte]))
  assert.deepEqual(small.read.map(String), ['slow', 'er'])
  const large = Buffer.alloc(3_000_000, 7)
  const { read, messages } = reader()
  const bytes = framed(large, Buffer.from('after'))
  for (let at = 0; at < bytes.length; at += 16_384) messages.push(bytes.subarray(at, at + 16_384))
  assert.ok(read[0]!.equals(large))
  assert.equal(String(read[1]), 'after')
})

test('after a pause nothing is given until it resumes, not even what lies in the same chunk', () => {
  const read: string[] = []
  const messages = new MessageReader(new SpareBuffers(), 1_000, (bytes) => {
    read.push(String(bytes))
    if (read.length < 3) messages.pause()
  })
  messages.push(framed(...['one', 'two', 'three', 'four'].map((text) => Buffer.from(text))))
  assert.deepEqual(read, ['one'])
  messages.resume()
  assert.deepEqual(read, ['one', 'two'])
  messages.resume()
  assert.deepEqual(read, ['one', 'two', 'three', 'four'])
})

test('a compressed message and one that is too large are refused before their bytes are taken', () => {
  const compressed = Buffer.from([1, 0, 0, 0, 1, 0])
  assert.throws(() => reader().messages.push(compressed), { code: 'invalid_request', message: /named no encoding/ })
  const huge = Buffer.from([0, 0xff, 0xff, 0xff, 0xff])
  assert.throws(() => reader(100).messages.push(huge), { code: 'overloaded', message: /4294967295 bytes; at most 100/ })
})
