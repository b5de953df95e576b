// The far side: a server that keeps what it was sent, and answers as the test wants.
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  headers: IncomingHttpHeaders
  path: string
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape
  body: any
}

export interface Receiver {
  url: string
  received: Received[]
  /** Statuses of the next answers; 200 when there are none left, and no answer at all for 0. */
  answers: number[]
  /** Resolves when so many have come in sum. */
  count(messages: number): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export async function startReceiver(port = 0): Promise<Receiver> {
  const received: Received[] = []
  const answers: number[] = []
  const waiting: { messages: number; resolve: () => void }[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const piece of request.setEncoding('utf8')) text += piece
    received.push({ headers: request.headers, path: request.url!, text, body: JSON.parse(text) })
    for (const one of waiting) if (received.length >= one.messages) one.resolve()
    const status = answers.shift() ?? 200
    if (status !== 0) response.writeHead(status, { location: '/elsewhere' }).end('x'.repeat(100_000))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answers,
    count: (messages) =>
      new Promise((resolve, reject) => {
        if (received.length >= messages) return resolve()
        const late = setTimeout(() => reject(new Error(`${received.length} of ${messages} messages came`)), 15_000)
        waiting.push({
          messages,
          resolve: () => {
            clearTimeout(late)
            resolve()
          },
        })
      }),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** As Standard Webhooks describes it, written here once more. */
export function isSigned({ headers, text }: Received, secret: string): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`
  const expected = createHmac('sha256', key).update(signed).digest('base64')
  return String(headers['webhook-signature']).split(' ').includes(`v1,${expected}`)
}
