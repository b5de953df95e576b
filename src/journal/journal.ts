// The journal: the one source of truth. Tasks, events, snapshots, mailboxes, timers, leases.
//   journal.ts    this file: the port; every verb is one commit or one read
//   attached.ts   what a submitter attaches to a task: metadata, labels, callbacks
//   notices.ts    the tasks that tell a task's callbacks of its news
//   blobs.ts      the port of the blob store, for what is too large for a row
//   sqlite/       the adapter for one machine without servers
//   postgres/     the adapter for many hosts
//
// Promises kept here: P1 (accept returns after the fsync), P2 (commits carry an epoch; an old one is refused),
// P3 (a step's outcome is recorded once), P4 (mail has positions, each message id is stored once), P6 (event numbers
// have no gaps). Both adapters gather the calls of one moment into one transaction (group commit); a caller sees
// only its own promise. Time is the store's clock, never a host's.
import type { Callback } from '../contract/callbacks.ts'
import type { ErrorRecord } from '../contract/errors.ts'
import type { EventBody, TaskEvent } from '../contract/events.ts'
import type { Budget, Priority, Task, TaskState, Usage, WaitingFor } from '../contract/task.ts'

export interface Journal {
  /** Calls made in one turn of the event loop are applied in the order they were made, in one transaction. */
  readonly inOrder: boolean

  /** P1. With an idempotency key that the tenant used before: the earlier task, or `idempotency_conflict`. */
  accept(task: NewTask): Promise<Accepted>

  /** What a host needs to run a task: the row, unread mail in order, recorded steps. Calls of one moment are one query. */
  load(taskId: string): Promise<LoadedTask | undefined>

  /** P2. One actor's commit. Refused unless it was made from what is there now; then nothing of it is applied. */
  commit(commit: ActorCommit): Promise<CommitOutcome>

  /** P4. Puts a message into a mailbox. The same id again is a duplicate and changes nothing. */
  deliver(message: NewMessage): Promise<Delivery>

  /** Turns due timers into mail, in one commit. */
  fireTimers(limit: number): Promise<{ woken: Wake[]; nextDueInMs: number | undefined }>

  /** Renews (or begins) a host's lease. `held: false`: it had ended, the host must stop its actors (self-fencing). */
  keepLease(host: HostLease): Promise<{ held: boolean }>
  /** Ends a lease at once: its tasks are orphans from now on. For a local supervisor that saw the exit, and for drain. */
  endLease(hostId: string): Promise<void>
  hosts(): Promise<HostRow[]>

  /**
   * Finds what has no owner and should have one (P5): tasks whose host's lease ended become un-owned (epoch + 1,
   * one owner death; the third one fails the task as `task_poisoned`), and runnable tasks that nobody claimed for
   * `unclaimedMs` are named again. Returns both as wakes to offer. Safe to run on many hosts at once. `onPoisoned` is
   * told of each task that this look failed, when that is on disk; of one that two hosts look at together, maybe twice.
   *
   * Deaths are counted anew when the last one was at least `forgottenMs` ago (DEATHS_FORGOTTEN_MS, if left out) and the task
   * has come further since. Either alone would let one go on for ever that kills: in a slow step, or with each of many steps.
   */
  findOrphans(options: {
    unclaimedMs: number
    limit: number
    forgottenMs?: number
    onPoisoned?: (task: PoisonedTask) => void
  }): Promise<Wake[]>

  /**
   * The tenant-scoped reads. Another tenant's task is `undefined`. In the place of a large value that the store lost stands
   * `{ $blob, bytes, error }`, its error `journal_corrupt`, so that the rest can be read; `load` fails with that.
   */
  get(taskId: string, tenant?: string): Promise<TaskRow | undefined>
  list(query: TaskQuery): Promise<{ tasks: Task[]; nextCursor?: string }>
  /** Events with a number above `after`, in order. */
  events(taskId: string, after: number, limit: number): Promise<TaskEvent[]>
  /** How far these tasks and their logs have come, in one statement for any number of them. Unknown tasks are left out. */
  heads(taskIds: readonly string[]): Promise<LogHead[]>

  /** A failed or cancelled task becomes runnable again from its last good snapshot. `undefined`: it is in another state. */
  reopen(taskId: string): Promise<Wake | undefined>

  /** How many tasks are in each state, by agent. */
  counts(): Promise<{ agent: string; state: TaskState; tasks: number }[]>
  /** Deliveries of callbacks are ours, not the tenant's: they are not counted. */
  usage(tenant: string, since: number): Promise<Usage & { tasks: number }>

  /** Deletes ended tasks (and all that belongs to them) that ended before a moment. Returns how many. */
  purge(endedBefore: number, limit: number): Promise<number>

  /**
   * Deletes these tasks of a tenant, with all that belongs to them: every one, or none while one has not ended. What is not
   * there is passed over. Only what they spent is kept, for `usage`, as long as they would have been: no quota is won back.
   */
  erase(tenant: string, taskIds: readonly string[]): Promise<Erasure>

  /** The store's clock. */
  now(): Promise<number>
  close(): Promise<void>
}

