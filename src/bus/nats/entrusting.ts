// Gives tasks to hosts before they are on disk. What sockets brought in one round of the event loop goes to one host as one
// message, and comes back as one: accepted, and often ended. Hosts that have the agent's version share a subject; the
// server says at once when there is none.
//
// Nothing rests on it: what is not confirmed in time its giver accepts by himself, under the same id. Hosts that were
// silent, or had no room, are left alone for a while: a full, paused or cut-off host costs few callers their patience.
import { randomUUID } from 'node:crypto'
import type { Msg, Subscription } from '@nats-io/transport-node'
import type { EndState } from '../../contract/task.ts'
import type { NewTask } from '../../journal/journal.ts'
import type { Entrusting } from '../bus.ts'
import type { Connection } from './connection.ts'
import type { Subjects } from './subjects.ts'

/** Longer than a commit takes on a busy database. */
const ANSWER_MS = 250
/** Of several hosts one may be silent, and the server chooses who is asked: all are left alone. */
const SILENT_REST_MS = 1_000
const NOBODY_REST_MS = 1_000
const FULL_REST_MS = 50
/** Tasks in one message: few enough that several hosts share those of one moment. */
const MAX_BATCH = 32
const MAX_BYTES = 512 * 1024
/** While so many messages are under way, fewer tasks than are worth one wait for more of them, though not for long. */
const UNDER_WAY = 2
const WORTH_A_MESSAGE = 16
const HOLD_MS = 2
/** Tasks without an answer: so few that hosts answer them all in time. What is more is accepted by its giver meanwhile. */
const MAX_UNANSWERED = 512

/** A message to a host: an array of these. */
export interface EntrustedTask {
  task: NewTask
  watched: boolean
}

/** A host's message, about many tasks at once. */
export interface EntrustedNews {
  accepted: [id: string, at: number][]
  refused: string[]
  ended: [id: string, state: EndState][]
}

interface Given {
  /** Until it is answered. */
  batch: Batch | undefined
  watched: boolean
  ended: EndState | undefined
  accepted(at: number | undefined): void
  onEnd(state: EndState): void
}

interface Batch {
  readonly number: number
  readonly subject: string
  readonly ids: string[]
  texts: string[]
  bytes: number
  unanswered: number
  patience: NodeJS.Timeout | undefined
}

