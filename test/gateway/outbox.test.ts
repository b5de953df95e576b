// What a WebSocket connection says, read by Node's own WebSocket.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket as Connection } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createOutbox, type Wire } from '../../src/gateway/doors/ws/socket.ts'

const OPEN = 1
const CLOSING = 2

/** A server that says what `speak` puts on the wire, and a reader that hears `count` messages. */
async function heard(t: TestContext, count: number, speak: (wire: Connection) => void): Promise<string[]> {
  const server = createServer()
  server.on('upgrade', (request, connection: Connection) => {
    const accept = createHash('sha1').update(
      `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
    )
    const head = ['HTTP/1.1 101 Switching Protocols', 'upgrade: websocket', 'connection: upgrade']
    connection.write(`${[...head, `sec-websocket-accept: ${accept.digest('base64')}`].join('\r\n')}\r\n\r\n`)
    connection.on('error', () => {})
    t.after(() => connection.destroy())
    speak(connection)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const reader = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.after(() => reader.close())
  const messages: string[] = []
  await new Promise<void>((resolve, reject) => {
    reader.addEventListener('error', () => reject(new Error('the reader does not understand')))
    reader.addEventListener('message', ({ data }) => {
      messages.push(String(data))
      if (messages.length === count) resolve()
    })
  })
  return messages
}

test('messages of every length and letter arrive as they were said, in order', { timeout: 120_000 }, async (t) => {
  const said = ['', 'a', 'ü'.repeat(62), 'x'.repeat(125), 'x'.repeat(126), '😀'.repeat(100), 'y'.repeat(65_535)]
  said.push('y'.repeat(65_536), '€'.repeat(40_000), 'the last')
  const messages = await heard(t, said.length, (wire) => {
    const outbox = createOutbox({ OPEN, readyState: OPEN }, wire)
    for (const text of said) outbox.put(text)
  })
  assert.deepEqual(messages, said)
})

test('what is said in one turn is one write; a flush does not wait for the turn to end', async () => {
  const writes: number[] = []
  const wire: Wire = {
    write(bytes, written) {
      writes.push(bytes.length)
      written?.()
    },
  }
  const outbox = createOutbox({ OPEN, readyState: OPEN }, wire)
  for (let n = 0; n < 50; n++) outbox.put('ten bytes!')
  assert.equal(outbox.bytes, 500)
  assert.deepEqual(writes, [])
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(writes, [600])
  outbox.put('now')
  let hasLeft = false
  outbox.flush(() => {
    hasLeft = true
  })
  assert.deepEqual([writes, hasLeft, outbox.bytes], [[600, 5], true, 0])
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(writes.length, 2)
})

test('after the closing frame nothing is written, and nobody waits for it', async () => {
  const socket = { OPEN, readyState: OPEN }
  const writes: Buffer[] = []
  const outbox = createOutbox(socket, { write: (bytes) => writes.push(bytes) })
  outbox.put('too late')
  socket.readyState = CLOSING
  await new Promise<void>((resolve) => outbox.flush(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(writes, [])
})
