// @ts-check
// A task's log as it grows. EventSource cannot send the key in a header, so the stream is read by fetch; a connection
// that breaks is taken up after the last number that was seen: no event is missed, none comes twice (P6). A hidden tab holds
// none: browsers allow six connections to a host, for all tabs together.
/** @import { EventView } from './views.ts' */
import { ask, Problem, problemOf } from './api.js'
import { pause, tellConnection, untilVisible, whileVisible } from './fresh.js'
import { createReader } from './server-sent.js'

/** What the gateway says before it ends a stream: not an event of the task. */
const LAST_WORDS = ['draining', 'revoked', 'dropped', 'error']
const AGAIN_MS = 1_000
const MOST_MS = 15_000

/**
 * Resolves when the stream ended and `isOver` says that the task has ended, too.
 * @param {string} taskId
 * @param {{ after: number, signal: AbortSignal, onEvents: (events: EventView[]) => void, isOver: () => Promise<boolean> }} options
 */
export async function followTask(taskId, { after, signal, onEvents, isOver }) {
  let last = after
  let wait = AGAIN_MS
  while (!signal.aborted) {
    await untilVisible(signal)
    const visible = whileVisible(signal)
    try {
      for await (const events of eventsAfter(taskId, last, visible.signal)) {
        last = events.at(-1)?.number ?? last
        wait = AGAIN_MS
        onEvents(events)
      }
      if (await isOver()) return
    } catch (error) {
      if (signal.aborted) return
      if (visible.signal.aborted) continue
      if (error instanceof Problem && error.status < 500 && error.status !== 429) throw error
      tellConnection(error)
      wait = Math.min(wait * 2, MOST_MS)
    } finally {
      visible.end()
    }
    await pause(wait, signal)
  }
}

/**
 * @param {string} taskId
 * @param {number} after
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<EventView[]>}
 */
async function* eventsAfter(taskId, after, signal) {
  const answer = await ask('GET', `/v1/tasks/${encodeURIComponent(taskId)}/events`, {
    signal,
    headers: { accept: 'text/event-stream', 'last-event-id': String(after) },
  })
  if (!answer.ok || answer.body === null) throw await problemOf(answer)
  tellConnection(undefined)
  const read = createReader()
  const text = answer.body.pipeThrough(new TextDecoderStream())
  const reader = text.getReader()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    const said = read(value)
    const events = said.filter(({ event }) => !LAST_WORDS.includes(event)).map(({ data }) => JSON.parse(data))
    if (events.length > 0) yield events
  }
}
