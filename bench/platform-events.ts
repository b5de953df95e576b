// The platform's event streams over NATS: published with acknowledgements, retained, followed by a consumer and by a user
// over the gateway's WebSocket, while another user stops reading. Publisher, gateway and NATS are processes of their
// own; this one reads and counts. Publishing goes at the wanted rate, or as fast as it is acknowledged.
//   npm run bench -- platform-events [--n 60000] [--json]
//   node bench/platform-events.ts [--n 60000] [--rate 12000]
import { type ChildProcess, fork } from 'node:child_process'
import { parseArgs } from 'node:util'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { openNatsBus } from '../src/bus/nats/index.ts'
import { PLATFORM_STREAMS, type PlatformEvent, type PlatformEventType } from '../src/contract/events.ts'
import { startNats } from '../test/support/servers.ts'
import { openStalledReader } from './stalled-reader.ts'

const alone = process.argv[1] === import.meta.filename
const { values } = parseArgs({
  args: alone ? process.argv.slice(2) : [],
  options: { n: { type: 'string', default: '60000' }, rate: { type: 'string', default: '0' } },
})
const TYPES = Object.keys(PLATFORM_STREAMS) as PlatformEventType[]
/** So long nothing comes any more before what is missing counts as lost. */
const PATIENCE_MS = 10_000

interface Published {
  ms: number
  refused: number
  cpuMs: number
}

export async function run({ n = 60_000, json }: { n?: number; json: boolean }): Promise<void> {
  const nats = await startNats()
  const bus = await openNatsBus({ url: nats.url })
  const gateway = fork(`${import.meta.dirname}/platform-events-gateway.ts`, [nats.url])
  const publisher = fork(`${import.meta.dirname}/platform-events-publisher.ts`, [nats.url])
  const [{ url, key }] = await Promise.all([said<{ url: string; key: string }>(gateway), said(publisher)])
  const raw = new Tally(n)
  const socket = new Tally(n)
  const stop = await bus.followPlatform(TYPES, {}, (event, sequence) => raw.take(event, sequence))
  const closing = await followSocket(url, key, socket)
  const stalled = await openStalledReader(url, key, TYPES)
  const begun = performance.now()
  publisher.send({ n, rate: Number(values.rate) })
  const published = said<Published>(publisher)
  const [{ ms, refused, cpuMs }] = await Promise.all([published, raw.complete, socket.complete])
  gateway.send('figures')
  const { peakMb, dropped } = await said<{ peakMb: number; dropped: number }>(gateway)
  const retained = await retainedOf(nats.url)
  stalled.close()
  const figures = {
    workload: 'platform-events',
    n,
    published_per_s: Math.round((n / ms) * 1_000),
    refused,
    publisher_cpu_us: Math.round((cpuMs * 1_000) / n),
    retained: retained.messages,
    retention_as_designed: retained.asDesigned,
    ...raw.figures('consumer', begun),
    ...socket.figures('websocket', begun),
    slow_readers_dropped: dropped,
    gateway_peak_mb: peakMb,
  }
  if (json) console.log(JSON.stringify(figures))
  else console.log(figures)
  closing()
  stop()
  await bus.close()
  for (const child of [gateway, publisher]) {
    child.send('stop')
    await new Promise((resolve) => child.once('exit', resolve))
  }
  await nats.stop()
}

/** Counts what comes: each event once, and in the order of its publication within its stream. */
class Tally {
  readonly complete: Promise<void>
  #seen = 0
  #disordered = 0
  #lastAt = 0
  readonly #wanted: number
  readonly #last = new Map<PlatformEventType, { sequence: number; n: number }>()
  readonly #done: () => void
  #timer: NodeJS.Timeout

  constructor(wanted: number) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.complete = promise
    this.#done = resolve
    this.#wanted = wanted
    this.#timer = setTimeout(resolve, 10 * PATIENCE_MS)
  }

  take({ type, data }: PlatformEvent, sequence: number): void {
    const n = data.n as number
    const last = this.#last.get(type) ?? { sequence: 0, n: -1 }
    if (sequence !== last.sequence + 1 || n <= last.n) this.#disordered += 1
    this.#last.set(type, { sequence, n })
    this.#seen += 1
    this.#lastAt = performance.now()
    if (this.#seen % 1_000 === 0) {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(this.#done, PATIENCE_MS)
    }
    if (this.#seen < this.#wanted) return
    clearTimeout(this.#timer)
    this.#done()
  }

  figures(who: string, begun: number): Record<string, number> {
    return {
      [`${who}_per_s`]: Math.round((this.#seen / (this.#lastAt - begun)) * 1_000),
      [`${who}_missing`]: this.#wanted - this.#seen,
      [`${who}_out_of_order`]: this.#disordered,
    }
  }
}

async function followSocket(url: string, key: string, tally: Tally): Promise<() => void> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, ['troupe.v1', `troupe.bearer.${key}`])
  const following = Promise.withResolvers<void>()
  let streams = 0
  socket.addEventListener('error', () => following.reject(new Error('the gateway refused the connection')))
  socket.addEventListener('open', () => {
    for (const stream of TYPES) socket.send(JSON.stringify({ type: 'follow-stream', stream, after: 0 }))
  })
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data))
    if (message.type === 'platform-event') tally.take(message.event, message.sequence)
    else if (message.type === 'following-stream' && ++streams === TYPES.length) following.resolve()
    else if (message.type === 'dropped') console.error('the reading user was dropped', message.resume)
  })
  await following.promise
  return () => socket.close()
}

async function retainedOf(url: string): Promise<{ messages: number; asDesigned: boolean }> {
  const connection = await connect({ servers: url })
  const manager = await jetstreamManager(connection)
  let messages = 0
  let asDesigned = true
  for (const [type, days] of Object.entries(PLATFORM_STREAMS)) {
    const { state, config } = await manager.streams.info(`TROUPE_EVENTS_${type.toUpperCase()}`)
    messages += state.messages
    asDesigned &&= config.max_age === days * 86_400_000 * 1_000_000 && config.storage === 'file'
  }
  await connection.close()
  return { messages, asDesigned }
}

function said<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve) => child.once('message', (message) => resolve(message as Message)))
}

if (alone) await run({ n: Number(values.n), json: false })
