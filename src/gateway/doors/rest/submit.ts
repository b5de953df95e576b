// Submitting a task: screened, accepted durably (P1), and on wish waited for.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { MAX_VALUE_BYTES } from '../../../contract/limits.ts'
import { hasEnded, type Task } from '../../../contract/task.ts'
import type { SubmitRequest } from '../../../desk/desk.ts'
import { endsWithin } from '../../../desk/follow.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import { createSubmissions, submissionSchema } from '../../submissions.ts'
import { idempotencyKey, waitSeconds } from './preferences.ts'
import { taskSchema, taskViewFor } from './task-view.ts'
import { whileWaiting } from './waiting.ts'

const submitHeaders = z.object({
  'idempotency-key': idempotencyKey.describe('The same key with the same request answers with the same task.'),
  prefer: z.string().optional().describe('`wait=N`: answer when the task has ended, or after N seconds.'),
  traceparent: z.string().optional().describe('W3C trace context.'),
})

/** Who has just submitted it has its input. */
const SHOWN = { input: false, output: true }

function nameTask(request: FastifyRequest, reply: FastifyReply, { id }: Task, created: boolean): void {
  request.auditTarget = id
  reply.header('location', `/v1/tasks/${id}`)
  if (!created) reply.header('idempotency-replayed', 'true')
}

export function submitDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { desk, screening, streams, config } = context
  const submissions = createSubmissions(context)

  return async (app) => {
    app.post(
      '/v1/tasks',
      {
        config: { role: 'submitter', audit: 'task.submit' },
        bodyLimit: MAX_VALUE_BYTES + 64 * 1024,
        schema: {
          tags: ['tasks'],
          summary: 'Submit a task',
          headers: submitHeaders,
          body: submissionSchema,
          response: {
            200: taskSchema.describe('It has ended within the time that Prefer allows.'),
            202: taskSchema.describe('Accepted: it is on disk and will be done.'),
            ...problems(
              'invalid_input',
              'unknown_agent',
              'idempotency_conflict',
              'value_too_large',
              'input_refused',
              'address_refused',
              'unsupported_media_type',
              'overloaded',
            ),
          },
        },
      },
      async (request, reply) => {
        const { body, headers } = request
        const reader = principalOf(request)
        const wait = waitSeconds(headers.prefer, config.maxWaitSeconds)
        const flagged = await submissions.admit(reader.tenant, body, request.bodyBytes)
        if (flagged !== undefined) {
          request.auditDetail = { screening: flagged }
          reply.header('x-troupe-screening', 'flagged')
        }

        const more = { idempotencyKey: headers['idempotency-key'], traceparent: headers.traceparent }
        reply.code(202)
        if (wait === undefined) {
          const { task, created } = await submissions.hand(reader.tenant, body, more, desk.submit)
          nameTask(request, reply, task, created)
          return taskViewFor(reader, screening, task, SHOWN)
        }
        return await whileWaiting(streams, reader.tenant, reply.raw, async (signal) => {
          const watching = (wanted: SubmitRequest) => desk.submitAndWatch(wanted, 'result')
          const { task, created, ending } = await submissions.hand(reader.tenant, body, more, watching)
          nameTask(request, reply, task, created)
          const last = await desk.asEnded(task, await endsWithin(ending, wait * 1_000, signal))
          reply.header('preference-applied', `wait=${wait}`)
          if (hasEnded(last.state)) reply.code(200)
          return taskViewFor(reader, screening, last, SHOWN)
        })
      },
    )
  }
}
