// The platform's event streams as server-sent events, several over one connection; as JSON, which streams there are.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Unsubscribe } from '../../../bus/bus.ts'
import { PLATFORM_DATA, platformEventSchema, STREAM_NAMES } from '../../../bus/platform-events.ts'
import { TroupeError } from '../../../contract/errors.ts'
import { PLATFORM_STREAMS, type PlatformEvent, type PlatformEventType } from '../../../contract/events.ts'
import type { Authenticate } from '../../auth/authenticate.ts'
import type { Principal } from '../../auth/principal.ts'
import type { GatewayContext } from '../../parts.ts'
import { followPlatformFor } from '../../platform-streams.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import { streamServer } from './open-stream.ts'
import type { ServerSentEvent } from './sse.ts'

/** Events that wait for a reader; one that lets more come is dropped, and comes back with what it saw last. */
const MAX_WAITING = 5_000
const SHAPES = STREAM_NAMES.map((stream) => ({
  stream,
  days: PLATFORM_STREAMS[stream],
  data: z.toJSONSchema(PLATFORM_DATA[stream]) as Record<string, unknown>,
}))

type Positions = Map<PlatformEventType, number>

const streamQuery = z.object({
  stream: z.string().max(200).optional().describe('One or more, separated by commas. Absent: all.'),
  after: z.string().max(300).optional().describe('`stream:number`, several separated by commas. Absent: from now on.'),
})

const streamHeaders = z.object({
  accept: z.string().optional().describe('`text/event-stream` follows; otherwise the streams are listed.'),
  'last-event-id': z.string().optional().describe('Of server-sent events: goes before `after`.'),
})

export function platformEventsDoor(context: GatewayContext, authenticate: Authenticate): FastifyPluginAsyncZod {
  const { bus, screening, metrics, config } = context
  const serveStream = streamServer(context, authenticate)

  async function* followed(
    reader: Principal,
    wanted: PlatformEventType[],
    positions: Positions,
    stop: AbortSignal,
    drop: () => void,
  ): AsyncGenerator<ServerSentEvent> {
    const waiting: { event: PlatformEvent; sequence: number }[] = []
    let arrived = Promise.withResolvers<void>()
    const wake = () => arrived.resolve()
    const stops: Unsubscribe[] = []
    stop.addEventListener('abort', wake)
    try {
      // One after the other: should one be refused, those before it are known and ended.
      for (const stream of wanted) {
        const after = positions.get(stream)
        const from = { stream, ...(after === undefined ? {} : { after }) }
        const unsubscribe = await followPlatformFor(reader, config.platformTenant, bus, from, (event, sequence) => {
          if (waiting.length >= MAX_WAITING) return drop()
          waiting.push({ event, sequence })
          wake()
        })
        stops.push(unsubscribe)
      }
      while (!stop.aborted) {
        for (const { event, sequence } of waiting.splice(0)) {
          if (stop.aborted) return
          positions.set(event.type, sequence)
          metrics.count('troupe_gateway_stream_events_total')
          yield { id: written(positions), event: event.type, data: screening.output(reader, event) }
        }
        if (waiting.length > 0) continue
        await arrived.promise
        arrived = Promise.withResolvers<void>()
      }
    } finally {
      stop.removeEventListener('abort', wake)
      for (const unsubscribe of stops) unsubscribe()
    }
  }

  return async (app) => {
    app.get(
      '/v1/events',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['streams'],
          summary: 'List or follow the platform’s event streams',
          querystring: streamQuery,
          headers: streamHeaders,
          response: {
            200: {
              description:
                'The streams, or their events as they happen. The `id` of an event is the position in all followed streams.',
              content: {
                'application/json': {
                  schema: z.object({
                    streams: z.array(
                      z.object({
                        stream: z.enum(STREAM_NAMES),
                        days: z.int().describe('How long events are kept.'),
                        data: z.record(z.string(), z.unknown()).describe('The JSON Schema of an event’s `data`.'),
                      }),
                    ),
                  }),
                },
                'text/event-stream': { schema: platformEventSchema },
              },
            },
            ...problems('overloaded'),
          },
        },
      },
      async (request, reply) => {
        const reader = principalOf(request)
        const wanted = streamsIn(request.query.stream)
        const positions = positionsIn(request.headers['last-event-id'] || request.query.after)
        if (!(request.headers.accept ?? '').includes('text/event-stream')) {
          const listed = SHAPES.filter(({ stream }) => wanted.includes(stream))
          return reply.type('application/json; charset=utf-8').send({ streams: listed })
        }
        await serveStream(request, reply, {
          source: (stop, drop) => followed(reader, wanted, positions, stop, drop),
          resume: () => ({ after: written(positions) }),
        })
        return reply
      },
    )
  }
}

function streamsIn(list: string | undefined): PlatformEventType[] {
  if (list === undefined || list === '') return STREAM_NAMES
  return [...new Set(list.split(',').map((name) => streamNamed(name.trim())))]
}

function positionsIn(list: string | undefined): Positions {
  const positions: Positions = new Map()
  for (const one of (list ?? '').split(',').filter((part) => part !== '')) {
    const [, name = '', number = ''] = /^\s*(\w+):(\d{1,15})\s*$/.exec(one) ?? []
    if (number === '') throw new TroupeError('invalid_request', `${one}: a position is like agent_status:17.`)
    positions.set(streamNamed(name), Number(number))
  }
  return positions
}

function streamNamed(name: string): PlatformEventType {
  const found = STREAM_NAMES.find((stream) => stream === name)
  if (found !== undefined) return found
  throw new TroupeError(
    'invalid_request',
    `There is no stream ${name.slice(0, 50)}; there are ${STREAM_NAMES.join(', ')}.`,
  )
}

function written(positions: Positions): string {
  return [...positions].map(([stream, number]) => `${stream}:${number}`).join(',')
}
