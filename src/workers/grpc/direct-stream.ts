// A gRPC stream over Node's own HTTP/2, without grpc-js between: for hot methods. grpc-js stops and starts the
// connection's reading, makes a promise, and copies, for each message; that costs more than a small model's row.
// What is sent within one turn leaves as one piece. Only plain calls come here (`takes`); all others stay with grpc-js.
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { Metadata, type StatusObject, status } from '@grpc/grpc-js'
import { TroupeError } from '../../contract/errors.ts'
import { HEADER_BYTES, MessageReader } from './message-reader.ts'
import type { MessageStream } from './message-stream.ts'
import type { SpareBuffers } from './spare-buffers.ts'
import { toGrpcStatus } from './status.ts'

export interface MessageCodec<Request, Response> {
  decode(bytes: Buffer): Request
  encode(response: Response): Buffer
  /** Of one message in either direction. */
  mostBytes: number
}

const TIMEOUT = /^(\d{1,8})([HMSmun])$/
const MS: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000_001 }
const LONGEST_TIMER = 0x7fffffff
/** Of one turn: more than this means that its caller is to be asked to wait. */
const MOST_UNSENT_BYTES = 1024 * 1024
/** Of this call alone; what the application may see is the rest. */
const OWN_HEADERS = ['grpc-timeout', 'grpc-encoding', 'grpc-accept-encoding', 'accept-encoding', 'te', 'content-type']

/** Compression and whatever is out of the ordinary is for grpc-js, which also knows how to refuse it. */
export function takes(headers: IncomingHttpHeaders): boolean {
  const { 'content-type': type, 'grpc-encoding': encoding, 'grpc-timeout': timeout } = headers
  return (
    (type === 'application/grpc' || type === 'application/grpc+proto') &&
    (encoding === undefined || encoding === 'identity') &&
    (timeout === undefined || (typeof timeout === 'string' && TIMEOUT.test(timeout)))
  )
}

export class DirectStream<Request, Response> implements MessageStream<Request, Response> {
  readonly metadata: Metadata
  readonly #http2: ServerHttp2Stream
  readonly #codec: MessageCodec<Request, Response>
  readonly #spare: SpareBuffers
  readonly #reader: MessageReader
  readonly #deadline: number
  readonly #timer: NodeJS.Timeout | undefined
  readonly #cancelled: (() => void)[] = []
  #listener: (request: Request, memory: ArrayBuffer | undefined) => void = () => {}
  #onDrain: () => void = () => {}
  #unsent: Buffer[] = []
  #unsentBytes = 0
  #finished = false
  needsDrain = false
  paused = false

  constructor(
    http2: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    codec: MessageCodec<Request, Response>,
    spare: SpareBuffers,
  ) {
    this.#http2 = http2
    this.#codec = codec
    this.#spare = spare
    this.metadata = Metadata.fromHttp2Headers(headers)
    for (const name of OWN_HEADERS) this.metadata.remove(name)
    this.#reader = new MessageReader(spare, codec.mostBytes, (bytes, memory) =>
      this.#listener(this.#codec.decode(bytes), memory),
    )
    const ms = timeoutOf(headers)
    this.#deadline = Date.now() + ms
    if (ms <= LONGEST_TIMER) this.#timer = setTimeout(() => this.#tooLate(), ms)
    http2.on('error', () => {})
    http2.once('close', () => this.#cancel())
  }

  /** Infinity without one. */
  getDeadline(): number {
    return this.#deadline
  }

  /** The caller is gone, or its deadline. */
  once(_event: 'cancelled', listener: () => void): void {
    this.#cancelled.push(listener)
  }

  onMessage(listener: (request: Request, memory: ArrayBuffer | undefined) => void): void {
    this.#listener = listener
    this.#http2.on('data', (chunk: Buffer) => this.#read(() => this.#reader.push(chunk)))
  }

  giveBack(memory: ArrayBuffer | undefined): void {
    if (memory !== undefined) this.#spare.give(memory)
  }

