// A client's connection to its worker, and the doubt whether anybody is still at its other end. A machine that vanishes
// says nothing, and TCP waits a quarter of an hour for it. HTTP/2's pings would tell, but servers of gRPC's own libraries
// cut off who pings an idle stream more often than every five minutes. A call is never punished, and any server answers
// one, if only that it does not know the method: so where nothing is heard for a while, health is asked for.
//
// How short the deadlines of callers are does not matter here: that they ran out says nothing of the worker.
import {
  type ChannelCredentials,
  Client,
  type ClientOptions,
  InterceptingCall,
  type Interceptor,
  status,
} from '@grpc/grpc-js'
import { clientCredentials, type TlsFiles } from './tls.ts'

export interface ConnectionOptions {
  address: string
  tls: Partial<TlsFiles> | undefined
  channel: ClientOptions
  /** After so long without a word the worker is asked, and after as long again without an answer hung up on. 0: never. */
  silenceMs?: number | undefined
  /** A new connection was as silent as the one before: not the way there is lost, but who was there. */
  onSilent(): void
}

/** Two of them are as long as a supervisor lets a process hang: a worker that is only busy has answered by then. */
const SILENCE_MS = 10_000
/** While nobody was heard since the last connection: a packet that asks for a new one is repeated ever more seldom. */
const IN_DOUBT = 1 / 5
const HEALTH = '/grpc.health.v1.Health/Check'
const NOTHING = Buffer.alloc(0)

export class Connection {
  readonly #options: ConnectionOptions
  readonly #credentials: ChannelCredentials
  readonly #silenceMs: number
  readonly #calls = new Set<InterceptingCall>()
  #client: Client
  #watch: NodeJS.Timeout | undefined
  #heard = false
  #asked = false
  #doubted = false
  #closed = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#credentials = clientCredentials(options.tls)
    this.#silenceMs = options.silenceMs ?? SILENCE_MS
    this.#client = this.#connect()
  }

  /** For one call: after a silence it is another one. */
  get client(): Client {
    return this.#client
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#watch)
    this.#client.close()
  }

  #connect(): Client {
    return new Client(this.#options.address, this.#credentials, {
      ...this.#options.channel,
      // A restarted worker should be found within a second.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
      // Shared, a new client would be given the very connection that is silent.
      'grpc.use_local_subchannel_pool': 1,
      interceptors: this.#silenceMs > 0 ? [this.#overhear] : [],
    })
  }

  readonly #overhear: Interceptor = (options, next) => {
    const heard = (): void => {
      if (this.#calls.has(call)) this.#heard = true
    }
    const call = new InterceptingCall(next(options), {
      start: (metadata, _, start) => {
        this.#calls.add(call)
        this.#keepWatch()
        start(metadata, {
          onReceiveMetadata: (received, pass) => {
            heard()
            pass(received)
          },
          onReceiveMessage: (message, pass) => {
            // A unary call that ends without an answer says null to itself.
            if (message !== null) heard()
            pass(message)
          },
          onReceiveStatus: (ended, pass) => {
            // These two the client says to itself. A connection that was refused or cut is no silence.
            if (ended.code !== status.CANCELLED && ended.code !== status.DEADLINE_EXCEEDED) heard()
            this.#calls.delete(call)
            pass(ended)
          },
        })
      },
    })
    return call
  }

  get #periodMs(): number {
    return this.#doubted ? this.#silenceMs * IN_DOUBT : this.#silenceMs
  }

  #keepWatch(): void {
    if (this.#watch !== undefined || this.#closed) return
    const ms = this.#periodMs
    const from = performance.now()
    this.#watch = setTimeout(() => {
      this.#watch = undefined
      // When this process itself stood still, what came meanwhile was not read yet.
      this.#look(performance.now() - from > 1.5 * ms)
    }, ms)
    this.#watch.unref()
  }

  #look(late: boolean): void {
    if (this.#heard || late) {
      if (this.#heard) this.#doubted = false
      this.#heard = false
      this.#asked = false
      if (this.#calls.size > 0) this.#keepWatch()
    } else if (this.#asked) this.#hangUp()
    else {
      this.#asked = true
      this.#ask()
      this.#keepWatch()
    }
  }

  /** Whatever comes back is overheard. */
  #ask(): void {
    const plain = (bytes: Buffer): Buffer => bytes
    const deadline = Date.now() + this.#periodMs
    this.#client.makeUnaryRequest(HEALTH, plain, plain, NOTHING, { deadline }, () => {})
  }

  #hangUp(): void {
    const silent = this.#client
    const calls = [...this.#calls]
    this.#calls.clear()
    this.#client = this.#connect()
    if (this.#doubted) this.#options.onSilent()
    this.#doubted = true
    this.#asked = false
    for (const call of calls) call.cancelWithStatus(status.UNAVAILABLE, 'nothing was heard of it any more')
    silent.close()
  }
}
