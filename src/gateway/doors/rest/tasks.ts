// Tasks: submit, read, list, cancel, retry, and messages to them.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { TroupeError } from '../../../contract/errors.ts'
import { isId } from '../../../contract/ids.ts'
import { MAX_MESSAGE_BYTES, MAX_VALUE_BYTES } from '../../../contract/limits.ts'
import { type Budget, hasEnded, LANES, type Task } from '../../../contract/task.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import { checkIfMatch, etagOf, isUnchanged, waitSeconds } from './preferences.ts'
import { budgetSchema, taskSchema, taskStateSchema, taskView, taskViewFor } from './task-view.ts'

export const agentName = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)
  .max(100)
/** Anything may be asked for; what is not an id is simply not found. */
export const taskParams = z.object({ id: z.string().max(100) })

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
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters')
    .optional()
    .describe('The same key with the same request answers with the same task.'),
  prefer: z.string().optional().describe('`wait=N`: answer when the task has ended, or after N seconds.'),
  traceparent: z.string().optional().describe('W3C trace context.'),
})

const listQuery = z.object({
  status: z.string().optional().describe('One or more task states, separated by commas.'),
  agent: agentName.optional(),
  parent: z.string().max(100).optional().describe('Only the children of this task.'),
  cursor: z.string().max(2_000).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

const messageSchema = z
  .looseObject({ type: z.string().min(1).max(200) })
  .meta({ id: 'Message', description: 'An event for the agent’s machine: a person’s answer, a signal.' })

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}/

export function tasksDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { desk, screening, quotas, cursors, metrics, telemetry } = context

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
        const { status, agent, parent, cursor, limit } = request.query
        const states = status === undefined ? undefined : parseStates(status)
        const filters = JSON.stringify(['tasks', states, agent, parent])
        // A parent that is no id, or another tenant's, has no children here: the journal answers with none.
        if (parent !== undefined && !isId(parent, 'task')) return { tasks: [] }
        const page = await desk.list(tenant, {
          limit,
          ...(states === undefined ? {} : { states }),
          ...(agent === undefined ? {} : { agent }),
          ...(parent === undefined ? {} : { parent }),
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
          response: { 200: taskSchema, 304: z.undefined().describe('Unchanged.'), ...problems('not_found') },
        },
      },
      async (request, reply) => {
        const principal = principalOf(request)
        const id = knownForm(request.params.id)
        const wait = waitSeconds(request.headers.prefer, context.config.maxWaitSeconds)
        const task =
          wait === undefined
            ? await desk.get(principal.tenant, id)
            : await desk.waitForEnd(principal.tenant, id, wait * 1_000, untilClosed(reply.raw))
        const etag = etagOf(task)
        reply.header('etag', etag)
        // Two readers of one task may see different things when a policy masks: nothing in between may keep it.
        reply.header('cache-control', 'private, no-cache')
        if (isUnchanged(request.headers['if-none-match'], etag)) return reply.code(304).send()
        return reply.send(taskViewFor(principal, screening, task))
      },
    )

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

    app.post(
      '/v1/tasks/:id/messages',
      {
        config: { role: 'submitter', audit: 'task.message' },
        bodyLimit: MAX_MESSAGE_BYTES + 4_096,
        schema: {
          tags: ['tasks'],
          summary: 'Send a message to a task',
          params: taskParams,
          headers: submitHeaders.pick({ 'idempotency-key': true }),
          body: messageSchema,
          response: {
            202: z.object({ accepted: z.literal(true) }),
            ...problems(
              'not_found',
              'wrong_state',
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
        const id = knownForm(request.params.id)
        const task = await desk.get(tenant, id)
        screening.input(task.agent, request.body, 0)
        const key = request.headers['idempotency-key']
        await desk.signal(tenant, id, request.body, key === undefined ? undefined : `client:${key}`)
        return reply.code(202).send({ accepted: true })
      },
    )
  }
}

/** As the desk takes it: what was left out is not there. */
function budgetOf({ costMicros, tokens }: z.output<typeof budgetSchema>): Budget {
  return { ...(costMicros === undefined ? {} : { costMicros }), ...(tokens === undefined ? {} : { tokens }) }
}

export function knownForm(id: string): string {
  if (isId(id, 'task')) return id
  throw new TroupeError('not_found', `There is no task ${id}.`)
}

function parseStates(text: string) {
  const parsed = z.array(taskStateSchema).safeParse(text.split(','))
  if (parsed.success) return parsed.data
  throw new TroupeError('invalid_request', `status: ${JSON.stringify(text)} holds an unknown task state.`)
}

/** A caller that hangs up stops waiting for its task. */
function untilClosed(response: NodeJS.EventEmitter): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return gone.signal
}
