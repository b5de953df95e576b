// The far side of the S3 client: a bucket that speaks as much of the protocol as a blob store needs, and checks what a
// real one checks (the hash of what is put).
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Bucket {
  url: string
  objects: Map<string, Buffer>
  puts: number
  /** The next upload arrives damaged. */
  damage(): void
  close(): Promise<void>
}

export async function startBucket(): Promise<Bucket> {
  const objects = new Map<string, Buffer>()
  let damaged = false
  const state = { puts: 0 }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const key = decodeURIComponent(request.url!.split('?')[0]!)
    const found = objects.get(key)
    if (request.method === 'PUT') {
      const pieces: Buffer[] = []
      for await (const piece of request) pieces.push(piece as Buffer)
      const body = Buffer.concat(pieces)
      if (damaged) body[0] = (body[0] ?? 0) ^ 1
      damaged = false
      const hash = createHash('sha256').update(body).digest('hex')
      if (hash !== request.headers['x-amz-content-sha256']) return refuse(response, 400, 'XAmzContentSHA256Mismatch')
      state.puts++
      objects.set(key, body)
      response.end()
    } else if (request.method === 'DELETE') {
      objects.delete(key)
      response.writeHead(204).end()
    } else if (found === undefined) {
      refuse(response, 404, 'NoSuchKey')
    } else {
      const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
      const body = start === undefined ? found : found.subarray(Number(start), Number(end) + 1)
      response.writeHead(start === undefined ? 200 : 206, { 'content-length': body.length })
      response.end(request.method === 'HEAD' ? undefined : body)
    }
  }

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    get puts() {
      return state.puts
    },
    damage() {
      damaged = true
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}
