// Submitting a task: screened, accepted durably (P1), and on wish waited for.
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { MAX_VALUE_BYTES } from '../../../contract/limits.ts'
import { type Budget, hasEnded, LANES, type Task } from '../../../contract/task.ts'
import type { SubmitRequest } from '../../../desk/desk.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import { idempotencyKey, waitSeconds } from './preferences.ts'
import { agentName, budgetSchema, taskSchema, taskViewFor } from './task-view.ts'
import { whileWaiting } from './waiting.ts'

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
  const { desk, screening, quotas, metrics, streams, telemetry } = context

  /** Throws when the policy refuses; true when it only flags, which the audit trail then tells. */
  function screen(request: FastifyRequest, agent: string, input: unknown): boolean {
    const flagged = screening.input(agent, input, request.bodyBytes)
    if (flagged === undefined) return false
    metrics.count('troupe_gateway_screened_total')
    request.auditDetail = { screening: flagged.rules.join(',') }
    return true
  }

  async function traced(wanted: SubmitRequest, parent: string | undefined): ReturnType<typeof desk.submit> {
    const submit = (traceparent: string | undefined) =>
      desk.submit(traceparent === undefined ? wanted : { ...wanted, traceparent })
    if (telemetry === undefined) return await submit(parent)
    const attributes = { 'troupe.tenant': wanted.tenant, 'gen_ai.agent.name': wanted.agent }
    return await telemetry.span('POST /v1/tasks', attributes, parent, submit)
  }

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
              'overloaded',
            ),
          },
        },
      },
      async (request, reply) => {
        const reader = principalOf(request)
        const wait = waitSeconds(request.headers.prefer, context.config.maxWaitSeconds)
        const idempotencyKey = request.headers['idempotency-key']
        const traceparent = knownTrace(request.headers.traceparent)
        await quotas.check(reader.tenant)
        if (screen(request, request.body.agent, request.body.input)) reply.header('x-troupe-screening', 'flagged')

        const submit = async (): Promise<Task> => {
          const wanted = submission(reader.tenant, request.body, idempotencyKey)
          const { task, created } = await traced(wanted, traceparent)
          request.auditTarget = task.id
          reply.header('location', `/v1/tasks/${task.id}`)
          if (!created) reply.header('idempotency-replayed', 'true')
          return task
        }
        const shown = (task: Task) => ({ ...taskViewFor(reader, screening, task), input: undefined })

        if (wait === undefined) return reply.code(202).send(shown(await submit()))
        return await whileWaiting(streams, reader.tenant, reply.raw, async (signal) => {
          const { id } = await submit()
          const task = await desk.waitForEnd(reader.tenant, id, wait * 1_000, signal)
          reply.header('preference-applied', `wait=${wait}`)
          return reply.code(hasEnded(task.state) ? 200 : 202).send(shown(task))
        })
      },
    )
  }
}

function knownTrace(traceparent: string | undefined): string | undefined {
  return traceparent !== undefined && TRACEPARENT.test(traceparent) ? traceparent : undefined
}

/** As the desk takes it: what was left out is not there. */
function submission(
  tenant: string,
  body: z.output<typeof submitSchema>,
  idempotencyKey: string | undefined,
): SubmitRequest {
  const { agent, agentVersion, input, priority, deadline, budget, metadata } = body
  const wanted: SubmitRequest = { tenant, agent, input }
  if (agentVersion !== undefined) wanted.agentVersion = agentVersion
  if (priority !== undefined) wanted.priority = priority
  if (deadline !== undefined) wanted.deadline = Date.parse(deadline)
  if (budget !== undefined) wanted.budget = budgetOf(budget)
  if (metadata !== undefined) wanted.metadata = metadata
  if (idempotencyKey !== undefined) wanted.idempotencyKey = idempotencyKey
  return wanted
}

function budgetOf({ costMicros, tokens }: z.output<typeof budgetSchema>): Budget {
  return { ...(costMicros === undefined ? {} : { costMicros }), ...(tokens === undefined ? {} : { tokens }) }
}
