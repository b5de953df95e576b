import assert from 'node:assert/strict'
import { Duplex, PassThrough } from 'node:stream'
import { test } from 'node:test'
import { MAX_FRAME_BYTES, wireOver } from '../../src/isolation/wire.ts'

/** A wire that reads what is written to `incoming`, and the bytes that it sends. */
function wire() {
  const incoming = new PassThrough()
  const outgoing = new PassThrough()
  const broken: string[] = []
  const heard: unknown[] = []
  const channel = wireOver(Duplex.from({ readable: incoming, writable: outgoing }), (why) => broken.push(why))
  channel.onMessage((message) => heard.push(message))
  return { incoming, outgoing, broken, heard, channel }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

function frame(text: string): Buffer {
  const body = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([length, body])
}

test('what is sent arrives as it was, with bytes and floats, however the pipe cuts it', async () => {
  const sender = wire()
  const message = {
    text: 'Zürich 🎭',
    bytes: new Uint8Array([0, 255, 7]),
    floats: new Float32Array([0.5, -1]),
    list: [1, null, { deep: true }],
  }
  sender.channel.send(message)
  sender.channel.send('second')
  await settled()
  const sent = sender.outgoing.read() as Buffer
  for (const step of [1, 3, sent.length]) {
    const receiver = wire()
    for (let at = 0; at < sent.length; at += step) receiver.incoming.write(sent.subarray(at, at + step))
    await settled()
    await settled()
    assert.deepEqual(receiver.heard, [message, 'second'])
  }
})

test('bytes that are no message break the wire and nothing else', async () => {
  const { incoming, broken, heard } = wire()
  incoming.write(Buffer.concat([frame('"good"'), Buffer.from([0, 0, 0, 4, 0, 1, 2, 3]), frame('"late"')]))
  await settled()
  assert.deepEqual(heard, ['good'])
  assert.deepEqual(broken, ['it sent what is no message'])
})

test('a length over the limit breaks the wire before anything of it is kept', async () => {
  const { incoming, broken } = wire()
  incoming.write(Buffer.from([255, 255, 255, 240]))
  await settled()
  assert.deepEqual(broken, ['it announced a message of 4294967280 bytes'])
})

test('a message over the limit is refused where it is sent', () => {
  const { channel, broken } = wire()
  assert.throws(() => channel.send('x'.repeat(MAX_FRAME_BYTES)), { code: 'value_too_large' })
  assert.deepEqual(broken, [])
})

test('a message that is no JSON is refused where it is sent, with a code: sent again it would be none either', () => {
  const { channel, broken } = wire()
  const ring: { self?: unknown } = {}
  ring.self = ring
  for (const message of [ring, 1n]) assert.throws(() => channel.send(message), { code: 'invalid_input' })
  assert.deepEqual(broken, [])
})

test('the other side that reads nothing is given up, not kept for', () => {
  const broken: string[] = []
  const deaf = new Duplex({ read() {}, write() {} })
  const channel = wireOver(deaf, (why) => broken.push(why))
  const message = 'x'.repeat(MAX_FRAME_BYTES / 2)
  for (let sent = 0; sent < 12 && broken.length === 0; sent++) channel.send(message)
  assert.deepEqual(broken, ['it does not read what it is sent'])
})

test('a key named __proto__ stays a key', async () => {
  const { incoming, heard } = wire()
  incoming.write(frame('{"__proto__":{"polluted":true}}'))
  await settled()
  assert.equal((heard[0] as { polluted?: true }).polluted, undefined)
  assert.equal(({} as { polluted?: true }).polluted, undefined)
})
