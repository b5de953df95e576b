// The live tree of supervisors and their children, and the order to restart one. It belongs to the platform, not to a
// tenant.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { TroupeError } from '../../../contract/errors.ts'
import type { GatewayContext, SupervisedNode, SupervisionPort } from '../../parts.ts'
import { problems } from '../../problem.ts'

const nodeSchema: z.ZodType<SupervisedNode> = z
  .object({
    id: z.string(),
    path: z.string().describe('From the root, for a restart.'),
    type: z.enum(['worker', 'supervisor']),
    restart: z.enum(['permanent', 'transient', 'temporary']),
    state: z
      .enum(['starting', 'running', 'waiting', 'stopping', 'stopped'])
      .describe('`waiting`: it will be started again, after its backoff or after a sibling that it depends on.'),
    restarts: z.int().describe('How often it was started again since its supervisor started.'),
    uptime: z.number().optional().describe('Milliseconds since it became ready; absent unless it runs.'),
    lastError: z.string().optional().describe('Why it last crashed or failed to start.'),
    facts: z
      .record(z.string(), z.union([z.string(), z.number()]))
      .optional()
      .describe('What it says about itself.'),
    get children() {
      return z.array(nodeSchema).optional().describe('In start order; of supervisors.')
    },
  })
  .meta({ id: 'SupervisedNode' })

export function supervisionDoor(context: GatewayContext): FastifyPluginAsyncZod {
  function supervision(): SupervisionPort {
    if (context.supervision !== undefined) return context.supervision
    throw new TroupeError('unavailable', 'This gateway is not connected to a supervisor.')
  }

  return async (app) => {
    app.get(
      '/v1/supervision',
      {
        config: { role: 'operator', platform: true },
        schema: {
          tags: ['operations'],
          summary: 'The live supervision tree',
          response: { 200: z.object({ tree: nodeSchema }), ...problems() },
        },
      },
      async () => ({ tree: await supervision().tree() }),
    )

    app.post(
      '/v1/supervision/:path/restart',
      {
        config: { role: 'operator', platform: true, audit: 'supervision.restart', auditFirst: true },
        schema: {
          tags: ['operations'],
          summary: 'Restart a child and what depends on it',
          params: z.object({ path: z.string().min(1).max(200).describe('As in the tree, `/` written as `%2F`.') }),
          response: { 202: z.object({ restarting: z.string() }), ...problems('not_found') },
        },
      },
      async (request, reply) => {
        const { path } = request.params
        request.auditTarget = path
        await supervision().restart(path)
        return reply.code(202).send({ restarting: path })
      },
    )
  }
}
