// Reading tasks: one, or a list.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { TroupeError } from '../../../contract/errors.ts'
import { isId } from '../../../contract/ids.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import { etagOf, isUnchanged, waitSeconds } from './preferences.ts'
import {
  agentName,
  knownForm,
  labelFilter,
  taskParams,
  taskSchema,
  taskStateSchema,
  taskView,
  taskViewFor,
} from './task-view.ts'
import { whileWaiting } from './waiting.ts'

const listQuery = z.object({
  state: z.string().optional().describe('One or more task states, separated by commas.'),
  status: z.string().optional().meta({ deprecated: true, description: 'The same as `state`, under its old name.' }),
  agent: agentName.optional(),
  parent: z.string().max(100).optional().describe('Only the children of this task.'),
  label: z
    .union([labelFilter, z.array(labelFilter).max(8)])
    .optional()
    .describe('`key:value`; given several times, all of them.'),
  cursor: z.string().max(2_000).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

export function tasksDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { desk, screening, cursors, streams } = context

  return async (app) => {
    app.get(
      '/v1/tasks',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['tasks'],
          summary: 'List tasks, newest first',
          querystring: listQuery,
          response: {
            200: z.object({ tasks: z.array(taskSchema), nextCursor: z.string().optional() }),
            ...problems(),
          },
        },
      },
      async (request) => {
        const { tenant } = principalOf(request)
        const { state, status, agent, parent, label = [], cursor, limit } = request.query
        const labels = typeof label === 'string' ? [label] : label
        const states = statesOf(state, status)
        const filters = JSON.stringify(['tasks', states, agent, parent, labels])
        // A parent that is no id, or another tenant's, has no children here: the journal answers with none.
        if (parent !== undefined && !isId(parent, 'task')) return { tasks: [] }
        const page = await desk.list(tenant, {
          limit,
          ...(states === undefined ? {} : { states }),
          ...(agent === undefined ? {} : { agent }),
          ...(parent === undefined ? {} : { parent }),
          ...(labels.length === 0 ? {} : { labels }),
          ...(cursor === undefined ? {} : { cursor: cursors.open(tenant, filters, cursor) }),
        })
        const tasks = page.tasks.map((task) => taskView(task, { input: false, output: false }))
        const next = page.nextCursor === undefined ? {} : { nextCursor: cursors.seal(tenant, filters, page.nextCursor) }
        return { tasks, ...next }
      },
    )

    app.get(
      '/v1/tasks/:id',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['tasks'],
          summary: 'Read a task',
          params: taskParams,
          headers: z.object({ prefer: z.string().optional(), 'if-none-match': z.string().optional() }),
          response: {
            200: taskSchema,
            304: z.undefined().describe('Unchanged.'),
            ...problems('not_found', 'overloaded'),
          },
        },
      },
      async (request, reply) => {
        const principal = principalOf(request)
        const id = knownForm(request.params.id)
        const wait = waitSeconds(request.headers.prefer, context.config.maxWaitSeconds)
        const task =
          wait === undefined
            ? await desk.get(principal.tenant, id)
            : await whileWaiting(streams, principal.tenant, reply.raw, (signal) =>
                desk.waitForEnd(principal.tenant, id, wait * 1_000, signal),
              )
        const etag = etagOf(task)
        reply.header('etag', etag)
        // Two readers of one task may see different things when a policy masks: nothing in between may keep it.
        reply.header('cache-control', 'private, no-cache')
        if (isUnchanged(request.headers['if-none-match'], etag)) return reply.code(304).send()
        return reply.send(taskViewFor(principal, screening, task))
      },
    )
  }
}

function statesOf(state: string | undefined, status: string | undefined) {
  if (state !== undefined && status !== undefined) {
    throw new TroupeError('invalid_request', 'status is the old name of state: give one of them.')
  }
  const text = state ?? status
  if (text === undefined) return undefined
  const parsed = z.array(taskStateSchema).safeParse(text.split(','))
  if (parsed.success) return parsed.data
  const known = taskStateSchema.options.join(', ')
  throw new TroupeError('invalid_request', `state: ${JSON.stringify(text)} holds what is none of ${known}.`)
}
