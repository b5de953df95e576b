// The platform's event streams: published with an acknowledgement, followed from a sequence number or from now.
import { DeliverPolicy, jetstream } from '@nats-io/jetstream'
import { TroupeError } from '../../contract/errors.ts'
import type { PlatformEvent, PlatformEventType } from '../../contract/events.ts'
import type { Unsubscribe } from '../bus.ts'
import type { Connection } from './connection.ts'
import type { Subjects } from './subjects.ts'

export function createPlatform(connection: Connection, subjects: Subjects) {
  const { nats } = connection
  const stream = jetstream(nats)

  return {
    async publish(event: PlatformEvent): Promise<void> {
      try {
        await stream.publish(subjects.event(event.type, event.tenant), JSON.stringify(event), { msgID: event.id })
      } catch (error) {
        throw new TroupeError('bus_unavailable', `The event ${event.type} was not stored.`, { cause: error })
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
