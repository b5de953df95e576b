// A submission on its way from a door to the desk, the same for every door: quota, screening, trace.
import { z } from 'zod'
import { CALLBACK_EVENTS, WEBHOOK_AGENT } from '../contract/callbacks.ts'
import { type Budget, LANES } from '../contract/task.ts'
import type { SubmitRequest } from '../desk/desk.ts'
import { agentName, budgetSchema } from './doors/rest/task-view.ts'
import type { GatewayContext } from './parts.ts'

const LABEL_KEY = /^(?!troupe\.)[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/
const MAX_LABELS = 16

const labelsSchema = z
  .record(
    z.string().regex(LABEL_KEY, 'must be 1 to 63 of letters, digits, . _ / - and not begin with troupe.'),
    z
      .string()
      .max(200)
      .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), 'holds what is not text'),
  )
  .refine((labels) => Object.keys(labels).length <= MAX_LABELS, `holds more than ${MAX_LABELS} labels`)

export const callbackSchema = z
  .strictObject({
    url: z.string().min(1).max(2_000).describe('https://…; a signed POST is sent there (Standard Webhooks).'),
    events: z.array(z.enum(CALLBACK_EVENTS)).min(1).max(CALLBACK_EVENTS.length).optional().describe('Default: all.'),
    secret: z.string().max(200).optional().describe('whsec_…; default: the tenant’s signing secret. Never shown.'),
  })
  .meta({ id: 'Callback', description: 'Who is told when the task ends or needs a person.' })

export const submissionSchema = z
  .strictObject({
    // Its news are signed in the tenant's name: nobody may write them by hand.
    agent: agentName
      .refine((name) => name !== WEBHOOK_AGENT.name, 'is asked by Troupe only')
      .describe('A name from GET /v1/agents.'),
    agentVersion: z.string().max(100).optional().describe('Absent: the newest one.'),
    input: z.unknown().describe('Must fit the agent’s input schema.'),
    priority: z.enum(LANES).optional(),
    deadline: z.iso.datetime({ offset: true }).optional().describe('The task fails when it has not ended by then.'),
    budget: budgetSchema.optional(),
    metadata: z
      .record(z.string().max(100), z.string().max(1_000))
      .refine((metadata) => Object.keys(metadata).length <= 50, 'holds more than 50 entries')
      .optional(),
    labels: labelsSchema.optional().describe('What it can be found by: `GET /v1/tasks?label=key:value`.'),
    callback: callbackSchema.optional(),
  })
  .meta({ id: 'Submission' })

export type Submission = z.output<typeof submissionSchema>

export interface Submissions {
  /** Throws when quota or policy refuse; gives the rules by which the policy only flags, for the audit trail. */
  admit(tenant: string, submission: Submission, bytes: number): Promise<string | undefined>
  /** Hands it to the desk, in a span of its own. */
  hand<Answer>(
    tenant: string,
    submission: Submission,
    more: { idempotencyKey?: string | undefined; traceparent?: string | undefined },
    submit: (request: SubmitRequest) => Promise<Answer>,
  ): Promise<Answer>
}

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}/

export function createSubmissions(context: GatewayContext): Submissions {
  const { callbacks, screening, quotas, metrics, telemetry } = context
  return {
    async admit(tenant, { agent, input }, bytes) {
      const checking = quotas.check(tenant)
      if (checking !== undefined) await checking
      const flagged = screening.input(agent, input, bytes)
      if (flagged === undefined) return undefined
      metrics.count('troupe_gateway_screened_total')
      return flagged.rules.join(',')
    },

    async hand(tenant, submission, { idempotencyKey, traceparent }, submit) {
      const wanted = requestOf(tenant, submission)
      const { callback } = submission
      const attached = callbacks.attach(tenant, callback === undefined ? [] : [await callbacks.own(tenant, callback)])
      const told = attached instanceof Promise ? await attached : attached
      if (told !== undefined) wanted.callbacks = told
      if (idempotencyKey !== undefined) wanted.idempotencyKey = idempotencyKey
      const parent = traceparent !== undefined && TRACEPARENT.test(traceparent) ? traceparent : undefined
      if (telemetry === undefined) return await submit(within(wanted, parent))
      const attributes = { 'troupe.tenant': tenant, 'gen_ai.agent.name': wanted.agent }
      return await telemetry.span('POST /v1/tasks', attributes, parent, (own) => submit(within(wanted, own)))
    },
  }
}

/** As the desk takes it: what was left out is not there. */
function requestOf(tenant: string, submission: Submission): SubmitRequest {
  const { agent, agentVersion, input, priority, deadline, budget, metadata, labels } = submission
  const wanted: SubmitRequest = { tenant, agent, input }
  if (agentVersion !== undefined) wanted.agentVersion = agentVersion
  if (priority !== undefined) wanted.priority = priority
  if (deadline !== undefined) wanted.deadline = Date.parse(deadline)
  if (budget !== undefined) wanted.budget = budgetOf(budget)
  if (metadata !== undefined) wanted.metadata = metadata
  if (labels !== undefined) wanted.labels = labels
  return wanted
}

function within(wanted: SubmitRequest, traceparent: string | undefined): SubmitRequest {
  return traceparent === undefined ? wanted : { ...wanted, traceparent }
}

function budgetOf({ costMicros, tokens }: z.output<typeof budgetSchema>): Budget {
  return { ...(costMicros === undefined ? {} : { costMicros }), ...(tokens === undefined ? {} : { tokens }) }
}
