// Schedules: tasks at a time, or again and again. A schedule has a name of the tenant's own, so that putting it twice,
// because an answer got lost or a deployment ran again, is putting it once.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { TroupeError } from '../../../contract/errors.ts'
import { MAX_VALUE_BYTES } from '../../../contract/limits.ts'
import { LANES } from '../../../contract/task.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import type { ScheduleRow } from '../../schedules/schedule.ts'
import { submissionSchema } from '../../submissions.ts'
import { agentName, budgetSchema, callbackView, callbackViewSchema, errorSchema, timeSchema } from './task-view.ts'

const NAME = /^[a-z0-9][a-z0-9_-]{0,99}$/
const scheduleName = z.string().regex(NAME, 'must be 1 to 100 of a–z, 0–9, _ and -')
/** Anything may be asked for; what is not a name is simply not found. */
const scheduleParams = z.object({ schedule: z.string().max(100) })

const wantedSchema = submissionSchema
  .omit({ deadline: true })
  .extend({
    at: z.iso.datetime({ offset: true }).optional().describe('Once, at this moment.'),
    cron: z.string().max(200).optional().describe('Again and again: `minute hour day month weekday`, or `@daily`.'),
    timeZone: z.string().max(100).optional().describe('Of `cron`; default: UTC.'),
    overlap: z.enum(['allow', 'skip']).optional().describe('`skip`: not while its task before has not ended.'),
  })
  .refine(({ at, cron }) => (at === undefined) !== (cron === undefined), 'needs either `at` or `cron`')
  .refine(({ cron, timeZone }) => timeZone === undefined || cron !== undefined, '`timeZone` belongs to `cron`')
  .meta({ id: 'NewSchedule' })

const scheduleSchema = z
  .object({
    name: z.string(),
    agent: agentName,
    agentVersion: z.string().optional(),
    input: z.unknown().optional().describe('Left out of lists.'),
    priority: z.enum(LANES).optional(),
    budget: budgetSchema.optional(),
    metadata: z.record(z.string(), z.string()).optional(),
    labels: z.record(z.string(), z.string()).optional(),
    callbacks: z.array(callbackViewSchema).optional(),
    at: timeSchema.optional(),
    cron: z.string().optional(),
    timeZone: z.string().optional(),
    overlap: z.enum(['allow', 'skip']),
    createdAt: timeSchema,
    nextAt: timeSchema.optional().describe('Absent: it will not fire again; it is kept for a week.'),
    last: z
      .object({
        at: timeSchema.describe('When it was due.'),
        task: z.string().optional(),
        skipped: z.literal(true).optional().describe('Its task before, named here, had not ended.'),
        error: errorSchema.optional().describe('Why no task could be submitted.'),
      })
      .optional(),
    links: z.object({ self: z.string(), task: z.string().optional() }),
  })
  .meta({ id: 'Schedule' })

export function schedulesDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { callbacks, schedules, cursors, screening } = context

  return async (app) => {
    app.put(
      '/v1/schedules/:schedule',
      {
        config: { role: 'submitter', audit: 'schedule.put' },
        bodyLimit: MAX_VALUE_BYTES + 64 * 1024,
        schema: {
          tags: ['schedules'],
          summary: 'Make a schedule, or put another in its place',
          params: z.object({ schedule: scheduleName }),
          body: wantedSchema,
          response: {
            200: scheduleSchema.describe('It took the place of an earlier one.'),
            201: scheduleSchema,
            ...problems(
              'invalid_input',
              'unknown_agent',
              'value_too_large',
              'input_refused',
              'address_refused',
              'limit_exceeded',
              'unsupported_media_type',
            ),
          },
        },
      },
      async (request, reply) => {
        const { tenant, subject } = principalOf(request)
        const { schedule: name } = request.params
        const { at, cron, timeZone = 'UTC', overlap = 'allow', budget, callback, ...submission } = request.body
        const told = callback === undefined ? undefined : [await callbacks.own(tenant, callback)]
        request.auditTarget = name
        const { schedule, created } = await schedules.put({
          tenant,
          name,
          request: defined({
            ...submission,
            callbacks: told,
            budget: budget && defined(budget),
          }) as ScheduleRow['request'],
          when: cron === undefined ? { at: Date.parse(at!) } : { cron, timeZone },
          overlap,
          createdBy: subject,
        })
        return reply
          .code(created ? 201 : 200)
          .header('location', pathOf(name))
          .send(scheduleView(schedule))
      },
    )

    app.get(
      '/v1/schedules',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['schedules'],
          summary: 'List schedules by name',
          querystring: z.object({
            cursor: z.string().max(2_000).optional(),
            limit: z.coerce.number().int().min(1).max(500).default(50),
          }),
          response: {
            200: z.object({ schedules: z.array(scheduleSchema), nextCursor: z.string().optional() }),
            ...problems(),
          },
        },
      },
      async (request) => {
        const { tenant } = principalOf(request)
        const { cursor, limit } = request.query
        const after = cursor === undefined ? {} : { after: cursors.open(tenant, 'schedules', cursor) }
        const rows = await schedules.list(tenant, { ...after, limit })
        const last = rows.length === limit ? rows.at(-1) : undefined
        const next = last === undefined ? {} : { nextCursor: cursors.seal(tenant, 'schedules', last.name) }
        return { schedules: rows.map((row) => ({ ...scheduleView(row), input: undefined })), ...next }
      },
    )

    app.get(
      '/v1/schedules/:schedule',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['schedules'],
          summary: 'Read a schedule, and what came of its last time',
          params: scheduleParams,
          response: { 200: scheduleSchema, ...problems('not_found') },
        },
      },
      async (request) => {
        const reader = principalOf(request)
        const view = scheduleView(await schedules.get(reader.tenant, knownForm(request.params.schedule)))
        if (!screening.masksFor(reader)) return view
        const { input, metadata } = view
        return { ...view, ...screening.output(reader, metadata === undefined ? { input } : { input, metadata }) }
      },
    )

    app.delete(
      '/v1/schedules/:schedule',
      {
        config: { role: 'submitter', audit: 'schedule.remove' },
        schema: {
          tags: ['schedules'],
          summary: 'Remove a schedule; tasks that it submitted go on',
          params: scheduleParams,
          response: { 204: z.undefined(), ...problems('not_found') },
        },
      },
      async (request, reply) => {
        const name = knownForm(request.params.schedule)
        request.auditTarget = name
        await schedules.remove(principalOf(request).tenant, name)
        return reply.code(204).send()
      },
    )
  }
}

function knownForm(name: string): string {
  if (NAME.test(name)) return name
  throw new TroupeError('not_found', `There is no schedule ${name}.`)
}

function scheduleView({ name, request, when, overlap, createdAt, nextAt, last }: ScheduleRow) {
  const { callbacks, ...shown } = request
  return {
    name,
    ...shown,
    ...(callbacks === undefined ? {} : { callbacks: callbacks.map(callbackView) }),
    ...('at' in when ? { at: time(when.at) } : when),
    overlap,
    createdAt: time(createdAt),
    ...(nextAt === undefined ? {} : { nextAt: time(nextAt) }),
    ...(last === undefined ? {} : { last: { ...last, at: time(last.at) } }),
    links: { self: pathOf(name), ...(last?.task === undefined ? {} : { task: `/v1/tasks/${last.task}` }) },
  }
}

function pathOf(name: string): string {
  return `/v1/schedules/${name}`
}

function time(ms: number): string {
  return new Date(ms).toISOString()
}

/** As it will be read back from the store: what was left out is not there. */
function defined<Fields extends object>(fields: Fields): Partial<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<Fields>
}
