// One WebSocket connection: follows many tasks and platform streams at once. Tasks are pulled from their logs at the
// reader's pace; platform events are pushed, and a reader with too much waiting is told and dropped. Either way it
// comes back with the numbers it was given and misses nothing that is still kept (P6).
import { TroupeError } from '../../../contract/errors.ts'
import type { PlatformEventType } from '../../../contract/events.ts'
import type { Principal } from '../../auth/principal.ts'
import { parseJsonBody } from '../../json-body.ts'
import type { GatewayContext } from '../../parts.ts'
import { followPlatformFor } from '../../platform-streams.ts'
import { codedError, problemOf } from '../../problem.ts'
import { eventViewFor, knownForm } from '../rest/task-view.ts'
import { CLOSE_CODES, type Resume, requestSchema, type StreamMessage, type StreamRequest } from './protocol.ts'
import { createOutbox, type Socket, type Wire } from './socket.ts'
import { createSubmitting } from './submitting.ts'

const MAX_FOLLOWED = 1_000
/** Requests that wait for earlier ones of the same connection. */
const MAX_WAITING = 1_000
/** A dropped reader that does not read its last message is cut off after this. */
const DISMISSAL_MS = 5_000

export interface Connection {
  receive(message: Buffer): void
  end(why: 'draining' | 'revoked' | 'dropped'): void
  close(): void
}

