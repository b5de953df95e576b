// The bus on NATS: JetStream for offers and the platform's event streams, core NATS for everything that only those
// hear who listen now.
//   index.ts        this file: the port
//   connection.ts   connects, reconnects for ever, says in one line why it cannot
//   subjects.ts     the names of subjects, streams and consumers
//   streams.ts      creates and heals the streams
//   offers.ts       the work queue: pull consumers shared by all hosts, a lane each
//   entrusting.ts   gives tasks to hosts before they are on disk
//   rooms.ts        which hosts there are, and how much each can take
//   entrusted.ts    takes them, and answers
//   announcing.ts   says how much this host can take
//   live.ts         committed events for who is watching now
//   platform.ts     the platform's event streams
//   after-turn.ts   what is said in one turn of the event loop goes as one message
//   fan-out.ts      one subscription for many followers of the same subject
//
// Works on nats-server 2.9 and later: no feature of a newer one is used. Nothing rests on it: the store may be lost,
// emptied or rolled back, and the journal's sweep announces again what waits (P5).

import { TroupeError } from '../../contract/errors.ts'
import type { Bus, ControlRequest } from '../bus.ts'
import { connectNats, type NatsOptions } from './connection.ts'
import { createEntrusted } from './entrusted.ts'
import { createEntrusting } from './entrusting.ts'
import { createFanOut } from './fan-out.ts'
import { createLive } from './live.ts'
import { createOffers } from './offers.ts'
import { createPlatform } from './platform.ts'
import { ensureStreams } from './streams.ts'
import { createSubjects } from './subjects.ts'

export type { NatsOptions } from './connection.ts'

export async function openNatsBus(options: NatsOptions): Promise<Bus> {
  const connection = await connectNats(options)
  const { nats } = connection
  const subjects = createSubjects(options.prefix ?? 'troupe')
  try {
    await ensureStreams(nats, subjects)
  } catch (error) {
    await nats.close()
    throw error
  }
  const offers = createOffers(connection, subjects)
  const entrusting = createEntrusting(connection, subjects)
  const platform = createPlatform(connection, subjects)
  const followers = createFanOut(nats)
  const live = createLive(connection, subjects, followers)

  /** What is published while the connection is down would pile up in memory; the journal has it all. */
  const tell = (subject: string, payload: string) => {
    if (connection.connected) nats.publish(subject, payload)
  }

  return {
    offer: offers.offer,
    take: offers.take,

    entruster: entrusting.entruster,
    onEntrusted: createEntrusted(connection, subjects),

    nudge: (hostId, taskId) => tell(subjects.mail(hostId), taskId),
    onNudge: (hostId, handler) => followers.follow(subjects.mail(hostId), (message) => handler(message.string())),

    publish: live.publish,
    follow: live.follow,

    publishPlatform: platform.publish,
    followPlatform: platform.follow,

    serveControl(name, handler) {
      const subscription = nats.subscribe(subjects.control(name), {
        callback: (error, message) => {
          if (error !== null) return
          handler(message.json<ControlRequest>()).then(
            (answer) => message.respond(JSON.stringify({ answer: answer ?? null })),
            (thrown: unknown) => message.respond(JSON.stringify({ failed: (thrown as Error).message })),
          )
        },
      })
      return () => subscription.unsubscribe()
    },

    async control(name, request, timeoutMs) {
      try {
        const reply = await nats.request(subjects.control(name), JSON.stringify(request), { timeout: timeoutMs })
        const { answer, failed } = reply.json<{ answer?: unknown; failed?: string }>()
        if (failed !== undefined) throw new TroupeError('unavailable', failed)
        return answer
      } catch (error) {
        if (error instanceof TroupeError) throw error
        throw new TroupeError('unavailable', `Nothing answered the control request to ${name}.`, { cause: error })
      }
    },

    status: () => ({ connected: connection.connected, detail: connection.detail }),

    async close() {
      entrusting.stop()
      await offers.stop()
      await nats.close()
    },
  }
}
