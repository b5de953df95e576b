// Creates the streams, and heals what can be healed: a stream that somebody configured differently is brought back to
// ours, one that cannot be is refused by name.
import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream'
import { type NatsConnection, nanos } from '@nats-io/transport-node'
import { TroupeError } from '../../contract/errors.ts'
import { PLATFORM_STREAMS, type PlatformEventType } from '../../contract/events.ts'
import type { Subjects } from './subjects.ts'

const DAY_MS = 86_400_000
/** Of nats-server's own error codes. */
const STREAM_NOT_FOUND = 10_059
/** Hosts acknowledge what they read at once: what one that vanished was sent and did not read goes to another after this. */
const UNREAD_MS = 1_500

export async function ensureStreams(nats: NatsConnection, subjects: Subjects): Promise<void> {
  const manager = await managerOf(nats)
  await ensureStream(manager, {
    name: subjects.offersStream,
    subjects: [subjects.offers],
    retention: RetentionPolicy.Workqueue,
    // In memory: an offer is a doorbell. A doorbell that is lost rings again by the sweep, and none is worth a disk write.
    storage: StorageType.Memory,
    // One message a task, however often it is announced while it waits (offers.ts).
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
    max_msgs: 1_000_000,
    max_age: nanos(3_600_000),
  })
  for (const [type, days] of Object.entries(PLATFORM_STREAMS) as [PlatformEventType, number][]) {
    await ensureStream(manager, {
      name: subjects.eventStream(type),
      subjects: [subjects.events(type)],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      max_age: nanos(days * DAY_MS),
      // Said, or another's limits would stay when the stream is healed.
      max_msgs: -1,
      max_bytes: -1,
      duplicate_window: nanos(120_000),
    })
  }
}

export async function ensureOfferConsumer(
  nats: NatsConnection,
  subjects: Subjects,
  lane: string,
  agent: string,
): Promise<void> {
  const manager = await managerOf(nats)
  const config: Partial<ConsumerConfig> & { durable_name: string } = {
    durable_name: subjects.offerConsumer(lane, agent),
    filter_subject: subjects.offersOf(lane, agent),
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: nanos(UNREAD_MS),
    max_ack_pending: 10_000,
    max_waiting: 2_048,
  }
  const { offersStream } = subjects
  const name = config.durable_name
  const orElse = (again: () => Promise<unknown>) => (error: unknown) => {
    if (error instanceof JetStreamApiError) return again()
    throw error
  }
  await manager.consumers
    .add(offersStream, config)
    // An earlier version made it with other settings, or somebody did. It keeps its place where the server lets it.
    .catch(orElse(() => manager.consumers.update(offersStream, name, config)))
    .catch(
      orElse(async () => {
        await manager.consumers.delete(offersStream, name)
        await manager.consumers.add(offersStream, config)
      }),
    )
}

async function managerOf(nats: NatsConnection): Promise<JetStreamManager> {
  try {
    return await jetstreamManager(nats, { timeout: 3_000 })
  } catch (error) {
    const message = 'The NATS server has no JetStream; start it with `-js` (or `jetstream {}` in its configuration).'
    throw new TroupeError('bus_unavailable', message, { cause: error })
  }
}

async function ensureStream(
  manager: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
): Promise<void> {
  let refusal: JetStreamApiError
  try {
    await manager.streams.add(config)
    return
  } catch (error) {
    if (!(error instanceof JetStreamApiError)) throw error
    refusal = error
  }
  try {
    await manager.streams.update(config.name, config)
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) {
      const message = `NATS does not make the JetStream stream ${config.name}: ${refusal.message}.`
      throw new TroupeError('configuration_invalid', message, { cause: refusal })
    }
    throw new TroupeError(
      'configuration_invalid',
      `The JetStream stream ${config.name} exists with another configuration that cannot be changed ` +
        `(${(error as Error).message}). Delete it (no task is lost) or set another subject prefix.`,
      { cause: error },
    )
  }
}
