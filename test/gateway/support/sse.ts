// Reads server-sent events as a browser would.
import assert from 'node:assert/strict'
import type { Started } from './start.ts'

export interface ReadEvent {
  id?: string
  event?: string
  data?: unknown
}

/** Returns once the stream is open; ending the generator closes the connection. */
export async function readEvents(
  started: Started,
  path: string,
  headers: Record<string, string> = {},
): Promise<AsyncGenerator<ReadEvent>> {
  const abort = new AbortController()
  const answer = await fetch(started.url + path, {
    headers: { accept: 'text/event-stream', authorization: `Bearer ${started.adminKey}`, ...headers },
    signal: abort.signal,
  })
  assert.equal(answer.status, 200)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/)
  return parsed(answer.body!, abort)
}

async function* parsed(body: ReadableStream<Uint8Array>, abort: AbortController): AsyncGenerator<ReadEvent> {
  let rest = ''
  try {
    for await (const piece of body.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + piece).split('\n\n')
      rest = blocks.pop()!
      for (const block of blocks) {
        const event: ReadEvent = {}
        for (const line of block.split('\n')) {
          const [, field, value] = /^(\w+): ?(.*)$/.exec(line) ?? []
          if (field === 'id') event.id = value!
          if (field === 'event') event.event = value!
          if (field === 'data') event.data = JSON.parse(value!)
        }
        if (event.event !== undefined) yield event
      }
    }
  } finally {
    abort.abort()
  }
}

export async function allOf(events: AsyncIterable<ReadEvent>): Promise<ReadEvent[]> {
  const all: ReadEvent[] = []
  for await (const event of events) all.push(event)
  return all
}
