// Connections: how they are made, and one that comes back after the server did.
import { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { TroupeError } from '../../contract/errors.ts'
import { failureOf, storeError } from './errors.ts'
import { Asked, type Asker, type Fields, type Statement } from './statement.ts'

export interface Address {
  url: string
  schema: string
  /** How long a call waits for a server that does not answer, in milliseconds. */
  patienceMs: number
}

// Counts and hash values come as numbers: nothing here outgrows 2^53.
const types = new pg.TypeOverrides()
types.setTypeParser(pg.types.builtins.INT8, Number)

export function clientConfig({ url, schema, patienceMs }: Address, settings: string[] = []): pg.ClientConfig {
  const options = [`search_path=${schema}`, ...settings].map((setting) => `-c ${setting}`).join(' ')
  return {
    connectionString: url,
    options,
    application_name: 'troupe',
    connectionTimeoutMillis: patienceMs,
    keepAlive: true,
    types,
  }
}

const FAREWELL_MS = 1_000
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 1_000

/** Pauses double from attempt to attempt, with jitter, so that many hosts do not come back in step. */
export function pauseMs(attempt: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt) * (0.5 + Math.random() / 2)
}

/**
 * Fails when there is no answer in time. What is late goes on by itself; whoever it was for has gone. An answer that came
 * while this process stood still is read before it fails: timers come before sockets, and a host would lose a lease that it
 * holds.
 */
async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => setImmediate(reject, new Error(`no answer within ${Math.round(ms)} ms`)), ms)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Asks until the server answers or patience ends. For what may be asked twice. */
export async function persist<T>(patienceMs: number, closing: AbortSignal, ask: () => Promise<T>): Promise<T> {
  const until = performance.now() + patienceMs
  for (let attempt = 0; ; attempt++) {
    try {
      return await within(Math.max(1, until - performance.now()), ask())
    } catch (thrown) {
      if (thrown instanceof TroupeError || failureOf(thrown) === 'refused') throw storeError(thrown)
      const pause = pauseMs(attempt)
      if (performance.now() + pause > until || closing.aborted) throw storeError(thrown)
      await wait(pause, undefined, { signal: closing }).catch(() => {})
    }
  }
}

/** One connection that is used by one caller at a time and made anew when it broke. */
export class Line {
  readonly #address: Address
  readonly #settings: string[]
  #client: pg.Client | undefined
  #socket: Socket | undefined
  #asked: Asked | undefined
  #askedAt = 0
  /** One for all that is asked, and not wound up for each: when it comes it looks who still waits, and since when. */
  #patience: NodeJS.Timeout | undefined

  constructor(address: Address, settings: string[]) {
    this.#address = address
    this.#settings = settings
  }

  ask(statement: Statement): Promise<Fields | undefined> {
    return new Promise((answered, failed) => this.put(statement, { answered, failed }))
  }

  /** Fails when the server does not answer in time; then the connection is cut, and what was asked is in doubt. */
  put(statement: Statement, asker: Asker): void {
    const asked = new Asked(statement, {
      answered: asker.answered,
      failed: (error) => {
        if (failureOf(error) === 'connection') this.cut()
        asker.failed(error)
      },
    })
    this.#asked = asked
    this.#askedAt = performance.now()
    this.#patience ??= setTimeout(() => this.#late(), this.#address.patienceMs)
    if (this.#client !== undefined) this.#client.query(asked)
    else {
      this.#connect().then(
        (client) => client.query(asked),
        (error) => asked.handleError(error),
      )
    }
  }

  /** As `within`: first what has arrived is read. */
  #late(): void {
    const asked = this.#asked
    const { patienceMs } = this.#address
    const leftMs = this.#askedAt + patienceMs - performance.now()
    this.#patience = undefined
    if (asked === undefined || asked.isOver) return
    if (leftMs > 0) this.#patience = setTimeout(() => this.#late(), leftMs)
    else setImmediate(() => asked.handleError(new Error(`no answer within ${patienceMs} ms`)))
  }

  async #connect(): Promise<pg.Client> {
    const socket = new Socket()
    const client = new pg.Client({ ...clientConfig(this.#address, this.#settings), stream: () => socket })
    // Without a listener the loss of an idle connection would end the process.
    client.on('error', () => {
      if (this.#client === client) this.cut()
    })
    this.#socket = socket
    await client.connect()
    this.#client = client
    return client
  }

  cut(): void {
    this.#socket?.destroy()
    this.#client = undefined
    this.#socket = undefined
  }

  /** A server that does not answer is left without its farewell. */
  async close(farewell: pg.QueryConfig): Promise<void> {
    const client = this.#client
    const socket = this.#socket
    clearTimeout(this.#patience)
    this.#client = undefined
    if (client === undefined) return
    const goodbye = client.query(farewell).then(() => client.end())
    await within(FAREWELL_MS, goodbye).catch(() => {})
    socket?.destroy()
  }
}
