// A caller's end of a WebSocket, as a client library for many small messages would be: what is sent in one turn of the
// event loop leaves in one write (as it does at the gateway). Node's own WebSocket writes each message by itself.
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import type { Socket } from 'node:net'

export interface WebSocketWire {
  send(text: string): void
  close(): void
}

const TEXT = 0x1
const CLOSE = 0x8
const PING = 0x9
const PONG = 0xa

/** `onText` hears each message of the server. */
export async function openWire(url: string, key: string, onText: (text: string) => void): Promise<WebSocketWire> {
  const { socket, head } = await upgrade(url, key)
  socket.setNoDelay(true)
  let frames: Buffer[] = []
  let rest = head

  function write(kind: number, payload: Buffer): void {
    if (frames.length === 0) {
      process.nextTick(() => {
        socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames))
        frames = []
      })
    }
    frames.push(masked(kind, payload))
  }

  function hear(chunk: Buffer): void {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (let frame = firstFrame(rest); frame !== undefined; frame = firstFrame(rest)) {
      rest = frame.rest
      if (frame.kind === TEXT) onText(frame.payload.toString())
      else if (frame.kind === PING) write(PONG, frame.payload)
    }
  }

  socket.on('data', hear)
  if (head.length > 0) hear(Buffer.alloc(0))
  return {
    send: (text) => write(TEXT, Buffer.from(text)),
    close() {
      socket.off('data', hear)
      // The gateway may be on its way out as well.
      socket.on('error', () => {})
      write(CLOSE, Buffer.alloc(0))
      process.nextTick(() => socket.end())
    },
  }
}

function upgrade(url: string, key: string): Promise<{ socket: Socket; head: Buffer }> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    authorization: `Bearer ${key}`,
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
    'sec-websocket-protocol': 'troupe.v1',
  }
  return new Promise((resolve, reject) => {
    const call = request(`${url}/v1/stream`, { headers })
    call.on('upgrade', (_response, socket, head) => resolve({ socket: socket as Socket, head }))
    call.on('response', ({ statusCode }) => reject(new Error(`the gateway refused the WebSocket: ${statusCode}`)))
    call.on('error', reject)
    call.end()
  })
}

/** What a client sends must be masked (RFC 6455); its messages here are short. */
function masked(kind: number, payload: Buffer): Buffer {
  const { length } = payload
  if (length > 0xffff) throw new Error(`A message of ${length} bytes is too long for this caller.`)
  const at = length < 126 ? 6 : 8
  const frame = Buffer.allocUnsafe(at + length)
  frame[0] = 0x80 | kind
  if (length < 126) frame[1] = 0x80 | length
  else {
    frame[1] = 0x80 | 126
    frame.writeUInt16BE(length, 2)
  }
  frame.writeUInt32BE((Math.random() * 2 ** 32) >>> 0, at - 4)
  for (let index = 0; index < length; index++) frame[at + index] = payload[index]! ^ frame[at - 4 + (index & 3)]!
  return frame
}

function firstFrame(bytes: Buffer): { kind: number; payload: Buffer; rest: Buffer } | undefined {
  if (bytes.length < 2) return undefined
  const short = bytes[1]! & 0x7f
  const at = short === 126 ? 4 : short === 127 ? 10 : 2
  if (bytes.length < at) return undefined
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short
  if (bytes.length < at + length) return undefined
  return { kind: bytes[0]! & 0xf, payload: bytes.subarray(at, at + length), rest: bytes.subarray(at + length) }
}
