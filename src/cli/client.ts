// The gateway over HTTP: JSON in and out, a task's log as server-sent events. Every failure becomes a coded error.
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { ERROR_CODES, type ErrorCode, TroupeError } from '../contract/errors.ts'
import { mediaTypeOf, UNKNOWN_MEDIA_TYPE } from '../contract/media-types.ts'

// The parts of the gateway's answers that the command reads.
export interface TaskView {
  id: string
  agent: string
  agentVersion: string
  state: string
  output?: unknown
  error?: { code: string; message: string; cause?: { message: string } }
  waitingFor?: { kind: string; detail?: string; messages?: string[]; until?: string }
  usage?: { inputTokens: number; outputTokens: number; costMicros: number }
  labels?: Record<string, string>
  createdAt: string
  startedAt?: string
  endedAt?: string
  lastEvent: number
}

export interface EventView {
  task: string
  number: number
  at: string
  type: string
  [field: string]: unknown
}

export interface Call {
  query?: Record<string, string | number | string[] | undefined>
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}

export interface GatewayClient {
  readonly url: string
  get<Answer>(path: string, call?: Call): Promise<Answer>
  /** With the ETag that `If-Match` takes. */
  getTagged<Answer>(path: string): Promise<{ answer: Answer; etag: string }>
  post<Answer>(path: string, body?: unknown, call?: Call): Promise<Answer>
  put<Answer>(path: string, body: unknown, call?: Call): Promise<Answer>
  remove(path: string, call?: Call): Promise<void>
  upload<Answer>(path: string, file: string, name?: string): Promise<Answer>
  download(path: string): Promise<Uint8Array>
  /** A task's log from after a number to its end. A connection that breaks is taken up where it was (P6). */
  follow(taskId: string, after: number, signal?: AbortSignal): AsyncGenerator<EventView>
  /** Server-sent events of a path, until either side ends it. */
  stream(path: string, call?: Call): AsyncGenerator<{ event: string; data: unknown; id: string | undefined }>
}

/** A core that was killed serves again within a second; a gateway that cannot be reached for longer is down. */
const BREAK_MS = 15_000
const AGAIN_MS = 200
/** A read is answered from a store: what takes longer has stopped. */
const ANSWER_MS = 30_000

