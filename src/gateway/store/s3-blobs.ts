// The blob store in an S3-compatible bucket, for installations whose machines share no disk. The key of a blob is its
// sha256, which is known only at the end: content is first written to a temporary file, then uploaded with its hash, so
// the bucket refuses what was damaged on the way.
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { TroupeError } from '../../contract/errors.ts'
import type { BlobRef, BlobStore } from '../../journal/blobs.ts'
import { type Credentials, sign } from './s3-signature.ts'

export interface S3Options {
  /** `https://s3.eu-central-1.amazonaws.com`, or a compatible store; buckets are named in the path. */
  endpoint: string
  bucket: string
  region: string
  credentials: Credentials
  /** Before every key. */
  prefix?: string
}

/** A bucket that says nothing for so long does not answer. */
const SILENCE_MS = 30_000
/** Pauses before a call is made again: a connection that had gone stale, a bucket that is busy. Every call may be repeated. */
const AGAIN_MS = [100, 500]
/** A process starts without its bucket: it is asked once, and waited for no longer than this. */
const FIRST_LOOK_MS = 1_000
const NOTHING = createHash('sha256').digest('hex')

interface Call {
  method: 'GET' | 'HEAD' | 'PUT' | 'DELETE'
  sha256: string
  headers?: Record<string, string>
  /** With the hash that is its name. */
  file?: { path: string; bytes: number }
}

export async function openS3Blobs(options: S3Options): Promise<BlobStore> {
  const { endpoint, bucket, region, credentials, prefix = 'blobs/' } = options
  const isSecure = endpoint.startsWith('https:')
  const agent = isSecure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
  const incoming = await mkdtemp(join(tmpdir(), 'troupe-s3-'))

  /** Undefined: the bucket has no such object. */
  async function call(wanted: Call): Promise<IncomingMessage | undefined> {
    for (const pause of AGAIN_MS) {
      try {
        return await callOnce(wanted)
      } catch (error) {
        if (error instanceof Refusal || error instanceof TroupeError) throw unavailable(error)
        await wait(pause * (0.5 + Math.random()))
      }
    }
    return await callOnce(wanted).catch((error) => {
      throw unavailable(error)
    })
  }

  async function callOnce({ method, sha256, headers = {}, file }: Call): Promise<IncomingMessage | undefined> {
    const url = new URL(`/${bucket}/${prefix}${checkHash(sha256)}`, endpoint)
    const bodySha256 = file === undefined ? NOTHING : sha256
    const signed = sign({ method, url, headers, bodySha256 }, credentials, region, new Date())
    const length = file === undefined ? {} : { 'content-length': String(file.bytes) }
    const request = (isSecure ? requestHttps : requestHttp)(url, { method, agent, headers: { ...signed, ...length } })
    request.setTimeout(SILENCE_MS, () => request.destroy(new Error(`no answer for ${SILENCE_MS} ms`)))
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    // Errors come after the answer too: those are told by the answer's own stream.
    request.once('response', resolve).on('error', reject)
    try {
      if (file === undefined) request.end()
      else await Promise.race([pipeline(createReadStream(file.path), request), promise])
      return await checked(await promise)
    } catch (error) {
      request.destroy()
      throw error
    }
  }

  async function sizeOf(sha256: string): Promise<number | undefined> {
    const found = await call({ method: 'HEAD', sha256 })
    found?.resume()
    return found === undefined ? undefined : Number(found.headers['content-length'])
  }

  function open(sha256: string, range?: { start: number; end: number }): Promise<Readable | undefined> {
    const headers = range === undefined ? {} : { range: `bytes=${range.start}-${range.end}` }
    return call({ method: 'GET', sha256, headers })
  }

  /** What no waiting heals is refused at once; a bucket that does not answer now is met by the first document. */
  async function look(): Promise<void> {
    const asked = callOnce({ method: 'GET', sha256: NOTHING }).then(
      (found) => void found?.resume(),
      (error: unknown) => {
        if (!(error instanceof Refusal)) return
        const message = `The bucket ${bucket} at ${endpoint} refuses: ${error.message}.`
        throw new TroupeError('configuration_invalid', message, { cause: error })
      },
    )
    const patience = new AbortController()
    await Promise.race([asked, wait(FIRST_LOOK_MS, undefined, { signal: patience.signal })]).finally(() =>
      patience.abort(),
    )
  }

  async function close(): Promise<void> {
    agent.destroy()
    await rm(incoming, { recursive: true, force: true })
  }

  try {
    await look()
  } catch (error) {
    await close()
    throw error
  }
  return {
    async put(content, { maxBytes = Number.POSITIVE_INFINITY } = {}) {
      const path = join(incoming, randomUUID())
      try {
        const ref = await spool(content, path, maxBytes)
        if ((await sizeOf(ref.sha256)) === ref.bytes) return ref
        const file = { path, bytes: ref.bytes }
        const stored = await call({ method: 'PUT', sha256: ref.sha256, file })
        if (stored === undefined) throw new TroupeError('unavailable', `There is no bucket ${bucket}.`)
        stored.resume()
        return ref
      } finally {
        await rm(path, { force: true })
      }
    },
    async read(sha256) {
      const body = await open(sha256)
      if (body === undefined) return undefined
      return await buffer(body).catch((error) => {
        throw unavailable(error)
      })
    },
    stream: open,
    async delete(sha256) {
      const answer = await call({ method: 'DELETE', sha256 })
      answer?.resume()
    },
    close,
  }
}

async function checked(answer: IncomingMessage): Promise<IncomingMessage | undefined> {
  const status = answer.statusCode ?? 0
  if (status >= 200 && status < 300) return answer
  const text = (await buffer(answer)).toString('utf8')
  const code = /<Code>([^<]{1,100})/.exec(text)?.[1] ?? ''
  if (status === 404 && code !== 'NoSuchBucket') return undefined
  const message = `${status} ${code}`.trim()
  throw status >= 500 || status === 429 ? new Error(message) : new Refusal(message)
}

/** The bucket has understood, and does not want to. */
class Refusal extends Error {}

async function spool(content: Uint8Array | Readable, file: string, maxBytes: number): Promise<BlobRef> {
  const hash = createHash('sha256')
  let bytes = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of content instanceof Readable ? content : [content]) {
      bytes += piece.byteLength
      if (bytes > maxBytes) {
        const detail = { maxBytes }
        throw new TroupeError('value_too_large', `The content is larger than ${maxBytes} bytes.`, { detail })
      }
      hash.update(piece)
      yield piece
    }
  }
  await pipeline(counted, createWriteStream(file, { mode: 0o600 }))
  return { sha256: hash.digest('hex'), bytes }
}

function checkHash(sha256: string): string {
  if (/^[0-9a-f]{64}$/.test(sha256)) return sha256
  throw new TroupeError('invalid_request', `${JSON.stringify(sha256)} is not a sha256.`)
}

function unavailable(error: unknown): TroupeError {
  if (error instanceof TroupeError) return error
  const what = error instanceof Refusal ? 'refuses' : 'does not answer'
  return new TroupeError('unavailable', `The bucket ${what}: ${(error as Error).message}`, { cause: error })
}
