// The desk: the one place all doors go through. A door translates its protocol to these verbs and a task's log back.
//   desk.ts        this file: submit, get, list, signal, cancel, retry, erase
//   accepting.ts   how a submission gets on disk (P1)
//   follow.ts      one task's log from any number, then live (P6); waiting for its end
//   erasing.ts     a task that somebody wants gone, with its children
//   look-again.ts  finds what the bus lost, for all followers of this process together
//   patience.ts    refuses at once while the journal answers nobody
//   directory.ts   the port to the agents that exist, for checking input at the edge (P9)
//
// The desk meets the hosts in the journal and on the bus; it does not know that actors exist.
import { createHash } from 'node:crypto'
import type { Bus, Ended, Entrusting, Wanted } from '../bus/bus.ts'
import type { Callback } from '../contract/callbacks.ts'
import { TroupeError } from '../contract/errors.ts'
import type { TaskEvent } from '../contract/events.ts'
import { newId } from '../contract/ids.ts'
import { INLINE_VALUE_BYTES, MAX_MESSAGE_BYTES, MAX_PAGE, MAX_VALUE_BYTES } from '../contract/limits.ts'
import { type Budget, hasEnded, type Priority, type Task } from '../contract/task.ts'
import type { Journal, MessageBody, NewTask, TaskQuery } from '../journal/journal.ts'
import { createAccept, type Draft } from './accepting.ts'
import type { AgentDirectory } from './directory.ts'
import { eraseTask } from './erasing.ts'
import { type Ending, endsWithin, followTask, untilEnd } from './follow.ts'
import { createLookAgain } from './look-again.ts'
import { createPatience } from './patience.ts'

export interface SubmitRequest {
  tenant: string
  agent: string
  /** Absent: the newest version. */
  agentVersion?: string
  input: unknown
  priority?: Priority
  /** A moment in milliseconds. */
  deadline?: number
  budget?: Budget
  metadata?: Record<string, string>
  labels?: Record<string, string>
  callbacks?: Callback[]
  idempotencyKey?: string
  traceparent?: string
}

export interface Watching {
  task: Task
  created: boolean
  ending: Ending
}

export type { Ending } from './follow.ts'

export interface Desk {
  /** P1: resolves when the task is on disk. `created: false` repeats an earlier answer for the same idempotency key. */
  submit(request: SubmitRequest): Promise<{ task: Task; created: boolean }>
  /** As `submit`, and watches for the end from the beginning: nothing has to be read for it. */
  submitAndWatch(request: SubmitRequest, wants: Wanted): Promise<Watching>
  /** The task that was submitted, as it ended. It is read, unless who told of the end told with what. */
  asEnded(task: Task, ended: Ended | undefined): Promise<Task>
  get(tenant: string, taskId: string): Promise<Task>
  list(
    tenant: string,
    query: Omit<TaskQuery, 'tenant' | 'limit'> & { limit?: number },
  ): Promise<{ tasks: Task[]; nextCursor?: string }>
  events(tenant: string, taskId: string, after: number, limit?: number): Promise<TaskEvent[]>
  /** Every event after a number, once, in order; ends when the task has ended, or when the signal aborts. */
  follow(tenant: string, taskId: string, after: number, signal: AbortSignal): AsyncGenerator<TaskEvent>
  /** The task once it has ended, or as it is after `ms`. */
  waitForEnd(tenant: string, taskId: string, ms: number, signal?: AbortSignal): Promise<Task>
  /**
   * An event for the agent's machine: a person's answer, a signal. Of the same message id the first one is applied. The
   * task's log names whom it is from.
   */
  signal(
    tenant: string,
    taskId: string,
    event: { type: string; [key: string]: unknown },
    messageId?: string,
    from?: string,
  ): Promise<{ duplicate: boolean }>
  cancel(tenant: string, taskId: string, reason?: string): Promise<void>
  /** Runs a failed or cancelled task again from its last good state. */
  retry(tenant: string, taskId: string): Promise<Task>
  /** Deletes an ended task, and all that it asked for; gives how many they were. */
  erase(tenant: string, taskId: string): Promise<number>
}

/** Inputs up to this size stay in their row. */
const SMALL_BYTES = INLINE_VALUE_BYTES

export interface DeskParts {
  journal: Journal
  bus: Bus
  agents: AgentDirectory
  /** How long a lost announcement can delay a follower. */
  lookAgainMs?: number
}

