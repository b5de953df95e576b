// The platform's event streams: published with an acknowledgement, followed from a sequence number or from now.
//
// Many publications are under way at a time; each resolves when the server has taken it into its file store, which it
// does not fsync: an event that was acknowledged may be lost with the server's machine, and one that was refused may
// have been stored (its id de-duplicates a repetition within two minutes). Of one publisher they keep their order.
// No promise rests on them: what happened to a task is in its log.
import { DeliverPolicy, jetstream } from '@nats-io/jetstream'
import { TroupeError } from '../../contract/errors.ts'
import type { PlatformEvent, PlatformEventType } from '../../contract/events.ts'
import type { Unsubscribe } from '../bus.ts'
import type { Connection } from './connection.ts'
import type { Subjects } from './subjects.ts'

/** Unacknowledged publications: a server that answers no more must show as refusals, not as growing memory. */
const MAX_IN_FLIGHT = 4_096
/** Events asked of the server ahead of their reader. */
const FETCHED = 1_000

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
      const stops = await Promise.all(
        types.map(async (type) => {
          const after = options.after?.[type]
          const consumer = await stream.consumers.get(subjects.eventStream(type), {
            ...(options.tenant === undefined ? {} : { filter_subjects: subjects.event(type, options.tenant) }),
            ...(after === undefined
              ? { deliver_policy: DeliverPolicy.New }
              : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: after + 1 }),
          })
          const messages = await consumer.consume({
            max_messages: FETCHED,
            callback: (message) => handler(message.json<PlatformEvent>(), message.seq),
          })
          return () => void messages.close()
        }),
      )
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}
