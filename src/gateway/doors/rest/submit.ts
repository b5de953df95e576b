// Submitting a task: screened, accepted durably (P1), and on wish waited for.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { MAX_VALUE_BYTES } from '../../../contract/limits.ts'
import { type Budget, hasEnded, LANES } from '../../../contract/task.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import { idempotencyKey, untilClosed, waitSeconds } from './preferences.ts'
import { agentName, budgetSchema, taskSchema, taskView, taskViewFor } from './task-view.ts'

const submitSchema = z
  .strictObject({
    agent: agentName.describe('A name from GET /v1/agents.'),
    agentVersion: z.string().max(100).optional().describe('Absent: the newest one.'),
    input: z.unknown().describe('Must fit the agent’s input schema.'),
    priority: z.enum(LANES).optional(),
    deadline: z.iso.datetime({ offset: true }).optional().describe('The task fails when it has not ended by then.'),
    budget: budgetSchema.optional(),
    metadata: z
      .record(z.string().max(100), z.string().max(1_000))
      .refine((metadata) => Object.keys(metadata).length <= 50, 'holds more than 50 entries')
      .optional(),
  })
  .meta({ id: 'Submission' })

const submitHeaders = z.object({
  'idempotency-key': idempotencyKey.describe('The same key with the same request answers with the same task.'),
  prefer: z.string().optional().describe('`wait=N`: answer when the task has ended, or after N seconds.'),
  traceparent: z.string().optional().describe('W3C trace context.'),
})

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}/

export function submitDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { desk, screening, quotas, metrics, telemetry } = context

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
          body: submitSchema,
          response: {
            200: taskSchema.describe('It has ended within the time that Prefer allows.'),
            202: taskSchema.describe('Accepted: it is on disk and will be done.'),
            ...problems(
              'invalid_input',
              'unknown_agent',
              'idempotency_conflict',
              'value_too_large',
              'input_refused',
              'unsupported_media_type',
            ),
          },
        },
      },
      async (request, reply) => {
        const { tenant } = principalOf(request)
        const { agent, agentVersion, input, priority, deadline, budget, metadata } = request.body
        const wait = waitSeconds(request.headers.prefer, context.config.maxWaitSeconds)
        await quotas.check(tenant)
        const flagged = screening.input(agent, input, Number(request.headers['content-length'] ?? 0))
        if (flagged !== undefined) {
          metrics.count('troupe_gateway_screened_total')
          request.auditDetail = { screening: flagged.rules.join(',') }
          reply.header('x-troupe-screening', 'flagged')
        }
        const given = request.headers.traceparent
        const parent = given !== undefined && TRACEPARENT.test(given) ? given : undefined
        const idempotencyKey = request.headers['idempotency-key']
        const submit = (traceparent: string | undefined) =>
          desk.submit({
            tenant,
            agent,
            input,
            ...(agentVersion === undefined ? {} : { agentVersion }),
            ...(priority === undefined ? {} : { priority }),
            ...(deadline === undefined ? {} : { deadline: Date.parse(deadline) }),
            ...(budget === undefined ? {} : { budget: budgetOf(budget) }),
            ...(metadata === undefined ? {} : { metadata }),
            ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
            ...(traceparent === undefined ? {} : { traceparent }),
          })
        const attributes = { 'troupe.tenant': tenant, 'gen_ai.agent.name': agent }
        const { task, created } =
          telemetry === undefined
            ? await submit(parent)
            : await telemetry.span('POST /v1/tasks', attributes, parent, submit)
        request.auditTarget = task.id
        reply.header('location', `/v1/tasks/${task.id}`)
        if (!created) reply.header('idempotency-replayed', 'true')
        if (wait === undefined) return reply.code(202).send(taskView(task, { input: false, output: true }))
        const waited = await desk.waitForEnd(tenant, task.id, wait * 1_000, untilClosed(reply.raw))
        reply.header('preference-applied', `wait=${wait}`)
        const status = hasEnded(waited.state) ? 200 : 202
        return reply.code(status).send({ ...taskViewFor(principalOf(request), screening, waited), input: undefined })
      },
    )
  }
}

/** As the desk takes it: what was left out is not there. */
function budgetOf({ costMicros, tokens }: z.output<typeof budgetSchema>): Budget {
  return { ...(costMicros === undefined ? {} : { costMicros }), ...(tokens === undefined ? {} : { tokens }) }
}