export function createClient(url: string, key: string): GatewayClient {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new TroupeError('invalid_command', `${url} is no address of a gateway; one is like http://127.0.0.1:8000.`)
  }

  async function request(method: string, path: string, call: Call & { raw?: FormData } = {}): Promise<Response> {
    const target = new URL(url + path)
    for (const [name, value] of Object.entries(call.query ?? {})) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined) target.searchParams.append(name, String(one))
      }
    }
    const body = call.raw ?? (call.body === undefined ? undefined : JSON.stringify(call.body))
    const headers = {
      authorization: `Bearer ${key}`,
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...call.headers,
    }
    let response: Response
    const late = new AbortController()
    // Only until the answer begins: a stream may last.
    const timer = method === 'GET' ? setTimeout(() => late.abort(), ANSWER_MS) : undefined
    try {
      response = await fetch(target, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        signal: call.signal === undefined ? late.signal : AbortSignal.any([call.signal, late.signal]),
      })
    } catch (error) {
      call.signal?.throwIfAborted()
      if (late.signal.aborted) throw unreachable(url, new Error(`nothing came for ${ANSWER_MS / 1_000} s`))
      throw unreachable(url, error)
    } finally {
      clearTimeout(timer)
    }
    if (!response.ok) throw await problemOf(response)
    return response
  }

  async function* followOnce(taskId: string, after: number, signal: AbortSignal | undefined) {
    const headers = { accept: 'text/event-stream', 'last-event-id': String(after) }
    const call = { headers, ...(signal === undefined ? {} : { signal }) }
    const response = await request('GET', `${taskPath(taskId)}/events`, call)
    yield* serverSentEvents(response)
  }

  async function isOver(taskId: string, last: number): Promise<boolean> {
    const { endedAt, lastEvent } = (await (await request('GET', taskPath(taskId))).json()) as TaskView
    return endedAt !== undefined && lastEvent <= last
  }

  return {
    url,
    get: async (path, call) => (await request('GET', path, call)).json() as never,
    async getTagged(path) {
      const response = await request('GET', path)
      return { answer: (await response.json()) as never, etag: response.headers.get('etag') ?? '' }
    },
    post: async (path, body, call) => (await request('POST', path, { ...call, body })).json() as never,
    put: async (path, body, call) => (await request('PUT', path, { ...call, body })).json() as never,
    async remove(path, call) {
      await request('DELETE', path, call)
    },
    async upload(path, file, name = basename(file)) {
      const content = await readFile(file).catch((error: Error) => {
        throw new TroupeError('invalid_command', `${file} cannot be read: ${error.message}.`)
      })
      const form = new FormData()
      // The file's own name tells its type, whatever it is to be called.
      const type = mediaTypeOf(file) ?? UNKNOWN_MEDIA_TYPE
      form.set('file', new Blob([content], { type }), name)
      return (await request('POST', path, { raw: form })).json() as never
    },
    download: async (path) => new Uint8Array(await (await request('GET', path)).arrayBuffer()),

    async *stream(path, call = {}) {
      const headers = { accept: 'text/event-stream', ...call.headers }
      yield* serverSentEvents(await request('GET', path, { ...call, headers }))
    },

    async *follow(taskId, after, signal) {
      let last = after
      let brokenSince: number | undefined
      for (;;) {
        try {
          for await (const { event, data } of followOnce(taskId, last, signal)) {
            brokenSince = undefined
            // The gateway's own words (draining, revoked, dropped) say where to resume, and we know.
            if (typeof data.number !== 'number') {
              if (event === 'error') throw new TroupeError('unavailable', 'The gateway broke the stream off.')
              break
            }
            last = data.number
            yield data
          }
          // The gateway ends a stream at the task's end, which of a retried task is not the first that its log tells.
          if (await isOver(taskId, last)) return
        } catch (error) {
          if (signal?.aborted || !(error instanceof TroupeError) || !error.passing) throw error
          brokenSince ??= performance.now()
          if (performance.now() - brokenSince > BREAK_MS) throw error
        }
        signal?.throwIfAborted()
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      }
    },
  }
}

/** An id is typed by a person: it must not become another path. */
export function taskPath(taskId: string): string {
  return `/v1/tasks/${encodeURIComponent(taskId)}`
}

async function* serverSentEvents(
  response: Response,
): AsyncGenerator<{ event: string; data: EventView; id: string | undefined }> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const piece of response.body ?? []) {
      text += decoder.decode(piece as Uint8Array, { stream: true })
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const fields = new Map(block.split('\n').map((line) => splitOnce(line)))
        const data = fields.get('data')
        if (data === undefined) continue
        yield { event: fields.get('event') ?? 'message', data: JSON.parse(data), id: fields.get('id') }
      }
    }
  } catch (error) {
    throw unreachable(response.url, error)
  }
}

function splitOnce(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), line.slice(colon + 1).trimStart()]
}

async function problemOf(response: Response): Promise<TroupeError> {
  const text = await response.text()
  try {
    const { code, detail, context, instance } = JSON.parse(text) as {
      code: ErrorCode
      detail: string
      context?: Record<string, unknown>
      instance?: string
    }
    if (code in ERROR_CODES) {
      const message = code === 'internal' ? `${detail} (request ${instance})` : detail
      return new TroupeError(code, message, context === undefined ? {} : { detail: context })
    }
  } catch {
    // Not ours: a proxy answered, or something else listens there.
  }
  return new TroupeError(
    'unavailable',
    `${response.url} answered ${response.status} ${text.slice(0, 100).replaceAll('\n', ' ')}; is that a Troupe gateway?`,
  )
}

function unreachable(url: string, error: unknown): TroupeError {
  const { cause } = error as { cause?: { code?: string; message?: string } }
  const why = cause?.code ?? cause?.message ?? (error as Error).message
  return new TroupeError('unavailable', `${new URL(url).origin} does not answer (${why}).`, { cause: error })
}