  onEnd(listener: () => void): void {
    this.#http2.once('end', listener)
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener
    this.#http2.on('drain', () => this.#drained())
  }

  send(response: Response): boolean {
    if (this.#finished) return true
    const bytes = this.#codec.encode(response)
    if (bytes.length > this.#codec.mostBytes) {
      this.finish(
        toGrpcStatus(
          new TroupeError('overloaded', `an answer of ${bytes.length} bytes; at most ${this.#codec.mostBytes} go`),
        ),
      )
      return true
    }
    if (this.#unsent.push(bytes) === 1) process.nextTick(() => this.#flush())
    this.#unsentBytes += HEADER_BYTES + bytes.length
    if (this.#unsentBytes > MOST_UNSENT_BYTES) this.needsDrain = true
    return !this.needsDrain
  }

  pause(): void {
    this.paused = true
    this.#reader.pause()
    this.#http2.pause()
  }

  resume(): void {
    if (!this.paused || this.#finished) return
    this.paused = false
    this.#read(() => this.#reader.resume())
    if (!this.paused) this.#http2.resume()
  }

  finish({ code, details, metadata }: Pick<StatusObject, 'code' | 'details'> & Partial<StatusObject>): void {
    if (this.#finished) return
    this.#flush()
    this.#finished = true
    clearTimeout(this.#timer)
    if (this.#http2.destroyed || this.#http2.closed) return
    const trailers = {
      'grpc-status': code,
      'grpc-message': encodeURI(details),
      ...metadata?.toHttp2Headers(),
    }
    if (this.#http2.headersSent) {
      this.#http2.once('wantTrailers', () => this.#http2.sendTrailers(trailers))
      this.#http2.end()
    } else this.#http2.respond({ ...RESPONSE_HEADERS, ...trailers }, { endStream: true })
    // What the caller still sends is read and forgotten: it must not wait for a window that never opens.
    this.#listener = (_, memory) => this.giveBack(memory)
    this.#http2.removeAllListeners('data')
    this.#http2.resume()
  }

  #read(step: () => void): void {
    if (this.#finished) return
    try {
      step()
    } catch (error) {
      this.finish(toGrpcStatus(error))
      this.#cancel()
    }
  }

  #flush(): void {
    const messages = this.#unsent
    if (messages.length === 0) return
    this.#unsent = []
    if (this.#finished || this.#http2.destroyed || this.#http2.closed) return
    const bytes = Buffer.allocUnsafe(this.#unsentBytes)
    this.#unsentBytes = 0
    let at = 0
    for (const message of messages) {
      bytes[at] = 0
      bytes.writeUInt32BE(message.length, at + 1)
      bytes.set(message, at + HEADER_BYTES)
      at += HEADER_BYTES + message.length
    }
    if (!this.#http2.headersSent) this.#http2.respond(RESPONSE_HEADERS, { waitForTrailers: true })
    if (!this.#http2.write(bytes)) this.needsDrain = true
    else if (this.needsDrain) this.#drained()
  }

  #drained(): void {
    this.needsDrain = false
    this.#onDrain()
  }

  #tooLate(): void {
    this.finish({ code: status.DEADLINE_EXCEEDED, details: 'the deadline passed' })
    this.#cancel()
  }

  #cancel(): void {
    clearTimeout(this.#timer)
    this.#finished = true
    for (const listener of this.#cancelled.splice(0)) listener()
  }
}

const RESPONSE_HEADERS = {
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-encoding': 'identity',
  'grpc-accept-encoding': 'identity,deflate,gzip',
} as const

function timeoutOf({ 'grpc-timeout': timeout }: IncomingHttpHeaders): number {
  const [, digits, unit] = TIMEOUT.exec(String(timeout ?? '')) ?? []
  return digits === undefined ? Number.POSITIVE_INFINITY : Number(digits) * MS[unit!]!
}
