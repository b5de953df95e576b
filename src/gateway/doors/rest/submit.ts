// Submitting a task: screened, accepted durably (P1), and on wish waited for.
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

        const submitted = async <Answer extends { task: Task; created: boolean }>(
          submit: (wanted: SubmitRequest) => Promise<Answer>,
        ): Promise<Answer> => {
          const more = { idempotencyKey: headers['idempotency-key'], traceparent: headers.traceparent }
          const answer = await submissions.hand(reader.tenant, body, more, submit)
          request.auditTarget = answer.task.id
          reply.header('location', `/v1/tasks/${answer.task.id}`)
          if (!answer.created) reply.header('idempotency-replayed', 'true')
          return answer
        }
        const shown = (task: Task) => taskViewFor(reader, screening, task, { input: false, output: true })

        if (wait === undefined) return reply.code(202).send(shown((await submitted(desk.submit)).task))
        return await whileWaiting(streams, reader.tenant, reply.raw, async (signal) => {
          const { task, ending } = await submitted((wanted) => desk.submitAndWatch(wanted, 'result'))
          const last = await desk.asEnded(task, await endsWithin(ending, wait * 1_000, signal))
          reply.header('preference-applied', `wait=${wait}`)
          return reply.code(hasEnded(last.state) ? 200 : 202).send(shown(last))
        })
      },
    )
  }
}
