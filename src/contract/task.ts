// A task is one piece of work for one agent, owned by a tenant. It ends exactly once (P5).
import type { Callback } from './callbacks.ts'
import type { ErrorRecord } from './errors.ts'

export type TaskState =
  /** Accepted; wants a host. */
  | 'queued'
  /** A host owns it and steps of it run. */
  | 'running'
  /** Asleep: for a timer, a child, a message or a restart. `waitingFor` says which. */
  | 'waiting'
  /** Asleep until a person answers. */
  | 'input-required'
  | EndState

export type EndState = 'completed' | 'failed' | 'cancelled' | 'rejected'

export const END_STATES: readonly EndState[] = ['completed', 'failed', 'cancelled', 'rejected']

export const TASK_STATES: readonly TaskState[] = ['queued', 'running', 'waiting', 'input-required', ...END_STATES]

export function hasEnded(state: TaskState): state is EndState {
  return state === 'completed' || state === 'failed' || state === 'cancelled' || state === 'rejected'
}

/** Lanes: offers of a lower number are taken first, without starving the others. */
export const LANES = ['high', 'normal', 'low'] as const
export type Priority = (typeof LANES)[number]

export interface Usage {
  inputTokens: number
  outputTokens: number
  /** In millionths of the configured currency, so that sums stay exact. */
  costMicros: number
}

/** What a task may spend before it fails with `budget_exceeded`. */
export interface Budget {
  costMicros?: number
  tokens?: number
}

export interface WaitingFor {
  kind: 'timer' | 'child' | 'person' | 'message' | 'restart' | 'host'
  /** The timer's, child's or state's name, for a person to read. */
  detail?: string
  /** Of a person: the messages that go on with the task. */
  messages?: string[]
  until?: number
}

/** Everything the outside may know of a task. Times are milliseconds of the journal's clock. */
export interface Task {
  id: string
  tenant: string
  agent: string
  agentVersion: string
  state: TaskState
  priority: Priority
  input: unknown
  output?: unknown
  error?: ErrorRecord
  waitingFor?: WaitingFor
  parent?: { taskId: string; stepId: string }
  deadline?: number
  budget?: Budget
  usage?: Usage
  metadata?: Record<string, string>
  /** What it can be found by. */
  labels?: Record<string, string>
  callbacks?: Callback[]
  /** W3C traceparent of the span that accepted the task. */
  traceparent?: string
  createdAt: number
  startedAt?: number
  updatedAt: number
  endedAt?: number
  /** The number of the last event in its log. */
  lastEvent: number
}
