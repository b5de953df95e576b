// troupe events [stream…]: the platform's event streams, as they happen.

import { TroupeError } from '../contract/errors.ts'
import type { PlatformEvent } from '../contract/events.ts'
import type { Handler } from './context.ts'
import { table } from './table.ts'

interface EventsOptions {
  after?: string
  list?: boolean
}

const AGAIN_MS = 500

export const eventsCommand: Handler<EventsOptions> = async (context, given, { after, list }) => {
  const gateway = await context.connect()
  const streams = given.flat().filter((name): name is string => name !== undefined)
  const stream = streams.length === 0 ? undefined : streams.join(',')
  if (list) {
    const known = await gateway.get<{ streams: { stream: string; days: number }[] }>('/v1/events', {
      query: { stream },
    })
    context.show(known, ({ streams: rows }) =>
      table(
        ['STREAM', 'KEPT'],
        rows.map((row) => [row.stream, `${row.days} d`]),
      ),
    )
    return
  }
  for (let position = after; ; ) {
    try {
      for await (const { event, data, id } of gateway.stream('/v1/events', { query: { stream, after: position } })) {
        if (id === undefined) {
          // The gateway's own last words.
          if (event === 'revoked') throw new TroupeError('unauthenticated', 'The key was revoked.')
          break
        }
        position = id
        context.terminal.out(context.globals.json ? JSON.stringify(data) : inLine(data as PlatformEvent))
      }
    } catch (error) {
      // One that was never reached is not waited for; one that was comes back, and nothing that is kept is missed.
      if (!(error instanceof TroupeError) || !error.passing || position === undefined) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  }
}

function inLine({ at, type, tenant, data }: PlatformEvent): string {
  const facts = Object.entries(data).map(([name, value]) => `${name}=${plain(value)}`)
  return [new Date(at).toISOString(), type, ...(tenant === undefined ? [] : [`tenant=${tenant}`]), ...facts].join('  ')
}

const plain = (value: unknown) => (typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value))
