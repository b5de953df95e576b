// A user of the WebSocket who follows and then reads nothing: a bare socket, because every client library reads.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'

export interface StalledReader {
  close(): void
}

export async function openStalledReader(url: string, key: string, streams: string[]): Promise<StalledReader> {
  const { hostname, port, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(
    `GET /v1/stream HTTP/1.1\r\nhost: ${host}\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n` +
      `sec-websocket-key: ${randomBytes(16).toString('base64')}\r\nsec-websocket-protocol: troupe.v1\r\nauthorization: Bearer ${key}\r\n\r\n`,
  )
  await once(socket, 'data')
  for (const stream of streams) socket.write(frame(JSON.stringify({ type: 'follow-stream', stream, after: 0 })))
  socket.pause()
  socket.on('error', () => {})
  return { close: () => socket.destroy() }
}

/** A masked text frame of less than 64 KiB. */
function frame(text: string): Buffer {
  const body = Buffer.from(text)
  const mask = randomBytes(4)
  const head =
    body.length < 126
      ? Buffer.from([0x81, 0x80 | body.length])
      : Buffer.from([0x81, 0x80 | 126, body.length >> 8, body.length & 0xff])
  return Buffer.concat([head, mask, body.map((byte, index) => byte ^ mask[index % 4]!)])
}
