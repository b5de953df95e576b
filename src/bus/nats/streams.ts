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
/** Several hosts' sweeps of one moment name the same tasks; the same offer after this long is a new one. */
const SAME_OFFER_MS = 2_000

export async function ensureStreams(nats: NatsConnection, subjects: Subjects): Promise<void> {
  const manager = await managerOf(nats)
  await ensureStream(manager, {
    name: subjects.offersStream,
    subjects: [subjects.offers],
    retention: RetentionPolicy.Workqueue,
    // In memory: an offer is a doorbell. A doorbell that is lost rings again by the sweep, and none is worth a disk write.
    storage: StorageType.Memory,
    discard: DiscardPolicy.Old,
    max_msgs: 1_000_000,
    max_age: nanos(3_600_000),
    duplicate_window: nanos(SAME_OFFER_MS),
  })
  for (const [type, days] of Object.entries(PLATFORM_STREAMS) as [PlatformEventType, number][]) {
    await ensureStream(manager, {
      name: subjects.eventStream(type),
      subjects: [subjects.events(type)],
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      max_age: nanos(days * DAY_MS),
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
    filter_subject: subjects.offer(lane, agent),
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: nanos(5_000),
    max_ack_pending: 10_000,
    max_waiting: 2_048,
  }
  await manager.consumers.add(subjects.offersStream, config)
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
  try {
    await manager.streams.add(config)
    return
  } catch (error) {
    if (!(error instanceof JetStreamApiError)) throw error
  }
  try {
    await manager.streams.update(config.name, config)
  } catch (error) {
    throw new TroupeError(
      'configuration_invalid',
      `The JetStream stream ${config.name} exists with another configuration that cannot be changed ` +
        `(${(error as Error).message}). Delete it (no task is lost) or set another subject prefix.`,
      { cause: error },
    )
  }
}
