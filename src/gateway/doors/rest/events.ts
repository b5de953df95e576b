// A task's log: a page as JSON, or followed live as server-sent events. Both begin after any number (P6).
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { TroupeError } from '../../../contract/errors.ts'
import type { Authenticate } from '../../auth/authenticate.ts'
import type { Principal } from '../../auth/principal.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import { streamServer } from './open-stream.ts'
import type { ServerSentEvent } from './sse.ts'
import { eventSchema, eventViewFor, knownForm, taskParams } from './task-view.ts'

const eventsQuery = z.object({
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0).describe('Events above this number.'),
  limit: z.coerce.number().int().min(1).max(500).default(100).describe('Of a JSON page.'),
})

const eventsHeaders = z.object({
  accept: z.string().optional().describe('`text/event-stream` follows the task until it ends.'),
  'last-event-id': z.string().optional().describe('Of server-sent events: goes before `after`.'),
})

export function eventsDoor(context: GatewayContext, authenticate: Authenticate): FastifyPluginAsyncZod {
  const { desk, screening, metrics } = context
  const serveStream = streamServer(context, authenticate)

  async function* followed(
    reader: Principal,
    taskId: string,
    after: number,
    signal: AbortSignal,
    seen: (number: number) => void,
  ): AsyncGenerator<ServerSentEvent> {
    for await (const event of desk.follow(reader.tenant, taskId, after, signal)) {
      seen(event.number)
      metrics.count('troupe_gateway_stream_events_total')
      yield { id: String(event.number), event: event.body.type, data: eventViewFor(reader, screening, event) }
    }
  }

  return async (app) => {
    app.get(
      '/v1/tasks/:id/events',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['tasks'],
          summary: 'Read or follow a task’s log',
          params: taskParams,
          querystring: eventsQuery,
          headers: eventsHeaders,
          response: {
            200: {
              description:
                'A page, or a stream that ends with the task. `draining`, `revoked` and `dropped` name where to resume.',
              content: {
                'application/json': {
                  schema: z.object({
                    events: z.array(eventSchema),
                    next: z.int().optional().describe('Give it as `after` for the next page.'),
                  }),
                },
                'text/event-stream': { schema: z.string() },
              },
            },
            ...problems('not_found', 'overloaded'),
          },
        },
      },
      async (request, reply) => {
        const reader = principalOf(request)
        const id = knownForm(request.params.id)
        const { after, limit } = request.query
        if (!(request.headers.accept ?? '').includes('text/event-stream')) {
          const events = await desk.events(reader.tenant, id, after, limit)
          const next = events.length === limit ? { next: events.at(-1)!.number } : {}
          return reply
            .type('application/json; charset=utf-8')
            .send({ events: events.map((event) => eventViewFor(reader, screening, event)), ...next })
        }
        // Before the first byte: another tenant's task must be a 404, not an empty stream.
        await desk.get(reader.tenant, id)
        let last = lastEventId(request.headers['last-event-id']) ?? after
        await serveStream(request, reply, {
          source: (stop) =>
            followed(reader, id, last, stop, (number) => {
              last = number
            }),
          resume: () => ({ task: id, after: last }),
        })
        return reply
      },
    )
  }
}

function lastEventId(header: string | undefined): number | undefined {
  if (header === undefined || header === '') return undefined
  if (/^\d{1,15}$/.test(header)) return Number(header)
  throw new TroupeError('invalid_request', 'Last-Event-ID: must be the number of an event.')
}