export interface NewTask {
  id: string
  tenant: string
  agent: string
  agentVersion: string
  input: unknown
  priority: Priority
  /** A moment of the store's clock; the journal sets the timer `deadline` for it. */
  deadline?: number
  budget?: Budget
  metadata?: Record<string, string>
  labels?: Record<string, string>
  callbacks?: Callback[]
  parent?: { taskId: string; stepId: string }
  /** How deep in a chain of tasks that ask tasks. */
  depth: number
  idempotencyKey?: string
  /** Hash of the request, to tell a repeated call from a different one under the same key. */
  requestHash?: string
  traceparent?: string
}

export interface Accepted {
  task: TaskRow
  /** False when the idempotency key had been used: `task` is the earlier one. */
  created: boolean
}

/** A task as the journal keeps it: what the outside sees, and what fences its owner. */
export interface TaskRow extends Task {
  /** Grows with each owner; commits of an older one are refused. */
  epoch: number
  /** Grows with an actor's commits, but not with each: one that only adds to the log is told by `lastEvent`. */
  version: number
  owner?: string
  ownerDeaths: number
  depth: number
  /** Highest position in the mailbox, and up to which it is read. */
  mailPosition: number
  mailRead: number
  snapshot?: unknown
}

export interface LoadedTask {
  task: TaskRow
  mail: Message[]
  /** Outcomes of a handler's steps, by id. */
  steps: Record<string, StepOutcome>
}

export type StepOutcome = { ok: true; value: unknown } | { ok: false; error: ErrorRecord }

export type MessageBody =
  /** An event for the machine: a signal, another task's tell, a person's answer. */
  | { kind: 'event'; event: { type: string; [key: string]: unknown } }
  /** A child ended. */
  | {
      kind: 'reply'
      stepId: string
      invocation: number
      childId: string
      outcome: StepOutcome
      state: TaskState
      usage?: Usage
    }
  | { kind: 'timer'; timerId: string }
  | { kind: 'deadline' }
  | { kind: 'cancel'; reason?: string }

export interface NewMessage {
  /** Unique within the mailbox; the same id is applied once. */
  id: string
  to: string
  /** When given, the message is refused (`undefined` task) unless the receiver belongs to this tenant. */
  tenant?: string
  from: string
  body: MessageBody
}

export interface Message {
  id: string
  position: number
  from: string
  body: MessageBody
}

export type Delivery =
  | { delivered: true; duplicate: boolean; wake: Wake }
  | { delivered: false; because: 'unknown_task' | 'ended' | 'mailbox_full' }

/** Quarantined: so many hosts died while they ran it. */
export interface PoisonedTask {
  id: string
  tenant: string
  agent: string
}

export interface Erasure {
  erased: number
  /** Because of these nothing was erased. */
  notEnded: string[]
}

/** Who should look at a task now: its owner (nudge it), or any host (offer it). */
export interface Wake {
  taskId: string
  tenant: string
  agent: string
  agentVersion: string
  priority: Priority
  epoch: number
  owner?: string
}

export interface ActorCommit {
  taskId: string
  /** What this commit was made from: the task as its last commit, or its load, left it. */
  epoch: number
  version: number
  lastEvent: number
  /**
   * The task is un-owned and this host takes it: epoch + 1. Claim and first transition are one commit. Refused as `lease`
   * unless the host's lease is live by the store's clock: it would own what others are about to take from it.
   */
  claim?: { hostId: string }
  /** The host lets the task go (it sleeps, ends, or the host drains). With unread mail left it stays runnable. */
  release: boolean
  state: TaskState
  /** Absent: unchanged. */
  snapshot?: unknown
  waitingFor?: WaitingFor
  events: EventBody[]
  /** Mail up to this position is read. */
  mailRead?: number
  /**
   * Up to where the mailbox was filled when the actor was told a moment ago, of a task that its last commit left `running`. With
   * it the store need not look at the task before it adds to its log: this answer may miss mail, and the next one tells of it.
   */
  mailKnown?: number
  steps?: Record<string, StepOutcome>
  timersSet?: { id: string; inMs: number }[]
  timersCleared?: string[]
  messages?: NewMessage[]
  /** Children to accept in the same commit. */
  children?: NewTask[]
  output?: unknown
  error?: ErrorRecord
  usage?: Usage
}

export type CommitOutcome =
  | {
      applied: true
      epoch: number
      version: number
      lastEvent: number
      at: number
      /** Highest position in the mailbox: above what the actor has read, there is new mail to load. */
      mailPosition: number
      /** Released although mail is unread: offer it again. */
      runnable: boolean
      /** Receivers of this commit's messages. */
      woken: Wake[]
      children: TaskRow[]
    }
  | { applied: false; because: 'epoch' | 'ended' | 'unknown_task' | 'lease' }

export interface HostLease {
  hostId: string
  /** A label and counters for `troupe tree`. */
  info: Record<string, unknown>
  leaseMs: number
}

export interface HostRow {
  hostId: string
  info: Record<string, unknown>
  alive: boolean
  tasks: number
}

export interface LogHead {
  id: string
  lastEvent: number
  state: TaskState
}

export interface TaskQuery {
  tenant?: string
  states?: TaskState[]
  agent?: string
  parent?: string
  /** All of them, as `key:value`; with a tenant only. */
  labels?: string[]
  cursor?: string
  limit: number
}
