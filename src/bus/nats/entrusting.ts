// Gives tasks to hosts before they are on disk. Each task of a burst goes to the host that has most room for it (rooms.ts);
// what sockets brought in one round of the event loop for one host goes as one message, and comes back as one: accepted,
// and often ended. A host that is gone the server names at once.
//
// Nothing rests on it: what is not confirmed in time its giver accepts by himself, under the same id. A host that was
// silent, or refused, is left alone for a while: a paused or cut-off host costs few callers their patience.
import { randomUUID } from 'node:crypto'
import type { Msg } from '@nats-io/transport-node'
import type { NewTask } from '../../journal/journal.ts'
import type { Ended, Entruster, Entrusting, Wanted } from '../bus.ts'
import type { Announcement } from './announcing.ts'
import type { Connection } from './connection.ts'
import type { EntrustedNews } from './entrusted.ts'
import { createRooms, kindOf, type Room } from './rooms.ts'
import type { Subjects } from './subjects.ts'

/** Longer than a commit takes on a busy database. */
const ANSWER_MS = 250
const SILENT_REST_MS = 1_000
const REFUSED_REST_MS = 50
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
  wants?: Wanted
}

interface Given {
  /** Until it is answered. */
  batch: Batch | undefined
  watched: boolean
  ended: Ended | undefined
  accepted(at: number | undefined): void
  onEnd(ended: Ended): void
}

interface Batch {
  readonly number: number
  readonly room: Room
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
  const rooms = createRooms(subjects.entrusted)
  /** Gathered in this turn. */
  const fresh = new Map<Room, Batch>()
  const sent = new Map<number, Batch>()
  let unanswered = 0
  let batches = 0
  let due = false
  let holding: NodeJS.Timeout | undefined

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
    for (const [room, batch] of fresh) {
      if (!overdue && sent.size >= UNDER_WAY && batch.ids.length < WORTH_A_MESSAGE) continue
      fresh.delete(room)
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
    batch.room.lump = 0
    batch.patience = setTimeout(() => giveUp(batch, true), ANSWER_MS)
    try {
      // Before it is connected again nothing leaves; what would leave then comes too late.
      if (!connection.connected) giveUp(batch, false)
      else nats.publish(batch.room.subject, `[${batch.texts.join(',')}]`, { reply: `${inbox}.${batch.number}` })
      batch.texts = []
    } catch {
      // Closed, or too large for this server.
      giveUp(batch, false)
    }
  }

  function giveUp(batch: Batch, silent: boolean): void {
    if (silent) rooms.rest(batch.room.host, performance.now() + SILENT_REST_MS)
    for (const id of batch.ids) answer(id, batch, undefined)
  }

  function answer(id: string, of: Batch | undefined, at: number | undefined): void {
    const task = given.get(id)
    const batch = task?.batch
    if (task === undefined || batch === undefined || (of !== undefined && batch !== of)) return
    task.batch = undefined
    unanswered -= 1
    batch.unanswered -= 1
    batch.room.unanswered -= 1
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
    const news = message.json<EntrustedNews>()
    const { accepted, refused, ended } = news
    rooms.hear(news, performance.now())
    // Ends first: who hears that a task was accepted shall know whether it has ended, too.
    for (const [id, state, end] of ended) over(id, end === undefined ? { state } : { state, end })
    for (const [id, at] of accepted) answer(id, undefined, at)
    for (const id of refused) {
      const room = given.get(id)?.batch?.room
      if (room !== undefined) room.restUntil = performance.now() + REFUSED_REST_MS
      answer(id, undefined, undefined)
    }
  }

  /** The server's own answer, without content: this host has no such agent any more, or is gone. */
  function nobody(subject: string): void {
    const batch = sent.get(Number(subject.slice(inbox.length + 1)))
    if (batch === undefined) return
    batch.room.said = 0
    giveUp(batch, false)
  }

  function over(id: string, ended: Ended): void {
    const task = given.get(id)
    if (task === undefined) return
    task.ended = ended
    if (task.batch === undefined) given.delete(id)
    task.onEnd(ended)
  }

  function batchFor(room: Room, bytes: number): Batch {
    const open = fresh.get(room)
    if (open !== undefined && open.bytes + bytes <= MAX_BYTES) return open
    if (open !== undefined) send(open)
    const made: Batch = {
      number: batches++,
      room,
      ids: [],
      texts: [],
      bytes: 0,
      unanswered: 0,
      patience: undefined,
    }
    fresh.set(room, made)
    return made
  }

  function give(task: NewTask, wants?: Wanted): Entrusting | undefined {
    if (unanswered >= MAX_UNANSWERED || !connection.connected) return undefined
    const room = rooms.find(kindOf(task.agent, task.agentVersion), performance.now())
    if (room === undefined) return undefined
    const text = JSON.stringify((wants === undefined ? { task } : { task, wants }) satisfies EntrustedTask)
    // A UTF-16 unit is at most three bytes of UTF-8.
    const bytes = text.length * 3
    if (bytes > MAX_BYTES) return undefined
    const { promise, resolve } = Promise.withResolvers<number | undefined>()
    const batch = batchFor(room, bytes)
    const { id } = task
    const entry: Given = { batch, watched: wants !== undefined, ended: undefined, accepted: resolve, onEnd() {} }
    given.set(id, entry)
    batch.ids.push(id)
    batch.texts.push(text)
    batch.bytes += bytes
    batch.unanswered += 1
    room.unanswered += 1
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
  }

  return {
    entruster(): Entruster {
      const listen = (subject: string, onMessage: (message: Msg) => void) =>
        nats.subscribe(subject, {
          callback: (error, message) => {
            if (error === null) onMessage(message)
          },
        })
      listen(`${inbox}.*`, hear)
      listen(subjects.rooms, (message) => rooms.hear(message.json<Announcement>(), performance.now()))
      nats.publish(subjects.roomsWanted)
      return { give, room: (agent, version) => rooms.left(kindOf(agent, version), performance.now()) }
    },

    stop() {
      for (const batch of [...sent.values(), ...fresh.values()]) giveUp(batch, false)
      clearTimeout(holding)
    },
  }
}
