// What an actor is between two commits, as JSON: the snapshot in the journal. Whatever is not here does not survive.
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from 'xstate'
import { type ErrorRecord, TroupeError } from '../contract/errors.ts'
import { encodeValue } from '../journal/values.ts'

export interface ActorState {
  /** xstate's part; absent for a handler agent. */
  machine?: { value: unknown; context: unknown; history?: Record<string, string[]> }
  /** The version that migrated it; absent: the one that the task was accepted for. */
  version?: string
  /** What is under way, by id: local steps and asked children. */
  steps: Record<string, RunningStep>
  /** Events that durable timers will raise, by timer id, and the delay they were set with. */
  timers: Record<string, { event: { type: string; [key: string]: unknown }; inMs: number }>
  /** How often an id was started: a re-entered state is a new step with a new key. */
  invocations: Record<string, number>
  /** Moments of the crashes that still count against the restart budget. */
  crashes: number[]
  /** The task ended, though not well: its children were cancelled and its timers cleared. A retry begins them anew. */
  ended?: true
  /** A handler's messages that no `wait` asked for yet, and its waits by id: the type each waits for. */
  inbox?: { type: string; [key: string]: unknown }[]
  waits?: Record<string, string>
}

export type RunningStep = LocalStep | AskedChild

export interface LocalStep {
  kind: 'step'
  src: string
  input?: unknown
  invocation: number
  attempt: number
  /** Between two tries: a durable timer brings the next one. */
  resting?: true
}

export interface AskedChild {
  kind: 'ask'
  src: string
  agent: string
  version?: string
  childId: string
  /** For a retry, which asks again. */
  input?: unknown
  invocation: number
  /** It ended so, and the handler that asked has not gone on after it: a retry of the task asks again. */
  failed?: ErrorRecord
}

export function emptyState(): ActorState {
  return { steps: {}, timers: {}, invocations: {}, crashes: [] }
}

const EMPTY = Object.keys(emptyState()).length

/** Nothing is under way and nothing has happened that counts: how most handlers are from their first turn to their last. */
export function isEmptyState(state: ActorState): boolean {
  const { steps, timers, invocations, crashes } = state
  // An optional part that is there counts as something.
  if (Object.keys(state).length > EMPTY || crashes.length > 0) return false
  return isEmptyRecord(steps) && isEmptyRecord(timers) && isEmptyRecord(invocations)
}

const EMPTY_TEXT = JSON.stringify(emptyState())

/** As text, to see whether it has changed; refused when it is no JSON, as the journal would refuse it. */
export function encodeState(state: ActorState): string {
  return isEmptyState(state) ? EMPTY_TEXT : encodeValue(state, 'the state')
}

function isEmptyRecord(record: object): boolean {
  for (const _ in record) return false
  return true
}

export function machinePart(snapshot: AnyMachineSnapshot): NonNullable<ActorState['machine']> {
  const part: NonNullable<ActorState['machine']> = { value: snapshot.value, context: snapshot.context }
  const history = Object.entries(snapshot.historyValue as Record<string, AnyStateNode[]>)
  if (history.length > 0) part.history = Object.fromEntries(history.map(([id, nodes]) => [id, nodes.map((n) => n.id)]))
  return part
}

/** The inverse of machinePart; the steps under way become the snapshot's children, so that leaving a state stops them. */
export function restoreSnapshot(agent: string, machine: AnyStateMachine, state: ActorState): AnyMachineSnapshot {
  const part = state.machine!
  try {
    const historyValue = Object.fromEntries(
      Object.entries(part.history ?? {}).map(([id, nodes]) => [
        id,
        nodes.map((node) => machine.getStateNodeById(node)),
      ]),
    )
    const snapshot = machine.resolveState({
      value: part.value as never,
      context: part.context as never,
      status: 'active',
      historyValue: historyValue as never,
    })
    // xstate only reads the id of a child that it did not start itself.
    for (const id of Object.keys(state.steps)) snapshot.children[id] = { id } as never
    return snapshot
  } catch (error) {
    throw new TroupeError(
      'snapshot_incompatible',
      `The machine of ${agent} has no state ${JSON.stringify(part.value)}, in which an earlier version left this task.`,
      { cause: error },
    )
  }
}
