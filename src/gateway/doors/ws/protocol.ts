// What is said over the WebSocket, in JSON text frames. docs/guides/api.md shows a conversation.
import { z } from 'zod'
import { PLATFORM_STREAMS, type PlatformEvent, type PlatformEventType } from '../../../contract/events.ts'
import type { EndState } from '../../../contract/task.ts'
import type { Problem } from '../../problem.ts'
import { submissionSchema } from '../../submissions.ts'
import { idempotencyKey } from '../rest/preferences.ts'
import type { EventView, TaskView } from '../rest/task-view.ts'

const number = z.int().min(0)
const streamName = z.enum(Object.keys(PLATFORM_STREAMS) as [PlatformEventType, ...PlatformEventType[]])

/** `after` is exclusive: the number of the last event that was seen. */
export const requestSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('follow'), task: z.string().max(100), after: number.default(0) }),
  z.strictObject({ type: z.literal('unfollow'), task: z.string().max(100) }),
  z.strictObject({
    type: z.literal('follow-stream'),
    stream: streamName,
    after: number.optional().describe('Absent: only what happens from now on.'),
  }),
  z.strictObject({ type: z.literal('unfollow-stream'), stream: streamName }),
  z.strictObject({
    type: z.literal('submit'),
    request: z.string().max(100).describe('The caller’s own name for it; comes back with the answer.'),
    submission: submissionSchema,
    idempotencyKey,
    traceparent: z.string().max(100).optional(),
    watch: z.enum(['end', 'result']).optional().describe('Tell when it has ended; `result`: with the whole task.'),
  }),
  z.strictObject({ type: z.literal('ping') }),
])

export type StreamRequest = z.output<typeof requestSchema>
export type SubmitMessage = Extract<StreamRequest, { type: 'submit' }>

/** Where a reader that comes back goes on: give each number as `after`. */
export interface Resume {
  tasks: Record<string, number>
  streams: Partial<Record<PlatformEventType, number>>
}

export type StreamMessage =
  | { type: 'following'; task: string; after: number }
  | { type: 'event'; event: EventView }
  | { type: 'ended'; task: string; after: number }
  /** P1: it is on disk. `created: false`: the idempotency key had been used. */
  | { type: 'submitted'; request: string; task: string; created: boolean }
  /** Of a submission with `watch`. */
  | { type: 'ended'; task: string; state: EndState; result?: TaskView }
  | { type: 'following-stream'; stream: PlatformEventType }
  | { type: 'platform-event'; stream: PlatformEventType; sequence: number; event: PlatformEvent }
  | { type: 'error'; about: { task?: string; stream?: string; request?: string }; problem: Problem }
  | { type: 'pong' }
  /** The last message of a connection that the gateway ends. */
  | { type: 'draining' | 'revoked' | 'dropped'; resume: Resume }

export const CLOSE_CODES = { draining: 1001, revoked: 1008, dropped: 1013, misuse: 1008 } as const
