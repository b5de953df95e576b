// A WebSocket client whose messages are read one by one.
import type { Started } from './start.ts'

export interface TestSocket {
  send(message: unknown): void
  sendText(text: string): void
  // biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every kind
  next(): Promise<any>
  /** The close code. */
  closed: Promise<number>
  close(): void
}

export async function openSocket(started: Started, key: string): Promise<TestSocket> {
  const url = `${started.url.replace('http', 'ws')}/v1/stream`
  const socket = new WebSocket(url, ['troupe.v1', `troupe.bearer.${key}`])
  const arrived: string[] = []
  const wanted: ((text: string) => void)[] = []
  socket.addEventListener('message', ({ data }) => {
    const reader = wanted.shift()
    if (reader === undefined) arrived.push(String(data))
    else reader(String(data))
  })
  const closed = new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)))
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', () => reject(new Error('the WebSocket was refused')))
  })
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    sendText: (text) => socket.send(text),
    async next() {
      const text = arrived.shift() ?? (await new Promise<string>((resolve) => wanted.push(resolve)))
      return JSON.parse(text)
    },
    closed,
    close: () => socket.close(),
  }
}
