// A host's side of entrusting.ts: takes tasks that are not on disk yet, and tells what became of them. What happens in
// one turn of the event loop to tasks of one process is told to it in one message.
import { setTimeout as wait } from 'node:timers/promises'
import type { NatsConnection } from '@nats-io/transport-node'
import type { EndState } from '../../contract/task.ts'
import type { NewTask } from '../../journal/journal.ts'
import type { Entrusted, TellEntruster } from '../bus.ts'
import { afterTurn } from './after-turn.ts'
import type { Connection } from './connection.ts'
import type { EntrustedNews, EntrustedTask } from './entrusting.ts'
import type { Subjects } from './subjects.ts'

const QUEUE = 'hosts'
/** What is on its way here is refused, so that its giver need not be patient. A server that is away does not say that nothing is. */
const FAREWELL_MS = 300

export function createEntrusted(connection: Connection, subjects: Subjects) {
  const { nats } = connection
  /** By the inbox of who is told. */
  const news = new Map<string, EntrustedNews>()

  const send = afterTurn(() => {
    for (const [inbox, told] of news) tell(connection, nats, inbox, told)
    news.clear()
  })

  function newsFor(inbox: string): EntrustedNews {
    let told = news.get(inbox)
    if (told === undefined) {
      told = { accepted: [], refused: [], ended: [] }
      news.set(inbox, told)
      send()
    }
    return told
  }

  function tellerOf(id: string, inbox: string, watched: boolean): TellEntruster {
    const teller: TellEntruster = {
      accepted: (at) => void newsFor(inbox).accepted.push([id, at]),
      refused: () => void newsFor(inbox).refused.push(id),
    }
    if (watched) teller.ended = (state: EndState) => void newsFor(inbox).ended.push([id, state])
    return teller
  }

  return (agent: string, version: string, handler: (task: NewTask, tell: TellEntruster) => void): Entrusted => {
    const subscription = nats.subscribe(subjects.entrusted(agent, version), {
      queue: QUEUE,
      callback: (error, message) => {
        if (error !== null || message.reply === undefined) return
        // Each message has an inbox of its own, below that of its process: what is told is told to the process.
        const inbox = `${message.reply.slice(0, message.reply.lastIndexOf('.'))}.news`
        for (const { task, watched } of message.json<EntrustedTask[]>()) {
          handler(task, tellerOf(task.id, inbox, watched))
        }
      },
    })
    return {
      stop: () => Promise.race([subscription.drain().catch(() => {}), wait(FAREWELL_MS, undefined, { ref: false })]),
    }
  }
}

function tell(connection: Connection, nats: NatsConnection, inbox: string, told: EntrustedNews): void {
  // Who hears nothing accepts by himself, and looks for the end in the journal.
  if (connection.connected) nats.publish(inbox, JSON.stringify(told))
}
