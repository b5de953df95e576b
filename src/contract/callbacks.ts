// Who is told when a task ends or needs a person. A task carries its callbacks from its submission on; each piece of news
// becomes a task of the agent `webhook`, accepted in the commit that makes the news, so that no crash can lose it.
import type { TaskState } from './task.ts'

export const CALLBACK_EVENTS = [
  'task.completed',
  'task.failed',
  'task.cancelled',
  'task.rejected',
  'task.input_required',
] as const
export type CallbackEvent = (typeof CALLBACK_EVENTS)[number]

export type Callback = {
  /** Absent: all. */
  events?: CallbackEvent[]
} & (
  | {
      url: string
      /** What its messages are signed with, sealed: only who delivers them can read it. */
      secret: string
    }
  /** The id of a webhook that the tenant keeps; its address and secret are looked up when it is called. */
  | { webhook: string }
)

/** Webhooks that a tenant may have. */
export const MAX_WEBHOOKS = 20

/** Between the attempts of a delivery: ten in about 27 hours, so a receiver may be away over night. */
export const DELIVERY_PAUSES_SECONDS = [5, 30, 120, 600, 1_800, 7_200, 14_400, 28_800, 43_200]

/** What a delivery sleeps in: its name tells whoever sees it wait how many attempts were made. */
export function pauseAfter(attempts: number): string {
  return `pause-${attempts}`
}

export function attemptsBefore(pause: string | undefined): number | undefined {
  const [, attempts] = /^pause-(\d+)$/.exec(pause ?? '') ?? []
  return attempts === undefined ? undefined : Number(attempts)
}

/** The agent that delivers. */
export const WEBHOOK_AGENT = { name: 'webhook', version: '1.0.0' } as const
/** Of a delivery: the task that it tells of. */
export const DELIVERY_LABEL = 'troupe.delivery-of'

export function callbackEventOf(state: TaskState): CallbackEvent | undefined {
  const name = `task.${state.replace('-', '_')}`
  return CALLBACK_EVENTS.find((event) => event === name)
}
