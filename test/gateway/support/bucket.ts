// The far side of the S3 client, made for these tests: no S3 server is among the programs they can start. It speaks as much
// of the protocol as a blob store needs and checks what a real one checks: the signature, by the rules of AWS Signature
// Version 4 from what arrived on the wire and not with our client's code, its age, and the hash of what is put.
import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const CREDENTIALS = { accessKeyId: 'someone', secretAccessKey: 'something' }
const MUST_BE_SIGNED = ['host', 'x-amz-content-sha256', 'x-amz-date']
const OLDEST_MS = 15 * 60_000

export interface Bucket {
  url: string
  objects: Map<string, Buffer>
  puts: number
  /** The next upload arrives damaged. */
  damage(): void
  /** So many of the next requests are answered 503, or not at all. */
  trouble(kind: 'busy' | 'broken', count: number): void
  /** How many of them are to come. */
  troubles: number
  close(): Promise<void>
}

/** The bucket `papers`. */
export async function startBucket(): Promise<Bucket> {
  const objects = new Map<string, Buffer>()
  let damaged = false
  let kind: 'busy' | 'broken' = 'busy'
  const state = { puts: 0, troubles: 0 }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (state.troubles > 0) {
      state.troubles--
      if (kind === 'broken') return void request.socket.destroy()
      request.resume()
      return refuse(response, 503, 'SlowDown')
    }
    const complaint = judge(request)
    if (complaint !== undefined) {
      request.resume()
      return refuse(response, 403, complaint)
    }
    const key = decodeURIComponent(request.url!.split('?')[0]!)
    if (!key.startsWith('/papers/')) return refuse(response, 404, 'NoSuchBucket')
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

  // A client that goes while it sends is no trouble of the bucket's.
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    get puts() {
      return state.puts
    },
    get troubles() {
      return state.troubles
    },
    damage() {
      damaged = true
    },
    trouble(which, count) {
      kind = which
      state.troubles = count
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The code of what is wrong with the signature. */
function judge({ method, url, headers }: IncomingMessage): string | undefined {
  const given =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
  const [, keyId, day, region, list, signature] = given.exec(headers.authorization ?? '') ?? []
  if (day === undefined || region === undefined || list === undefined) return 'AccessDenied'
  if (keyId !== CREDENTIALS.accessKeyId) return 'InvalidAccessKeyId'
  const names = list.split(';')
  if (MUST_BE_SIGNED.some((name) => !names.includes(name)) || names.join() !== [...names].sort().join()) {
    return 'AccessDenied'
  }
  const time = String(headers['x-amz-date'])
  const [, year, month, date, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time) ?? []
  const at = Date.parse(`${year}-${month}-${date}T${hour}:${minute}:${second}Z`)
  if (!(Math.abs(Date.now() - at) < OLDEST_MS) || !time.startsWith(day)) return 'RequestTimeTooSkewed'
  const [path, query = ''] = url!.split('?')
  const lines = names.map((name) => `${name}:${String(headers[name]).replace(/\s+/g, ' ').trim()}\n`).join('')
  const canonical = `${method}\n${path}\n${query}\n${lines}\n${list}\n${headers['x-amz-content-sha256']}`
  const digest = createHash('sha256').update(canonical, 'utf8').digest('hex')
  let key = Buffer.from(`AWS4${CREDENTIALS.secretAccessKey}`, 'utf8')
  for (const part of [day, region, 's3', 'aws4_request']) key = createHmac('sha256', key).update(part, 'utf8').digest()
  const text = `AWS4-HMAC-SHA256\n${time}\n${day}/${region}/s3/aws4_request\n${digest}`
  return createHmac('sha256', key).update(text).digest('hex') === signature ? undefined : 'SignatureDoesNotMatch'
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}
