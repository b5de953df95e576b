// What the platform's event streams tell. The types below bind whoever makes an event; the schemas are in the OpenAPI
// document and in what GET /v1/events lists. They may gain fields; none goes away or changes its meaning.
import { z } from 'zod'
import type { ErrorCode } from '../contract/errors.ts'
import { PLATFORM_STREAMS, type PlatformEvent, type PlatformEventType } from '../contract/events.ts'
import { newId } from '../contract/ids.ts'

const count = z.int().min(0)
const milliseconds = z.number().min(0)
const name = z.string().max(300)

export const PLATFORM_DATA = {
  document_uploaded: z.object({
    document: name,
    name: z.string(),
    mime: z.string(),
    bytes: count,
    sha256: z.string(),
  }),
  document_processed: z
    .object({
      document: name.describe('Named by the input of the task, or put into the collection.'),
      state: z.enum(['completed', 'failed', 'cancelled', 'rejected']),
      ms: milliseconds.describe('From accepted to ended.'),
      task: name.optional(),
      agent: name.optional(),
      collection: name.optional(),
      error: z.string().optional().describe('The code of what it failed with.'),
    })
    .describe('A task whose input names documents has ended, or a document has been made searchable.'),
  agent_status: z
    .object({ agent: name, state: z.enum(['resting', 'serving']), host: name })
    .describe('An agent whose tasks crash again and again rests on a host; later it serves again.'),
  performance_metric: z
    .object({
      host: name,
      agent: name,
      windowMs: count.describe('The time that is summed up.'),
      completed: count,
      failed: count,
      cancelled: count,
      rejected: count,
      ms: z
        .object({ p50: milliseconds, p95: milliseconds, max: milliseconds })
        .describe('From accepted to ended; percentiles of at most 512 tasks, spread over the window.'),
    })
    .describe('What one host ended for one agent; nothing when it ended nothing.'),
  system_alert: z
    .object({
      severity: z.enum(['warning', 'critical']),
      code: z.string().describe('An error code of /errors.'),
      about: z.string().max(300),
      message: z.string().max(2_000),
      host: name.describe('Who has the trouble.'),
      repeated: count.describe('How often the same was not told since the last time: it is told once a minute.'),
    })
    .describe('Trouble that no task’s caller is told of.'),
} satisfies Record<PlatformEventType, z.ZodType>

export type PlatformData<Type extends PlatformEventType> = z.output<(typeof PLATFORM_DATA)[Type]>

/** An event to publish. */
export function platformEvent<Type extends PlatformEventType>(
  type: Type,
  data: PlatformData<Type>,
  { tenant, at = Date.now() }: { tenant?: string; at?: number } = {},
): PlatformEvent {
  return { id: newId('evt'), type, at, data, ...(tenant === undefined ? {} : { tenant }) }
}

export const STREAM_NAMES = Object.keys(PLATFORM_STREAMS) as [PlatformEventType, ...PlatformEventType[]]

const of = <Type extends PlatformEventType>(type: Type) =>
  z.object({
    id: z.string(),
    type: z.literal(type),
    tenant: z.string().optional().describe('Absent: it belongs to the platform.'),
    at: z.number().describe('Milliseconds since 1970, in UTC.'),
    data: PLATFORM_DATA[type],
  })

export const platformEventSchema = z.discriminatedUnion('type', [
  of('document_uploaded'),
  of('document_processed'),
  of('agent_status'),
  of('system_alert'),
  of('performance_metric'),
])

const CRITICAL = new Set<ErrorCode>([
  'journal_unavailable',
  'journal_corrupt',
  'bus_unavailable',
  'internal',
  'task_poisoned',
])
export const severityOf = (code: ErrorCode) => (CRITICAL.has(code) ? 'critical' : 'warning')
