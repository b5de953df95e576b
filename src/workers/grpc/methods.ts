// The four shapes of an rpc, written as plain async functions. What they throw becomes a status (status.ts); a request
// that could not be decoded never reaches them.
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import {
  type Metadata,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedHandleCall,
} from '@grpc/grpc-js'
import { TroupeError } from '../../contract/errors.ts'
import { DirectStream, type MessageCodec } from './direct-stream.ts'
import { type MessageStream, overGrpcJs } from './message-stream.ts'
import { SpareBuffers } from './spare-buffers.ts'
import { toGrpcStatus } from './status.ts'
import { continueTrace, type ServerSpan } from './trace.ts'

/** What a method may know of its call. */
export interface Call {
  /** Aborted when the caller cancels, its deadline passes, or a drain's grace is over. Pass it on. */
  signal: AbortSignal
  /** Milliseconds since 1970; Infinity without a deadline. */
  deadline: number
  metadata: Metadata
  /** W3C trace context of the caller. */
  traceparent: string | undefined
  /** Aborted when the server begins to drain: a stream that could go on for ever should then end. */
  draining: AbortSignal
}

export interface Method {
  (environment: MethodEnvironment): UntypedHandleCall
  /** Answers plain calls without grpc-js. */
  direct?(environment: MethodEnvironment, codec: MessageCodec<unknown, unknown>): DirectHandler
}

export type DirectHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

export interface MethodEnvironment {
  path: string
  draining: AbortSignal
  /** Aborted when the grace of a drain is over. */
  stopped: AbortSignal
  onCall(path: string, code: status, ms: number): void
}

