import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { gatherWrites } from '../../../src/workers/grpc/gather-writes.ts'

/** Takes each message at once, and says that it was sent only when told to: as a socket does. */
function slowStream() {
  const taken: string[] = []
  const sent: ((error?: Error) => void)[] = []
  const stream = new Writable({
    objectMode: true,
    write(message: string, _encoding, done) {
      taken.push(message)
      sent.push(done)
    },
  })
  gatherWrites(stream)
  return { stream, taken, sent }
}

test('messages that wait behind one that is being sent are handed on together and in order', async () => {
  const { stream, taken, sent } = slowStream()
  for (const message of ['one', 'two', 'three', 'four']) stream.write(message)
  assert.deepEqual(taken, ['one'])
  sent.shift()!()
  await new Promise(setImmediate)
  assert.deepEqual(taken, ['one', 'two', 'three', 'four'])
  stream.end()
  for (const done of sent) done()
  await once(stream, 'finish')
})

test('one message that cannot be sent fails the stream once, after all were answered for', async () => {
  const { stream, taken, sent } = slowStream()
  const failed = once(stream, 'error')
  for (const message of ['one', 'two', 'three']) stream.write(message)
  sent.shift()!()
  await new Promise(setImmediate)
  assert.equal(taken.length, 3)
  sent[0]!(new Error('the peer is gone'))
  sent[1]!()
  const [error] = (await failed) as [Error]
  assert.equal(error.message, 'the peer is gone')
})
