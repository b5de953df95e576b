// Who died: the root supervisor sees the exit of a process before anyone else can, and says so to its children over the
// control port, one line of JSON each. The root itself opens no store: whoever hears it ends the dead host's lease.
import { setTimeout as wait } from 'node:timers/promises'
import type { SupervisionEvent } from '../supervision/index.ts'
import type { ControlServer } from './control.ts'

const AGAIN_MS = 200

/** The root's side. The origin is told by a host with its ready message; one that drained has ended its lease itself. */
export function tellDeath(event: SupervisionEvent, control: ControlServer): void {
  const dead = event.type === 'child_crashed' || (event.type === 'child_stopped' && event.forced)
  const origin = dead ? event.facts.host : undefined
  if (typeof origin === 'string') control.tellDeath(origin)
}

/** `origin`: the id under which the dead host began. Returns how to stop listening. */
export function watchDeaths(supervisorUrl: string | undefined, onDeath: (origin: string) => Promise<void>): () => void {
  const stopped = new AbortController()
  if (supervisorUrl !== undefined) void listen(supervisorUrl, stopped.signal, onDeath)
  return () => stopped.abort()
}

async function listen(url: string, signal: AbortSignal, onDeath: (origin: string) => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await fetch(`${url}/deaths`, { signal })
      if (response.body !== null) for await (const origin of lines(response.body)) void onDeath(origin)
    } catch {
      // The root is starting, or gone: then this process ends as well.
    }
    await wait(AGAIN_MS, undefined, { signal }).catch(() => {})
  }
}

async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let begun = ''
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const ended = (begun + piece).split('\n')
    begun = ended.pop() ?? ''
    for (const line of ended) yield line
  }
}
