// Many tasks in one request: submit them, or cancel what a filter finds.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { WEBHOOK_AGENT } from '../../../contract/callbacks.ts'
import { TroupeError } from '../../../contract/errors.ts'
import { MAX_PAGE, MAX_VALUE_BYTES } from '../../../contract/limits.ts'
import { hasEnded, type Task } from '../../../contract/task.ts'
import { toCursor } from '../../../journal/cursor.ts'
import type { GatewayContext } from '../../parts.ts'
import { codedError, problemOf, problemSchema, problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import { createSubmissions, submissionSchema } from '../../submissions.ts'
import { idempotencyKey } from './preferences.ts'
import { agentName, labelFilter, taskSchema, taskStateSchema, taskView } from './task-view.ts'

/** Tasks of one batch; tasks that one request cancels. */
const MOST = 1_000
/** Tasks that a dry run counts. */
const MOST_COUNTED = 10_000

const batchSchema = z
  .strictObject({
    tasks: z.array(submissionSchema.extend({ idempotencyKey })).min(1).max(MOST),
  })
  .meta({ id: 'Batch' })

const outcomeSchema = z
  .object({
    status: z.int().describe('What POST /v1/tasks would have answered.'),
    task: taskSchema.optional(),
    replayed: z.literal(true).optional().describe('An earlier task, under the same idempotency key.'),
    problem: problemSchema.optional(),
  })
  .meta({ id: 'BatchOutcome' })

const cancelSchema = z
  .strictObject({
    labels: z.array(labelFilter).min(1).max(8).optional().describe('All of them, as `key:value`.'),
    agent: agentName.optional(),
    state: z.array(taskStateSchema).min(1).optional().describe('Default: every state that is not an end.'),
    before: z.iso.datetime({ offset: true }).optional().describe('Accepted before this moment.'),
    reason: z.string().max(1_000).optional(),
    dryRun: z.boolean().optional().describe('Only says how many, up to 10,000.'),
    cursor: z.string().max(2_000).optional(),
  })
  .refine(
    ({ labels, agent, state, before }) => (labels ?? agent ?? state ?? before) !== undefined,
    'needs labels, agent, state or before',
  )
  .meta({ id: 'CancelMany' })

export function batchesDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { desk, audit, cursors } = context
  const submissions = createSubmissions(context)

  return async (app) => {
    app.post(
      '/v1/tasks/batch',
      {
        config: { role: 'submitter', audit: 'task.batch' },
        bodyLimit: MAX_VALUE_BYTES + 64 * 1024,
        schema: {
          tags: ['tasks'],
          summary: 'Submit up to 1,000 tasks; each has an outcome of its own',
          headers: z.object({ traceparent: z.string().optional() }),
          body: batchSchema,
          response: {
            200: z.object({ outcomes: z.array(outcomeSchema).describe('In the order of the tasks.') }),
            ...problems('value_too_large', 'unsupported_media_type', 'overloaded'),
          },
        },
      },
      async (request) => {
        const { tenant, subject } = principalOf(request)
        const { traceparent } = request.headers
        const entry = { tenant, subject, action: 'task.submit', requestId: request.id }

        // One after the other: each counts against the quota of the next.
        const admitted: PromiseSettledResult<string | undefined>[] = []
        for (const item of request.body.tasks) {
          admitted.push(...(await Promise.allSettled([submissions.admit(tenant, item, bytesOf(item.input))])))
        }
        // In one turn of the event loop, so that what is accepted together is one commit.
        const outcomes = await Promise.all(
          request.body.tasks.map(async ({ idempotencyKey: key, ...submission }, place) => {
            try {
              const admission = admitted[place]!
              if (admission.status === 'rejected') throw admission.reason
              const more = { idempotencyKey: key, traceparent }
              const { task, created } = await submissions.hand(tenant, submission, more, desk.submit)
              const detail = admission.value === undefined ? {} : { detail: { screening: admission.value } }
              audit.record({ ...entry, at: Date.now(), target: task.id, status: 202, ...detail })
              const shown = { status: 202, task: taskView(task, { input: false, output: false }) }
              return created ? shown : { ...shown, replayed: true as const }
            } catch (thrown) {
              const error = codedError(thrown)
              return { status: error.status, problem: problemOf(error, request.id) }
            }
          }),
        )
        const accepted = outcomes.filter(({ status }) => status === 202).length
        request.auditDetail = { accepted, refused: outcomes.length - accepted }
        return { outcomes }
      },
    )

    app.post(
      '/v1/tasks/cancel',
      {
        config: { role: 'submitter', audit: 'task.cancel_many' },
        schema: {
          tags: ['tasks'],
          summary: 'Cancel the tasks that a filter finds, up to 1,000 at a time',
          body: cancelSchema,
          response: {
            200: z.object({
              matched: z.int(),
              cancelled: z.int().describe('Asked to stop; what ended meanwhile is not among them.'),
              nextCursor: z.string().optional().describe('There are more: the same request goes on with it.'),
            }),
            ...problems('unsupported_media_type', 'value_too_large', 'overloaded'),
          },
        },
      },
      async (request) => {
        const { tenant } = principalOf(request)
        const { labels, agent, state, before, reason, dryRun = false, cursor } = request.body
        const states = state ?? taskStateSchema.options.filter((state) => !hasEnded(state))
        if (states.some(hasEnded))
          throw new TroupeError('invalid_request', 'state: what has ended cannot be cancelled.')
        const query = JSON.stringify(['cancel', labels, agent, states, before])
        let from = cursor === undefined ? startingAt(before) : cursors.open(tenant, query, cursor)
        let [seen, matched, cancelled] = [0, 0, 0]
        const most = dryRun ? MOST_COUNTED : MOST
        while (seen < most) {
          const limit = Math.min(MAX_PAGE, most - seen)
          const page = await desk.list(tenant, {
            states,
            limit,
            ...(labels === undefined ? {} : { labels }),
            ...(agent === undefined ? {} : { agent }),
            ...(from === undefined ? {} : { cursor: from }),
          })
          // Who stops tasks does not mean the messages that tell of it.
          const found = page.tasks.filter((task) => agent !== undefined || task.agent !== WEBHOOK_AGENT.name)
          seen += page.tasks.length
          matched += found.length
          if (!dryRun) cancelled += await cancelAll(tenant, found, reason)
          from = page.nextCursor
          if (from === undefined) break
        }
        request.auditDetail = { matched, cancelled, filter: query.slice(0, 500) }
        return { matched, cancelled, ...(from === undefined ? {} : { nextCursor: cursors.seal(tenant, query, from) }) }
      },
    )

    /** In one turn of the event loop, and so in one commit. */
    async function cancelAll(tenant: string, tasks: Task[], reason: string | undefined): Promise<number> {
      const asked = await Promise.all(
        tasks.map(({ id }) =>
          desk.cancel(tenant, id, reason).then(
            () => true,
            (error: unknown) => {
              if (error instanceof TroupeError && error.code === 'wrong_state') return false
              throw error
            },
          ),
        ),
      )
      return asked.filter(Boolean).length
    }
  }
}

/** Lists go newest first: one that begins behind all ids of a moment holds what was accepted before it. */
function startingAt(before: string | undefined): string | undefined {
  return before === undefined ? undefined : toCursor({ createdAt: Date.parse(before), id: '0' })
}

function bytesOf(input: unknown): number {
  return Buffer.byteLength(JSON.stringify(input) ?? 'null')
}
