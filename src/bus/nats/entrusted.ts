// A host's side of entrusting.ts: takes tasks that are not on disk yet, and tells what became of them. What happens in
// one turn of the event loop to tasks of one process is told to it in one message, with the room there is left.
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { EndState } from '../../contract/task.ts'
import type { Entrusted, EntrustedTaker, TaskEnd, TellEntruster } from '../bus.ts'
import { afterTurn } from './after-turn.ts'
import { type Announcement, createAnnouncing } from './announcing.ts'
import type { Connection } from './connection.ts'
import type { EntrustedTask } from './entrusting.ts'
import { kindOf } from './rooms.ts'
import type { Subjects } from './subjects.ts'

/** What is on its way here is refused, so that its giver need not be patient. A server that is away does not say that nothing is. */
const FAREWELL_MS = 300
/** Who wants a larger result reads it. */
const MAX_RESULT = 32 * 1024
/** So do all for whose results a message has no room: servers take 1 MB by default. */
const MAX_RESULTS = 512 * 1024

/** A host's message, about many tasks at once. */
export interface EntrustedNews extends Announcement {
  accepted: [id: string, at: number][]
  refused: string[]
  ended: [id: string, state: EndState, end?: TaskEnd][]
}

/** What is to be told to one process. */
interface Told {
  kinds: Set<string>
  accepted: EntrustedNews['accepted']
  refused: string[]
  /** As JSON. */
  ended: string[]
  /** Of the results among them, at most. */
  bytes: number
}

export function createEntrusted(connection: Connection, subjects: Subjects) {
  const { nats } = connection
  const host = randomUUID()
  const announcing = createAnnouncing(connection, subjects, host)
  /** By inbox. */
  const news = new Map<string, Told>()

  const send = afterTurn(() => {
    for (const [inbox, told] of news) {
      const { kinds, accepted, refused, ended } = told
      const head = JSON.stringify({ ...announcing.of(kinds), accepted, refused })
      // Who hears nothing accepts by himself, and looks for the end in the journal.
      if (connection.connected) nats.publish(inbox, `${head.slice(0, -1)},"ended":[${ended.join(',')}]}`)
    }
    news.clear()
  })

  function newsFor(inbox: string, kind: string): Told {
    let told = news.get(inbox)
    if (told === undefined) {
      told = { kinds: new Set(), accepted: [], refused: [], ended: [], bytes: 0 }
      news.set(inbox, told)
      send()
    }
    told.kinds.add(kind)
    return told
  }

  function tellerOf({ task, wants }: EntrustedTask, inbox: string, kind: string): TellEntruster {
    const { id } = task
    const teller: TellEntruster = {
      accepted: (at) => void newsFor(inbox, kind).accepted.push([id, at]),
      refused: () => void newsFor(inbox, kind).refused.push(id),
    }
    if (wants !== undefined) {
      teller.ended = (end) => {
        const told = newsFor(inbox, kind)
        const result = wants === 'result' ? JSON.stringify(end) : ''
        // A UTF-16 unit is at most three bytes of UTF-8.
        const bytes = result.length * 3
        const isCarried = bytes > 0 && bytes <= MAX_RESULT && told.bytes + bytes <= MAX_RESULTS
        if (isCarried) told.bytes += bytes
        told.ended.push(`["${id}","${end.state}"${isCarried ? `,${result}` : ''}]`)
      }
    }
    return teller
  }

  return (agent: string, version: string, taker: EntrustedTaker): Entrusted => {
    const kind = kindOf(agent, version)
    const subscription = nats.subscribe(subjects.entrusted(kind, host), {
      callback: (error, message) => {
        if (error !== null || message.reply === undefined) return
        // Each message has an inbox of its own, below that of its process: what is told is told to the process.
        const inbox = `${message.reply.slice(0, message.reply.lastIndexOf('.'))}.news`
        for (const given of message.json<EntrustedTask[]>()) taker.take(given.task, tellerOf(given, inbox, kind))
      },
    })
    announcing.add(kind, taker.room)
    return {
      stop() {
        announcing.remove(kind)
        return Promise.race([subscription.drain().catch(() => {}), wait(FAREWELL_MS, undefined, { ref: false })])
      },
    }
  }
}
