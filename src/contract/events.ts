// What happened to a task, numbered 1, 2, 3 … without a gap (P6).
import type { ErrorRecord } from './errors.ts'
import type { WaitingFor } from './task.ts'

/** `type` and what belongs to it; the journal adds the number and the time. */
export type EventBody =
  | { type: 'task.accepted'; agent: string; version: string }
  | { type: 'task.started'; host: string }
  /** `release`: a host gave it back with work left. `takeover`: its host died. */
  | { type: 'task.resumed'; host: string; because: 'mail' | 'takeover' | 'restart' | 'retry' | 'release' }
  | { type: 'task.waiting'; for: WaitingFor }
  | { type: 'task.released'; host: string; because: 'drain' | 'sleep' }
  | { type: 'task.owner_lost'; host: string; deaths: number }
  | { type: 'task.crashed'; error: ErrorRecord; crashes: number; restartInMs: number }
  | { type: 'task.retried' }
  | { type: 'task.cancel_requested'; reason?: string }
  | { type: 'task.completed' }
  | { type: 'task.failed'; error: ErrorRecord }
  | { type: 'task.cancelled'; reason?: string }
  | { type: 'task.rejected'; error: ErrorRecord }
  /** The machine is in another state: xstate's state value. */
  | { type: 'state.entered'; state: unknown }
  | { type: 'step.started'; step: string; src: string; invocation: number }
  | { type: 'step.completed'; step: string; ms: number }
  | { type: 'step.failed'; step: string; error: ErrorRecord; attempt: number }
  | { type: 'step.retrying'; step: string; attempt: number; inMs: number; error: ErrorRecord }
  | { type: 'step.stopped'; step: string }
  | { type: 'child.asked'; step: string; task: string; agent: string }
  | { type: 'child.ended'; step: string; task: string; state: string }
  | { type: 'message.received'; from: string; name: string }
  | { type: 'message.sent'; to: string; name: string }
  | { type: 'timer.fired'; timer: string }
  /** What an agent's code reports: progress between 0 and 1, text, tokens, anything small. */
  | { type: 'progress'; step?: string; fraction?: number; message?: string; data?: unknown }
  | { type: 'tokens'; step?: string; text: string }
  | { type: 'emitted'; event: { type: string; [key: string]: unknown } }

export type EventType = EventBody['type']

export interface TaskEvent {
  task: string
  number: number
  at: number
  body: EventBody
}

/** The event streams of the platform, kept by the bus for a while (DESIGN §5). Days of retention beside each. */
export const PLATFORM_STREAMS = {
  document_uploaded: 30,
  document_processed: 90,
  agent_status: 7,
  system_alert: 365,
  performance_metric: 30,
} as const
export type PlatformEventType = keyof typeof PLATFORM_STREAMS

export interface PlatformEvent {
  id: string
  type: PlatformEventType
  tenant?: string
  at: number
  data: Record<string, unknown>
}