export function createEntrusting(connection: Connection, subjects: Subjects) {
  const { nats } = connection
  const inbox = subjects.answers(randomUUID())
  /** By task: until it is answered and, when it is watched, until it has ended or is forgotten. */
  const given = new Map<string, Given>()
  /** Gathered in this turn, by subject. */
  const fresh = new Map<string, Batch>()
  const sent = new Map<number, Batch>()
  const restUntil = new Map<string, number>()
  let allRestUntil = 0
  let unanswered = 0
  let batches = 0
  let due = false
  let holding: NodeJS.Timeout | undefined
  let subscription: Subscription | undefined

  /** Once for all that the sockets of this process brought in this round of the event loop. */
  function soon(): void {
    if (due) return
    due = true
    setImmediate(() => {
      due = false
      sendWorthwhile(false)
    })
  }

  function sendWorthwhile(overdue: boolean): void {
    for (const [subject, batch] of fresh) {
      if (!overdue && sent.size >= UNDER_WAY && batch.ids.length < WORTH_A_MESSAGE) continue
      fresh.delete(subject)
      send(batch)
    }
    if (fresh.size > 0) holding ??= setTimeout(holdNoLonger, HOLD_MS)
    else if (holding !== undefined) {
      clearTimeout(holding)
      holding = undefined
    }
  }

  function holdNoLonger(): void {
    holding = undefined
    sendWorthwhile(true)
  }

  function send(batch: Batch): void {
    sent.set(batch.number, batch)
    batch.patience = setTimeout(() => giveUp(batch, true), ANSWER_MS)
    try {
      // Before it is connected again nothing leaves; what would leave then comes too late.
      if (!connection.connected) giveUp(batch, false)
      else nats.publish(batch.subject, `[${batch.texts.join(',')}]`, { reply: `${inbox}.${batch.number}` })
      batch.texts = []
    } catch {
      // Closed, or too large for this server.
      giveUp(batch, false)
    }
  }

  function giveUp(batch: Batch, silent: boolean): void {
    if (silent) allRestUntil = performance.now() + SILENT_REST_MS
    for (const id of batch.ids) answer(id, batch, undefined)
  }

  function answer(id: string, of: Batch | undefined, at: number | undefined): void {
    const task = given.get(id)
    const batch = task?.batch
    if (task === undefined || batch === undefined || (of !== undefined && batch !== of)) return
    task.batch = undefined
    unanswered -= 1
    batch.unanswered -= 1
    if (batch.unanswered === 0) {
      clearTimeout(batch.patience)
      sent.delete(batch.number)
      if (fresh.size > 0) soon()
    }
    if (at === undefined || !task.watched || task.ended !== undefined) given.delete(id)
    task.accepted(at)
  }

  function hear(message: Msg): void {
    if (message.data.length === 0) {
      nobody(message.subject)
      return
    }
    const { accepted, refused, ended } = message.json<EntrustedNews>()
    // Ends first: who hears that a task was accepted shall know whether it has ended, too.
    for (const [id, state] of ended) end(id, state)
    for (const [id, at] of accepted) answer(id, undefined, at)
    for (const id of refused) {
      const subject = given.get(id)?.batch?.subject
      if (subject !== undefined) restUntil.set(subject, performance.now() + FULL_REST_MS)
      answer(id, undefined, undefined)
    }
  }

  /** The server's own answer, without content: no host has this version of this agent. */
  function nobody(subject: string): void {
    const batch = sent.get(Number(subject.slice(inbox.length + 1)))
    if (batch === undefined) return
    restUntil.set(batch.subject, performance.now() + NOBODY_REST_MS)
    giveUp(batch, false)
  }

  function end(id: string, state: EndState): void {
    const task = given.get(id)
    if (task === undefined) return
    task.ended = state
    if (task.batch === undefined) given.delete(id)
    task.onEnd(state)
  }

  function batchFor(subject: string, bytes: number): Batch {
    const open = fresh.get(subject)
    if (open !== undefined && open.ids.length < MAX_BATCH && open.bytes + bytes <= MAX_BYTES) return open
    if (open !== undefined) send(open)
    const made: Batch = {
      number: batches++,
      subject,
      ids: [],
      texts: [],
      bytes: 0,
      unanswered: 0,
      patience: undefined,
    }
    fresh.set(subject, made)
    return made
  }

  return {
    entrust(task: NewTask, watched: boolean): Entrusting | undefined {
      const now = performance.now()
      if (now < allRestUntil || unanswered >= MAX_UNANSWERED || !connection.connected) return undefined
      const subject = subjects.entrusted(task.agent, task.agentVersion)
      if (now < (restUntil.get(subject) ?? 0)) return undefined
      const text = JSON.stringify({ task, watched } satisfies EntrustedTask)
      // A UTF-16 unit is at most three bytes of UTF-8.
      const bytes = text.length * 3
      if (bytes > MAX_BYTES) return undefined
      subscription ??= nats.subscribe(`${inbox}.*`, {
        callback: (error, message) => {
          if (error === null) hear(message)
        },
      })
      const { promise, resolve } = Promise.withResolvers<number | undefined>()
      const batch = batchFor(subject, bytes)
      const { id } = task
      const entry: Given = { batch, watched, ended: undefined, accepted: resolve, onEnd() {} }
      given.set(id, entry)
      batch.ids.push(id)
      batch.texts.push(text)
      batch.bytes += bytes
      batch.unanswered += 1
      unanswered += 1
      soon()
      return {
        accepted: promise,
        get ended() {
          return entry.ended
        },
        onEnd(handler) {
          entry.onEnd = handler
        },
        forget() {
          entry.watched = false
          if (entry.batch === undefined && given.get(id) === entry) given.delete(id)
        },
      }
    },

    stop() {
      for (const batch of [...sent.values(), ...fresh.values()]) giveUp(batch, false)
      clearTimeout(holding)
      subscription?.unsubscribe()
    },
  }
}
