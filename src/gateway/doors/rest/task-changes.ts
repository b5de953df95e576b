// What changes a task: cancel, retry, erase, and messages to it.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { MAX_MESSAGE_BYTES } from '../../../contract/limits.ts'
import type { Task } from '../../../contract/task.ts'
import { createAnswering } from '../../answering.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import { checkIfMatch, etagOf, idempotencyKey, isOfOneState } from './preferences.ts'
import { knownForm, taskParams, taskSchema, taskView } from './task-view.ts'

export const messageSchema = z
  .looseObject({ type: z.string().min(1).max(200) })
  .meta({ id: 'Message', description: 'An event for the agent’s machine: a person’s answer, a signal.' })

export function taskChangesDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { desk, screening, quotas } = context
  const answer = createAnswering(context)

  return async (app) => {
    const changeHeaders = z.object({
      'if-match': z.string().optional().describe('The ETag of the task as you know it; 412 when it has changed.'),
    })

    async function forChange(tenant: string, id: string, ifMatch: string | undefined): Promise<Task> {
      const task = await desk.get(tenant, knownForm(id))
      checkIfMatch(ifMatch, etagOf(task))
      return task
    }

    app.post(
      '/v1/tasks/:id/cancel',
      {
        config: { role: 'submitter', audit: 'task.cancel' },
        schema: {
          tags: ['tasks'],
          summary: 'Cancel a task and its children',
          params: taskParams,
          headers: changeHeaders,
          body: z.strictObject({ reason: z.string().max(1_000).optional() }).nullish(),
          response: {
            202: taskSchema.describe('Asked for; the task ends as `cancelled` soon.'),
            ...problems('not_found', 'wrong_state', 'precondition_failed', 'unsupported_media_type', 'value_too_large'),
          },
        },
      },
      async (request, reply) => {
        const { tenant } = principalOf(request)
        const { id } = await forChange(tenant, request.params.id, request.headers['if-match'])
        await desk.cancel(tenant, id, request.body?.reason)
        return reply.code(202).send(taskView(await desk.get(tenant, id), { input: false, output: false }))
      },
    )

    app.post(
      '/v1/tasks/:id/retry',
      {
        config: { role: 'submitter', audit: 'task.retry' },
        schema: {
          tags: ['tasks'],
          summary: 'Run a failed or cancelled task again from its last good state',
          params: taskParams,
          headers: changeHeaders,
          response: { 202: taskSchema, ...problems('not_found', 'wrong_state', 'precondition_failed') },
        },
      },
      async (request, reply) => {
        const { tenant } = principalOf(request)
        const { id } = await forChange(tenant, request.params.id, request.headers['if-match'])
        await quotas.check(tenant)
        return reply.code(202).send(taskView(await desk.retry(tenant, id), { input: false, output: false }))
      },
    )

    app.delete(
      '/v1/tasks/:id',
      {
        config: { role: 'admin', audit: 'task.erase', auditFirst: true },
        schema: {
          tags: ['tasks'],
          summary: 'Erase a task that has ended, with its log and all that it asked for',
          description: 'Its idempotency key is free again. What it spent stays counted; documents stay.',
          params: taskParams,
          headers: changeHeaders,
          response: { 204: z.undefined(), ...problems('not_found', 'wrong_state', 'precondition_failed') },
        },
      },
      async (request, reply) => {
        const { tenant } = principalOf(request)
        const { id } = await forChange(tenant, request.params.id, request.headers['if-match'])
        request.auditDetail = { tasks: await desk.erase(tenant, id) }
        return reply.code(204).send()
      },
    )

    app.post(
      '/v1/tasks/:id/messages',
      {
        config: { role: 'submitter', audit: 'task.message' },
        bodyLimit: MAX_MESSAGE_BYTES + 4_096,
        schema: {
          tags: ['tasks'],
          summary: 'Send a message to a task',
          params: taskParams,
          headers: z.object({
            'idempotency-key': idempotencyKey.describe('The same key delivers once.'),
            'if-match': z
              .string()
              .optional()
              .describe(
                'The ETag of the task that asked: of all answers to it the first is taken, the others are a 412. A repeat of the first under its Idempotency-Key is a 202.',
              ),
          }),
          body: messageSchema,
          response: {
            202: z.object({ accepted: z.literal(true) }),
            ...problems(
              'not_found',
              'wrong_state',
              'precondition_failed',
              'invalid_input',
              'value_too_large',
              'input_refused',
              'unsupported_media_type',
              'overloaded',
            ),
          },
        },
      },
      async (request, reply) => {
        const { tenant } = principalOf(request)
        const { 'if-match': ifMatch, 'idempotency-key': key } = request.headers
        const task = await desk.get(tenant, knownForm(request.params.id))
        screening.input(task.agent, request.body, request.bodyBytes)
        const { duplicate } = isOfOneState(ifMatch)
          ? await answer(task, ifMatch, request.body, key)
          : await desk.signal(tenant, task.id, request.body, key === undefined ? undefined : `client:${key}`)
        if (duplicate) reply.header('idempotency-replayed', 'true')
        return reply.code(202).send({ accepted: true })
      },
    )
  }
}
