// One request at a time to the collector, tried again while it may help.
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

export interface SenderOptions {
  url: string
  headers?: Record<string, string>
  gzip?: boolean
  timeoutMs?: number
  onTrouble(message: string): void
  onBack(): void
}

export interface Sender {
  /** False: it was given up. */
  send(body: Buffer[]): Promise<boolean>
  /** From now on everything must be over within so many milliseconds. */
  hurry(ms: number): void
  close(): void
}

/** After these the collector may take the same batch later (OTLP/HTTP, "Retryable Response Codes"). */
const AGAIN = new Set([429, 502, 503, 504])
const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 30_000
/** What is that old is worth less than what waits behind it. */
const MAX_TRIES = 5

const zipped = promisify(gzip)

export function createSender({ url, headers = {}, timeoutMs = 10_000, ...options }: SenderOptions): Sender {
  const target = new URL(url)
  const [Agent, request] =
    target.protocol === 'https:' ? ([HttpsAgent, httpsRequest] as const) : ([HttpAgent, httpRequest] as const)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const hurried = new AbortController()
  let away = false

  async function post(body: Buffer[]): Promise<{ status: number; retryAfterMs: number | undefined }> {
    const content = options.gzip === true ? [await zipped(Buffer.concat(body))] : body
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(
        target,
        {
          method: 'POST',
          agent,
          signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), hurried.signal]),
          headers: {
            ...headers,
            'content-type': 'application/x-protobuf',
            'content-length': content.reduce((sum, piece) => sum + piece.length, 0),
            ...(options.gzip === true ? { 'content-encoding': 'gzip' } : {}),
          },
        },
        resolve,
      )
      sent.on('error', reject)
      for (const piece of content) sent.write(piece)
      sent.end()
    })
    // The answer's body says nothing that changes what happens; unread it would hold the connection.
    for await (const _piece of response);
    const after = Number(response.headers['retry-after'])
    return { status: response.statusCode ?? 0, retryAfterMs: Number.isFinite(after) ? after * 1_000 : undefined }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms)
      timer.unref()
      hurried.signal.addEventListener('abort', done, { once: true })
      function done() {
        clearTimeout(timer)
        hurried.signal.removeEventListener('abort', done)
        resolve()
      }
    })
  }

  function trouble(why: string): void {
    if (away) return
    away = true
    // An address may hold a password; host and path do not.
    options.onTrouble(`Traces are not taken by the collector at ${target.host}${target.pathname}: ${why}.`)
  }

  return {
    async send(body) {
      for (let attempt = 1; ; attempt++) {
        let wait = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)
        try {
          const { status, retryAfterMs } = await post(body)
          if (status >= 200 && status < 300) {
            if (away) options.onBack()
            away = false
            return true
          }
          trouble(`it answered ${status}`)
          if (!AGAIN.has(status)) return false
          wait = Math.min(MAX_PAUSE_MS, retryAfterMs ?? wait)
        } catch (error) {
          trouble((error as Error).message)
        }
        if (attempt === MAX_TRIES || hurried.signal.aborted) return false
        await pause(wait)
        if (hurried.signal.aborted) return false
      }
    },
    hurry(ms) {
      setTimeout(() => hurried.abort(), ms).unref()
    },
    close() {
      hurried.abort()
      agent.destroy()
    },
  }
}