export function openConnection(
  socket: Socket,
  wire: Wire,
  reader: Principal,
  requestId: string,
  context: GatewayContext,
  /** Of what the reader asks for; rejects when it may not, or not so often. */
  admit: () => Promise<void> | undefined,
): Connection {
  const { desk, bus, screening, metrics, config } = context
  const tasks = new Map<string, { stop: AbortController; last: number }>()
  const platform = new Map<PlatformEventType, { unsubscribe: () => void; last: number | undefined }>()
  const outbox = createOutbox(socket, wire)
  const submitting = createSubmitting({ context, reader, requestId, send, fail })
  let ended = false
  /** While too much waits for the reader: resolves when it has taken that. */
  let full: Promise<void> | undefined
  let waiting = 0
  let turn: Promise<void> = Promise.resolve()

  function send(message: StreamMessage): void {
    if (socket.readyState !== socket.OPEN) return
    outbox.put(JSON.stringify(message))
    const isFull = socket.bufferedAmount + outbox.bytes > config.streamBufferBytes
    if (!isFull || full !== undefined) return
    const { promise, resolve } = Promise.withResolvers<void>()
    full = promise
    const slow = setTimeout(() => end('dropped'), config.slowReaderMs)
    // Called when these bytes have left, or when the connection has ended.
    outbox.flush(() => {
      clearTimeout(slow)
      full = undefined
      resolve()
    })
  }

  function resume(): Resume {
    const streams: Resume['streams'] = {}
    for (const [stream, { last }] of platform) if (last !== undefined) streams[stream] = last
    // Of a submission whose end was not told yet only the acceptance is known.
    const accepted = [...submitting.watched.keys()].map((id) => [id, 1])
    return { tasks: Object.fromEntries([...accepted, ...[...tasks].map(([id, { last }]) => [id, last])]), streams }
  }

  function end(why: 'draining' | 'revoked' | 'dropped'): void {
    if (ended) return
    const lastWords: StreamMessage = { type: why, resume: resume() }
    close()
    if (why === 'dropped') metrics.count('troupe_gateway_streams_dropped_total')
    if (socket.readyState !== socket.OPEN) return
    outbox.put(JSON.stringify(lastWords))
    outbox.flush()
    socket.close(CLOSE_CODES[why], why)
    const timer = setTimeout(() => socket.terminate(), DISMISSAL_MS)
    socket.once('close', () => clearTimeout(timer))
  }

  function close(): void {
    ended = true
    submitting.close()
    for (const { stop } of tasks.values()) stop.abort()
    for (const { unsubscribe } of platform.values()) unsubscribe()
    tasks.clear()
    platform.clear()
  }

  function fail(error: unknown, about: { task?: string; stream?: string; request?: string }): void {
    send({ type: 'error', about, problem: problemOf(codedError(error), requestId) })
  }

  async function followTask(id: string, after: number): Promise<void> {
    if (tasks.has(id)) return
    if (tasks.size >= MAX_FOLLOWED) {
      throw new TroupeError('overloaded', `A connection follows at most ${MAX_FOLLOWED} tasks.`)
    }
    await desk.get(reader.tenant, knownForm(id))
    if (ended) return
    const followed = { stop: new AbortController(), last: after }
    tasks.set(id, followed)
    send({ type: 'following', task: id, after })
    void pump(id, followed)
  }

  async function pump(id: string, followed: { stop: AbortController; last: number }): Promise<void> {
    const { signal } = followed.stop
    try {
      for await (const event of desk.follow(reader.tenant, id, followed.last, signal)) {
        // All tasks of a connection wait here, so that what is held for it stays bounded however many it follows.
        while (full !== undefined) await full
        if (signal.aborted) return
        followed.last = event.number
        metrics.count('troupe_gateway_stream_events_total')
        send({ type: 'event', event: eventViewFor(reader, screening, event) })
      }
      if (signal.aborted) return
      tasks.delete(id)
      send({ type: 'ended', task: id, after: followed.last })
    } catch (error) {
      tasks.delete(id)
      if (!signal.aborted) fail(error, { task: id })
    }
  }

  async function followStream(stream: PlatformEventType, after: number | undefined): Promise<void> {
    if (platform.has(stream)) return
    const followed = { unsubscribe: () => {}, last: after }
    platform.set(stream, followed)
    // First the answer, then events: replayed ones may come before followPlatform returns.
    send({ type: 'following-stream', stream })
    const from = { stream, ...(after === undefined ? {} : { after }) }
    const unsubscribe = await followPlatformFor(reader, config.platformTenant, bus, from, (event, sequence) => {
      if (ended) return
      if (socket.bufferedAmount > config.streamBufferBytes) return end('dropped')
      followed.last = sequence
      metrics.count('troupe_gateway_stream_events_total')
      send({ type: 'platform-event', stream, sequence, event: screening.output(reader, event) })
    })
    if (ended || platform.get(stream) !== followed) unsubscribe()
    else followed.unsubscribe = unsubscribe
  }

  async function handle(request: StreamRequest, bytes: number): Promise<void> {
    switch (request.type) {
      case 'submit':
        await admit()
        // A reader that does not take its answers is not given more.
        while (full !== undefined) await full
        return submitting.submit(request, bytes)
      case 'follow':
        await admit()
        return await followTask(request.task, request.after)
      case 'unfollow':
        tasks.get(request.task)?.stop.abort()
        tasks.delete(request.task)
        return
      case 'follow-stream':
        await admit()
        return await followStream(request.stream, request.after)
      case 'unfollow-stream':
        platform.get(request.stream)?.unsubscribe()
        platform.delete(request.stream)
        return
      case 'ping':
        send({ type: 'pong' })
    }
  }

  return {
    receive(message) {
      if (++waiting > MAX_WAITING) {
        close()
        outbox.flush()
        socket.close(CLOSE_CODES.misuse, 'too many requests at a time')
        return
      }
      // One at a time: `follow` and `unfollow` of the same task keep their order.
      turn = turn.then(async () => {
        waiting--
        if (ended) return
        let request: StreamRequest | undefined
        try {
          request = parseRequest(message)
          await handle(request, message.length)
        } catch (error) {
          fail(error, aboutOf(request))
        }
      })
    },
    end,
    close,
  }
}

function parseRequest(message: Buffer): StreamRequest {
  const json = parseJsonBody(message)
  const parsed = requestSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const first = parsed.error.issues[0]
  throw new TroupeError(
    'invalid_request',
    `message${first?.path.map((part) => `/${String(part)}`).join('')}: ${first?.message}`,
  )
}

function aboutOf(request: StreamRequest | undefined): { task?: string; stream?: string; request?: string } {
  if (request === undefined || request.type === 'ping') return {}
  if (request.type === 'submit') return { request: request.request }
  return 'task' in request ? { task: request.task } : { stream: request.stream }
}
