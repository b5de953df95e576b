// What a caller hands over, checked and turned into columns before any store sees it (P9): sizes are refused here, and
// values too large for a row have left for the blob store when prepare returns. Used by both adapters.
import { TroupeError } from '../contract/errors.ts'
import type { EventBody } from '../contract/events.ts'
import { MAX_MESSAGE_BYTES, MAX_TIMER_MS, MAX_VALUE_BYTES } from '../contract/limits.ts'
import { encodeAttached } from './attached.ts'
import type { BlobStore } from './blobs.ts'
import type { ActorCommit, NewMessage, NewTask } from './journal.ts'
import { type Column, encodeValue, isLarge, spill } from './values.ts'

export interface PreparedTask {
  task: NewTask
  input: Column
  budget: Column | null
  /** With what else is attached (attached.ts). */
  metadata: Column | null
}

export interface PreparedMessage {
  message: NewMessage
  body: Column
}

export interface PreparedCommit {
  commit: ActorCommit
  /** A JSON array, or `undefined` without events. */
  events: Column | undefined
  snapshot: Column | undefined
  output: Column | undefined
  error: Column | undefined
  usage: Column | undefined
  waitingFor: Column | undefined
  steps: { id: string; outcome: Column }[]
  messages: PreparedMessage[]
  children: PreparedTask[]
}

const NOTHING: never[] = []

export function prepareTask(task: NewTask): PreparedTask {
  for (const name of [task.id, task.tenant, task.agent, task.agentVersion]) checkName(name)
  if (task.idempotencyKey !== undefined) checkName(task.idempotencyKey)
  if (task.traceparent !== undefined) checkName(task.traceparent)
  if (task.parent !== undefined) checkName(task.parent.stepId)
  return {
    task,
    input: encodeValue(task.input, 'the input'),
    budget: task.budget === undefined ? null : encodeValue(task.budget, 'the budget', MAX_MESSAGE_BYTES),
    metadata: encodeAttached(task),
  }
}

export function prepareMessage(message: NewMessage): PreparedMessage {
  checkName(message.id)
  checkName(message.to)
  checkName(message.from)
  // A child's reply carries its output, which may be as large as any value; all else is a message.
  const limit = message.body.kind === 'reply' ? MAX_VALUE_BYTES + MAX_MESSAGE_BYTES : MAX_MESSAGE_BYTES
  return { message, body: encodeValue(message.body, `the message ${message.id}`, limit) }
}

export function prepareCommit(commit: ActorCommit): PreparedCommit {
  const { steps, timersSet } = commit
  if (timersSet !== undefined) for (const timer of timersSet) checkTimer(timer)
  return {
    commit,
    events: encodeEvents(commit.events),
    snapshot: optional(commit.snapshot, 'the snapshot'),
    output: optional(commit.output, 'the output'),
    error: optional(commit.error, 'the error'),
    usage: optional(commit.usage, 'the usage'),
    waitingFor: optional(commit.waitingFor, 'what the task waits for'),
    steps:
      steps === undefined
        ? NOTHING
        : Object.keys(steps).map((id) => ({
            id: checkName(id),
            outcome: encodeValue(steps[id], `the result of step ${id}`),
          })),
    messages: commit.messages === undefined ? NOTHING : commit.messages.map(prepareMessage),
    children: commit.children === undefined ? NOTHING : commit.children.map(prepareTask),
  }
}

/** Undefined when nothing is large, so that the common case stays synchronous. */
export function spillTask(prepared: PreparedTask, blobs: BlobStore): Promise<void> | undefined {
  if (!isLarge(prepared.input)) return undefined
  return spill(prepared.input, blobs).then((column) => {
    prepared.input = column
  })
}

export function spillMessage(prepared: PreparedMessage, blobs: BlobStore): Promise<void> | undefined {
  // Messages stay in their row up to the message limit, so that only large replies pay for a blob.
  if (prepared.body.length * 3 <= MAX_MESSAGE_BYTES || Buffer.byteLength(prepared.body) <= MAX_MESSAGE_BYTES) {
    return undefined
  }
  return spill(prepared.body, blobs).then((column) => {
    prepared.body = column
  })
}

export function spillCommit(prepared: PreparedCommit, blobs: BlobStore): Promise<void> | undefined {
  const moves: Promise<void>[] = []
  for (const field of ['snapshot', 'output', 'error'] as const) {
    const column = prepared[field]
    if (!isLarge(column)) continue
    moves.push(
      spill(column, blobs).then((reference) => {
        prepared[field] = reference
      }),
    )
  }
  for (const step of prepared.steps) {
    if (!isLarge(step.outcome)) continue
    moves.push(
      spill(step.outcome, blobs).then((reference) => {
        step.outcome = reference
      }),
    )
  }
  for (const message of prepared.messages) pushDefined(moves, spillMessage(message, blobs))
  for (const child of prepared.children) pushDefined(moves, spillTask(child, blobs))
  return moves.length === 0 ? undefined : Promise.all(moves).then(() => undefined)
}

function pushDefined(moves: Promise<void>[], move: Promise<void> | undefined): void {
  if (move !== undefined) moves.push(move)
}

function optional(value: unknown, what: string): Column | undefined {
  return value === undefined ? undefined : encodeValue(value, what)
}

/** One log row holds all events of a commit; the limit is on the single event, and on the row as on any value. */
export function encodeEvents(events: readonly EventBody[]): Column | undefined {
  if (events.length === 0) return undefined
  const text = encodeValue(events, 'the events of one commit')
  if (text.length * 3 > MAX_MESSAGE_BYTES) {
    for (const event of events) encodeValue(event, `the event ${event.type}`, MAX_MESSAGE_BYTES)
  }
  return text
}

/** Postgres cannot hold a NUL in a key, and half a character is read back as another; both adapters refuse both. */
function checkName(name: string): string {
  if (name.includes('\0')) throw new TroupeError('invalid_input', `${JSON.stringify(name)} contains a NUL character`)
  if (!name.isWellFormed()) throw new TroupeError('invalid_input', `${JSON.stringify(name)} contains half a character`)
  return name
}

/** A timer that can never come is refused, not kept: whoever waits for it would wait for ever (P5). */
function checkTimer({ id, inMs }: { id: string; inMs: number }): void {
  checkName(id)
  if (typeof inMs === 'number' && inMs <= MAX_TIMER_MS) return
  throw new TroupeError(
    'invalid_input',
    `the timer ${JSON.stringify(id)} is to be due in ${inMs} ms: a number up to ${MAX_TIMER_MS} is wanted`,
  )
}