/** Stands in for a request whose bytes are no message of the wanted kind. */
export class Undecodable {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

export function unary<Request, Response>(run: (request: Request, call: Call) => Promise<Response> | Response): Method {
  return (environment) =>
    (rpc: ServerUnaryCall<Request, Response>, reply: sendUnaryData<Response>): void => {
      const { call, end, within } = begin(rpc, environment)
      runSafely(() => within(async () => await run(decoded(rpc.request), call))).then(
        (response) => {
          end(status.OK)
          reply(null, response)
        },
        (error: unknown) => {
          const failed = toGrpcStatus(error)
          end(failed.code)
          reply(failed)
        },
      )
    }
}

export function serverStream<Request, Response>(
  run: (request: Request, call: Call) => AsyncIterable<Response>,
): Method {
  return (environment) => (rpc: ServerWritableStream<Request, Response>) => {
    const { call, end, within } = begin(rpc, environment)
    finish(rpc, end, within, async () => {
      for await (const response of run(decoded(rpc.request), call)) await write(rpc, response, call.signal)
    })
  }
}

export function clientStream<Request, Response>(
  run: (requests: AsyncIterable<Request>, call: Call) => Promise<Response>,
): Method {
  return (environment) =>
    (rpc: ServerReadableStream<Request, Response>, reply: sendUnaryData<Response>): void => {
      const { call, end, within } = begin(rpc, environment)
      runSafely(() => within(async () => await run(requestsOf(rpc), call))).then(
        (response) => {
          end(status.OK)
          reply(null, response)
        },
        (error: unknown) => {
          const failed = toGrpcStatus(error)
          end(failed.code)
          reply(failed)
        },
      )
    }
}

export function bidirectional<Request, Response>(
  run: (requests: AsyncIterable<Request>, call: Call) => AsyncIterable<Response>,
): Method {
  return (environment) => (rpc: ServerDuplexStream<Request, Response>) => {
    const { call, end, within } = begin(rpc, environment)
    finish(rpc, end, within, async () => {
      for await (const response of run(requestsOf(rpc), call)) await write(rpc, response, call.signal)
    })
  }
}

/** For hot streams that cannot afford an await for each message. `run` ends when the stream should. */
export function duplex<Request, Response>(
  run: (stream: MessageStream<Request | Undecodable, Response>, call: Call) => Promise<void>,
): Method {
  const spare = new SpareBuffers()
  const throughGrpcJs: Method = (environment) => (rpc: ServerDuplexStream<Request | Undecodable, Response>) => {
    const { call, end, within } = begin(rpc, environment)
    finish(rpc, end, within, async () => await run(overGrpcJs(rpc), call))
  }
  const direct: Method['direct'] = (environment, codec) => (http2, headers) => {
    const stream = new DirectStream(http2, headers, codec as MessageCodec<Request | Undecodable, Response>, spare)
    const { call, end, within } = begin(stream, environment)
    runSafely(() => within(async () => await run(stream, call))).then(
      () => {
        end(status.OK)
        stream.finish({ code: status.OK, details: 'OK' })
      },
      (error: unknown) => {
        const failed = toGrpcStatus(error)
        end(failed.code)
        stream.finish(failed)
      },
    )
  }
  return Object.assign(throughGrpcJs, { direct })
}

type AnyCall = Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'getDeadline'> & {
  once(event: 'cancelled', listener: () => void): unknown
}

function begin(
  rpc: AnyCall,
  environment: MethodEnvironment,
): { call: Call; end: (code: status) => void; within: Within } {
  const startedAt = performance.now()
  const [sent] = rpc.metadata.get('traceparent')
  const traceparent = typeof sent === 'string' ? sent : undefined
  const [service = '', method = ''] = environment.path.slice(1).split('/')
  const span = continueTrace(traceparent, `${service}/${method}`, { 'rpc.service': service, 'rpc.method': method })
  const abort = new AbortController()
  const deadline = Number(rpc.getDeadline())
  const cancelled = (): void => {
    const late = Date.now() >= deadline
    abort.abort(
      new TroupeError(late ? 'deadline_exceeded' : 'cancelled', late ? 'deadline passed' : 'caller cancelled'),
    )
  }
  const stopped = (): void => abort.abort(new TroupeError('draining', 'the worker is shutting down'))
  rpc.once('cancelled', cancelled)
  environment.stopped.addEventListener('abort', stopped)
  let ended = false
  const end = (code: status): void => {
    if (ended) return
    ended = true
    environment.stopped.removeEventListener('abort', stopped)
    environment.onCall(environment.path, code, performance.now() - startedAt)
    span.end(code === status.OK ? undefined : status[code])
  }
  const call: Call = {
    signal: abort.signal,
    deadline,
    metadata: rpc.metadata,
    traceparent,
    draining: environment.draining,
  }
  return { call, end, within: span.within }
}

type Within = ServerSpan['within']

type AnyStream = {
  end(): unknown
  emit(event: 'error', error: unknown): boolean
}

function finish(rpc: AnyStream, end: (code: status) => void, within: Within, run: () => Promise<void>): void {
  runSafely(() => within(run)).then(
    () => {
      end(status.OK)
      rpc.end()
    },
    (error: unknown) => {
      const failed = toGrpcStatus(error)
      end(failed.code)
      rpc.emit('error', failed)
    },
  )
}

async function runSafely<Result>(run: () => Promise<Result>): Promise<Result> {
  return await run()
}

function decoded<Request>(request: Request | Undecodable): Request {
  if (request instanceof Undecodable) throw new TroupeError('invalid_request', `undecodable message: ${request.reason}`)
  return request
}

type Requests<Request> =
  | ServerReadableStream<Request | Undecodable, unknown>
  | ServerDuplexStream<Request | Undecodable, unknown>

/** A method that stops reading early, because it refuses a request, must still find the stream open to say so. */
async function* requestsOf<Request>(rpc: Requests<Request>): AsyncGenerator<Request> {
  const requests: AsyncIterable<Request | Undecodable> = rpc.iterator({ destroyOnReturn: false })
  for await (const request of requests) yield decoded(request)
}

/** Waits for the peer to read: an unread stream must not pile up in memory. */
async function write<Response>(
  rpc: { write(response: Response): boolean; once(event: 'drain', listener: () => void): unknown },
  response: Response,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  if (rpc.write(response)) return
  await new Promise<void>((resolve, reject) => {
    const aborted = (): void => reject(signal.reason)
    signal.addEventListener('abort', aborted, { once: true })
    rpc.once('drain', () => {
      signal.removeEventListener('abort', aborted)
      resolve()
    })
  })
}
