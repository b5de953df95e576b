// The kept spans of a task: what `troupe trace` draws, without a collector.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { TroupeError } from '../../../contract/errors.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import { knownForm, taskParams } from './task-view.ts'

export function traceDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { desk, telemetry } = context

  return async (app) => {
    app.get(
      '/v1/tasks/:id/trace',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['tasks'],
          summary: 'The spans of a task, oldest first',
          params: taskParams,
          response: { 200: z.object({ spans: z.unknown() }), ...problems('not_found') },
        },
      },
      async (request) => {
        const { tenant } = principalOf(request)
        const task = await desk.get(tenant, knownForm(request.params.id))
        if (telemetry?.trace === undefined) throw new TroupeError('unavailable', 'This gateway keeps no traces.')
        return { spans: await telemetry.trace(tenant, task.id) }
      },
    )
  }
}
