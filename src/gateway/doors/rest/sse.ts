// One server-sent stream. The reader's pace decides: nothing is read from the source while earlier bytes wait, and a
// reader that takes nothing for too long is dropped. It comes back with Last-Event-ID and misses nothing (P6).
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'

const HEARTBEAT_MS = 15_000
/** Browsers wait this long before they connect again. */
const RETRY_MS = 1_000
const DISMISSAL_MS = 5_000

export interface ServerSentEvent {
  id?: string
  event: string
  data: unknown
}

export type StreamEnd = 'done' | 'cut' | 'gone' | 'slow' | 'failed'

/**
 * Sends a source's events until it ends. `stop` is aborted when the reader goes, so that the source ends as well.
 * `cut` is aborted with the reason when we must end it. `lastWords` say where to resume.
 */
export async function serveEvents(
  reply: FastifyReply,
  source: AsyncIterable<ServerSentEvent>,
  options: {
    stop: AbortController
    cut: AbortSignal
    slowMs: number
    lastWords: (why: string) => ServerSentEvent
    problem: (error: unknown) => unknown
  },
): Promise<StreamEnd> {
  const { stop, cut, slowMs } = options
  const response = reply.raw
  reply.hijack()
  response.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // Proxies would hold events back until their buffer is full.
    'x-accel-buffering': 'no',
  })
  response.write(`retry: ${RETRY_MS}\n\n`)
  const onClose = () => stop.abort()
  response.on('close', onClose)
  cut.addEventListener('abort', onClose)
  const heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS)
  try {
    for await (const event of source) {
      if (response.destroyed) return 'gone'
      if (response.write(textOf(event))) continue
      if (await drained(response, AbortSignal.any([AbortSignal.timeout(slowMs), stop.signal]))) continue
      if (stop.signal.aborted) break
      dismiss(response, options.lastWords('dropped'))
      return 'slow'
    }
    if (response.destroyed) return 'gone'
    if (cut.aborted) response.write(textOf(options.lastWords(String(cut.reason))))
    response.end()
    return cut.aborted ? 'cut' : 'done'
  } catch (error) {
    // The status line is sent: what goes wrong now can only be told as an event.
    response.end(textOf({ event: 'error', data: options.problem(error) }))
    return 'failed'
  } finally {
    clearInterval(heartbeat)
    cut.removeEventListener('abort', onClose)
    if (!response.writableEnded) response.destroy()
  }
}

async function drained(response: ServerResponse, giveUp: AbortSignal): Promise<boolean> {
  try {
    await once(response, 'drain', { signal: giveUp })
    return true
  } catch {
    return false
  }
}

/** A reader that wakes up in time still learns where to resume; one that does not must not hold memory. */
function dismiss(response: ServerResponse, lastWords: ServerSentEvent): void {
  response.end(textOf(lastWords))
  const timer = setTimeout(() => response.destroy(), DISMISSAL_MS)
  response.once('close', () => clearTimeout(timer))
}

function textOf({ id, event, data }: ServerSentEvent): string {
  // JSON has no line breaks of its own, so one data line is enough.
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
