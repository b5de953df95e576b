// The kept spans of a task: what `troupe trace` draws, without a collector.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { TroupeError } from '../../../contract/errors.ts'
import type { Principal } from '../../auth/principal.ts'
import type { GatewayContext, KeptSpan } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import type { Screening } from '../../screening/screening.ts'
import { knownForm, taskParams, time, timeSchema } from './task-view.ts'

const spanSchema = z
  .object({
    id: z.string(),
    parent: z.string().optional().describe('The id of the span around it; of a task that was asked for, its step’s.'),
    name: z.string(),
    startedAt: timeSchema,
    endedAt: timeSchema.optional().describe('Absent while it goes on.'),
    error: z.string().optional(),
    attributes: z.record(z.string(), z.union([z.string(), z.number()])),
  })
  .meta({ id: 'Span' })

export function traceDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { desk, screening, telemetry } = context

  return async (app) => {
    app.get(
      '/v1/tasks/:id/trace',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['tasks'],
          summary: 'The spans of a task, oldest first',
          params: taskParams,
          response: { 200: z.object({ spans: z.array(spanSchema) }), ...problems('not_found') },
        },
      },
      async (request) => {
        const reader = principalOf(request)
        const task = await desk.get(reader.tenant, knownForm(request.params.id))
        if (telemetry?.trace === undefined) throw new TroupeError('unavailable', 'This gateway keeps no traces.')
        const spans = await telemetry.trace(reader.tenant, task.id)
        return { spans: spans.map((span) => spanViewFor(reader, screening, span)) }
      },
    )
  }
}

/** Steps are named by agents, and errors say what agents met: masked like the events that tell the same. */
function spanViewFor(reader: Principal, screening: Screening, span: KeptSpan): z.infer<typeof spanSchema> {
  const { startedAt, endedAt, attributes, ...written } = span
  const ended = endedAt === undefined ? {} : { endedAt: time(endedAt) }
  return { ...screening.output(reader, written), startedAt: time(startedAt), ...ended, attributes }
}
