// The platform's event streams: published with an acknowledgement, followed from a sequence number or from now.
//
// Many publications are under way at a time; each resolves when the server has taken it into its file store, which it
// does not fsync: an event that was acknowledged may be lost with the server's machine, and one that was refused may
// have been stored (its id de-duplicates a repetition within two minutes). Of one publisher they keep their order.
// No promise rests on them: what happened to a task is in its log.
import { setTimeout as wait } from 'node:timers/promises'
import { type ConsumerMessages, DeliverPolicy, jetstream } from '@nats-io/jetstream'
import { TroupeError } from '../../contract/errors.ts'
import type { PlatformEvent, PlatformEventType } from '../../contract/events.ts'
import type { Unsubscribe } from '../bus.ts'
import type { Connection } from './connection.ts'
import type { Subjects } from './subjects.ts'

/** Unacknowledged publications: a server that answers no more must show as refusals, not as growing memory. */
const MAX_IN_FLIGHT = 4_096
/** Events asked of the server ahead of their reader. */
const FETCHED = 1_000
const RETRY_MS = 500
/** What a reader is told of when its stream, or its place in it, is no more. */
const GONE: ReadonlySet<string> = new Set(['consumer_deleted', 'consumer_not_found', 'stream_not_found'])

export function createPlatform(connection: Connection, subjects: Subjects) {
  const { nats } = connection
  const stream = jetstream(nats)
  let inFlight = 0

  return {
    async publish(event: PlatformEvent): Promise<void> {
      if (!connection.connected || inFlight >= MAX_IN_FLIGHT) {
        const why = connection.connected ? `${MAX_IN_FLIGHT} wait for NATS` : connection.detail
        throw new TroupeError('bus_unavailable', `The event ${event.type} was not stored: ${why}.`)
      }
      inFlight += 1
      try {
        await stream.publish(subjects.event(event.type, event.tenant), JSON.stringify(event), { msgID: event.id })
      } catch (error) {
        throw new TroupeError('bus_unavailable', `The event ${event.type} was not stored.`, { cause: error })
      } finally {
        inFlight -= 1
      }
    },

    async follow(
      types: PlatformEventType[],
      options: { tenant?: string; after?: Partial<Record<PlatformEventType, number>> },
      handler: (event: PlatformEvent, sequence: number) => void,
    ): Promise<Unsubscribe> {
      const { tenant, after } = options
      const stops = await Promise.all(types.map((type) => followOne({ type, tenant, after: after?.[type] }, handler)))
      return () => {
        for (const stop of stops) stop()
      }
    },
  }

  /** Goes on where it was when the stream is back; of one that was made anew it gives everything. */
  async function followOne(
    { type, tenant, after }: { type: PlatformEventType; tenant: string | undefined; after: number | undefined },
    handler: (event: PlatformEvent, sequence: number) => void,
  ): Promise<Unsubscribe> {
    const name = subjects.eventStream(type)
    const filter = tenant === undefined ? {} : { filter_subjects: subjects.event(type, tenant) }
    const manager = await stream.jetstreamManager(false)
    let seen = after
    let created: string | undefined
    let messages = await open()
    let stopped = false
    void goOn()

    async function open(): Promise<ConsumerMessages> {
      const info = await manager.streams.info(name)
      seen ??= info.state.last_seq
      // Numbers of another stream say nothing of this one.
      if (seen > info.state.last_seq || (created ?? info.created) !== info.created) seen = 0
      created = info.created
      const from = { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: seen + 1 }
      const consumer = await stream.consumers.get(name, { ...filter, ...from })
      return await consumer.consume({
        max_messages: FETCHED,
        callback(message) {
          seen = message.seq
          handler(message.json<PlatformEvent>(), message.seq)
        },
      })
    }

    /** What reads a stream that is gone waits for the numbers that it had. */
    async function goOn(): Promise<void> {
      while (!stopped && !nats.isClosed()) {
        for await (const { type: news } of messages.status()) if (GONE.has(news)) break
        void messages.close()
        for (let isOpen = false; !isOpen && !stopped && !nats.isClosed(); ) {
          isOpen = await open().then(
            (opened) => {
              messages = opened
              return true
            },
            () => wait(RETRY_MS, false, { ref: false }),
          )
        }
      }
      void messages.close()
    }

    return () => {
      stopped = true
      void messages.close()
    }
  }
}