export function createDesk(parts: DeskParts): Desk {
  const { journal, bus, agents } = parts
  const accept = createAccept({ journal, bus, patience: createPatience() })
  const lookAgain = createLookAgain(journal, parts.lookAgainMs)

  async function deliver(
    tenant: string,
    taskId: string,
    id: string,
    body: MessageBody,
    from = 'desk',
  ): Promise<{ duplicate: boolean }> {
    const delivery = await journal.deliver({ id, to: taskId, tenant, from, body })
    if (delivery.delivered) {
      const wake = delivery.wake
      if (wake.owner === undefined) bus.offer(wake)
      else bus.nudge(wake.owner, taskId)
      return { duplicate: delivery.duplicate }
    }
    if (delivery.because === 'unknown_task') throw notFound(taskId)
    if (delivery.because === 'mailbox_full') {
      throw new TroupeError('overloaded', `The mailbox of ${taskId} is full: it has not read its earlier messages.`)
    }
    throw new TroupeError('wrong_state', `The task ${taskId} has ended and takes no more messages.`)
  }

  async function get(tenant: string, taskId: string): Promise<Task> {
    const task = await journal.get(taskId, tenant)
    if (task === undefined) throw notFound(taskId)
    return task
  }

  function draft(request: SubmitRequest): Draft {
    const agent = agents.require(request.agent, request.agentVersion)
    const input = agent.checkInput(request.input)
    const bytes = checkSize('input', input, MAX_VALUE_BYTES)
    if (request.deadline !== undefined && request.deadline <= Date.now()) {
      throw new TroupeError('invalid_request', `The deadline ${new Date(request.deadline).toISOString()} has passed.`)
    }
    const { tenant, deadline, budget, metadata, labels, callbacks, idempotencyKey, traceparent } = request
    const task: NewTask = {
      id: newId('task'),
      tenant,
      agent: agent.name,
      agentVersion: agent.version,
      input,
      priority: request.priority ?? 'normal',
      depth: 0,
    }
    if (deadline !== undefined) task.deadline = deadline
    if (budget !== undefined) task.budget = budget
    if (metadata !== undefined) task.metadata = metadata
    if (labels !== undefined) task.labels = labels
    if (callbacks !== undefined) task.callbacks = callbacks
    if (traceparent !== undefined) task.traceparent = traceparent
    if (idempotencyKey !== undefined) {
      task.idempotencyKey = idempotencyKey
      task.requestHash = hashRequest(request)
    }
    return { task, small: bytes <= SMALL_BYTES }
  }

  /** Of a task that may have ended already: watched first, read second. */
  async function endingOf(tenant: string, taskId: string): Promise<Ending> {
    const ending = untilEnd({ bus, lookAgain, tenant, taskId })
    try {
      const { state } = await get(tenant, taskId)
      if (!hasEnded(state)) return ending
      ending.stop()
      return { ended: Promise.resolve({ state }), stop() {} }
    } catch (error) {
      ending.stop()
      throw error
    }
  }

  return {
    get,

    async submit(request) {
      const { task, created } = await accept(draft(request), undefined, () => {})
      return { task, created }
    },

    async submitAndWatch(request, wants) {
      const drafted = draft(request)
      const { tenant } = request
      const watch = (entrusted?: Entrusting) => untilEnd({ bus, lookAgain, tenant, taskId: drafted.task.id }, entrusted)
      let ending: Ending | undefined
      try {
        // Before it is accepted: it may end faster than the answer comes back.
        const { task, created, entrusted } = await accept(drafted, wants, () => {
          ending = watch()
        })
        // A host may have accepted it and brought it to its end before it was accepted here: that was told to nobody.
        if (created && !hasEnded(task.state)) return { task, created, ending: ending ?? watch(entrusted) }
        ending?.stop()
        return { task, created, ending: await endingOf(tenant, task.id) }
      } catch (error) {
        ending?.stop()
        throw error
      }
    },

    async asEnded(task, ended) {
      return ended?.end === undefined ? await get(task.tenant, task.id) : { ...task, ...ended.end }
    },

    list(tenant, query) {
      return journal.list({ ...query, tenant, limit: Math.min(query.limit ?? 50, MAX_PAGE) })
    },

    async events(tenant, taskId, after, limit = 100) {
      await get(tenant, taskId)
      return await journal.events(taskId, after, Math.min(limit, MAX_PAGE))
    },

    async *follow(tenant, taskId, after, signal) {
      await get(tenant, taskId)
      yield* followTask({ journal, bus, lookAgain, tenant, taskId, after, signal })
    },

    async waitForEnd(tenant, taskId, ms, signal) {
      if (ms > 0) await endsWithin(await endingOf(tenant, taskId), ms, signal)
      return await get(tenant, taskId)
    },

    async signal(tenant, taskId, event, messageId, from) {
      checkSize('message', event, MAX_MESSAGE_BYTES)
      const task = await get(tenant, taskId)
      agents.find(task.agent, task.agentVersion)?.checkMessage(event)
      return await deliver(tenant, taskId, messageId ?? newId('msg'), { kind: 'event', event }, from)
    },

    async cancel(tenant, taskId, reason) {
      // One id for all cancels of a task: asking twice is asking once.
      await deliver(tenant, taskId, 'cancel', { kind: 'cancel', ...(reason === undefined ? {} : { reason }) })
    },

    async retry(tenant, taskId) {
      await get(tenant, taskId)
      const wake = await journal.reopen(taskId)
      if (wake === undefined) {
        throw new TroupeError('wrong_state', `Only a failed or cancelled task can be retried; ${taskId} is neither.`)
      }
      bus.offer(wake)
      return await get(tenant, taskId)
    },

    erase: async (tenant, taskId) => await eraseTask(journal, await get(tenant, taskId)),
  }
}

function notFound(taskId: string): TroupeError {
  return new TroupeError('not_found', `There is no task ${taskId}.`)
}

function hashRequest(request: SubmitRequest): string {
  const { agent, agentVersion, input, priority, deadline, budget, metadata, labels, callbacks } = request
  const asked: unknown[] = [agent, agentVersion, input, priority, deadline, budget, metadata]
  // What the tenant's webhooks add is not the caller's; and a hash of before there were labels stays what it was.
  const own = callbacks?.filter((callback) => 'url' in callback) ?? []
  if (labels !== undefined || own.length > 0) asked.push(labels, own)
  return createHash('sha256').update(JSON.stringify(asked)).digest('hex')
}

/** At most its bytes, or somewhat more: an estimate that never refuses what fits. */
function checkSize(what: string, value: unknown, limit: number): number {
  const json = JSON.stringify(value) ?? 'null'
  // A UTF-16 unit is at most three bytes of UTF-8.
  const most = json.length * 3
  if (most <= limit) return most
  const bytes = Buffer.byteLength(json)
  if (bytes <= limit) return bytes
  throw new TroupeError('value_too_large', `The ${what} has ${bytes} bytes; the limit is ${limit}.`, {
    detail: { bytes, limit },
  })
}
