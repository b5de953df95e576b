// The queue of offers on a real NATS server: its length is what autoscalers go by, and what waits in it may be announced
// as often as a sweep likes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AckPolicy, DiscardPolicy, jetstream, jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream'
import { connect, nanos } from '@nats-io/transport-node'
import type { Bus, Offer } from '../../src/bus/bus.ts'
import { openNatsBus } from '../../src/bus/nats/index.ts'
import { missing, startNats } from '../support/servers.ts'
import { offerOf } from './offer-of.ts'

const options = { skip: missing('nats'), timeout: 180_000 }
const STREAM = 'TROUPE_OFFERS'
/** Twenty rounds, three seconds apart, are a minute of a sweep. */
const ROUNDS = 20

/** As the desk offers what it has just accepted: the row goes along, and many tasks share a message. */
function fresh(offer: Offer): Offer {
  const { taskId: id, tenant, agent, agentVersion, priority, epoch } = offer
  const times = { createdAt: 0, updatedAt: 0, lastEvent: 1 }
  const nothing = { input: null, version: 0, ownerDeaths: 0, depth: 0, mailPosition: 0, mailRead: 0 }
  return { ...offer, task: { id, tenant, agent, agentVersion, priority, epoch, state: 'queued', ...times, ...nothing } }
}

async function scene(t: { after(end: () => Promise<void>): void }) {
  const server = await startNats()
  const nats = await connect({ servers: server.url })
  const manager = await jetstreamManager(nats)
  const buses: Bus[] = []
  t.after(async () => {
    await Promise.all(buses.map((bus) => bus.close()))
    await nats.close()
    await server.stop()
  })
  return {
    nats,
    manager,
    async bus(): Promise<Bus> {
      const bus = await openNatsBus({ url: server.url })
      buses.push(bus)
      return bus
    },
    pending: async (consumer: string) => (await manager.consumers.info(STREAM, consumer)).num_pending,
    read: async (consumer: string) => (await manager.consumers.info(STREAM, consumer)).num_ack_pending === 0,
    /** What the bus has sent by now is in the stream when a round trip on its connection is over. */
    sent: (bus: Bus) => bus.control('nobody', { verb: 'ping' }, 500).catch(() => {}),
  }
}

test(
  'while all hosts are busy the queue is as long as there are tasks, after a minute of sweeps on two hosts',
  options,
  async (t) => {
    const { bus: open, pending, sent } = await scene(t)
    const [gateway, first, second] = [await open(), await open(), await open()]
    const taken = new Set<string>()
    const takers = [first, second].map((bus) => bus.take(['busy'], ({ taskId }) => taken.add(taskId)))
    // A host with no room makes its consumers and pulls nothing.
    takers[0]!.more(1)
    const early = offerOf('busy')
    gateway.offer(early)
    while (taken.size === 0) await sent(first)
    const offers = Array.from({ length: 100 }, () => offerOf('busy'))
    for (const offer of offers) gateway.offer(fresh(offer))
    await sent(gateway)
    const accepted = await pending('normal-busy')
    assert.ok(accepted <= 100, `${accepted} messages for 100 tasks just accepted`)
    for (let round = 1; round <= ROUNDS; round++) {
      for (const bus of [first, second]) for (const offer of offers) bus.offer(offer)
    }
    await Promise.all([sent(first), sent(second)])
    assert.equal(await pending('normal-busy'), 100)

    const all = Promise.withResolvers<void>()
    const third = await open()
    const ran = new Set<string>()
    const taker = third.take(['busy'], ({ taskId }) => {
      ran.add(taskId)
      if (ran.size === 100) all.resolve()
    })
    taker.more(1_000)
    await all.promise
    assert.deepEqual(ran, new Set(offers.map(({ taskId }) => taskId)))
  },
)

test('a task whose offer was read and came to nothing is announced by the next sweep', options, async (t) => {
  const { bus: open, read, sent } = await scene(t)
  const bus = await open()
  const heard: string[] = []
  let next = Promise.withResolvers<void>()
  const taker = bus.take(['lost'], ({ taskId }) => {
    heard.push(taskId)
    next.resolve()
  })
  taker.more(10)
  const offer = offerOf('lost')
  for (let round = 1; round <= 3; round++) {
    bus.offer(offer)
    await next.promise
    next = Promise.withResolvers<void>()
    // Read and acknowledged: the next sweep comes seconds later.
    while (!(await read('normal-lost'))) await sent(bus)
  }
  assert.deepEqual(heard, [offer.taskId, offer.taskId, offer.taskId])
})

test(
  'what a dead host was sent and never read rings at once for who takes over, and by itself within two seconds',
  options,
  async (t) => {
    const { bus: open, nats, sent } = await scene(t)
    const bus = await open()
    const heard: Offer[] = []
    let next = Promise.withResolvers<void>()
    const taker = bus.take(['dead'], (offer) => {
      heard.push(offer)
      next.resolve()
    })
    taker.more(1)
    bus.offer(offerOf('dead'))
    await next.promise
    // No room at the host that lives: the one that is about to die is sent the offer, and reads nothing.
    const offer = offerOf('dead')
    bus.offer(offer)
    await sent(bus)
    const consumer = await jetstream(nats).consumers.get(STREAM, 'normal-dead')
    assert.notEqual(await consumer.next({ expires: 2_000 }), null)
    next = Promise.withResolvers<void>()
    taker.more(1)
    bus.offer({ ...offer, because: 'host_dead' })
    await next.promise
    assert.equal(heard[1]?.taskId, offer.taskId)
    // The one that was sent and not acknowledged comes back without anybody's doing.
    const before = performance.now()
    next = Promise.withResolvers<void>()
    taker.more(1)
    await next.promise
    assert.equal(heard[2]?.taskId, offer.taskId)
    assert.ok(performance.now() - before < 15_000, 'NATS by itself would wait for half a minute')
  },
)

test('stream and consumers of an earlier version are brought to this one, and offers flow', options, async (t) => {
  const { bus: open, manager } = await scene(t)
  await manager.streams.add({
    name: STREAM,
    subjects: ['troupe.offers.>'],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.Memory,
    discard: DiscardPolicy.Old,
    max_msgs: 1_000_000,
    duplicate_window: nanos(2_000),
  })
  await manager.consumers.add(STREAM, {
    durable_name: 'normal-old',
    filter_subject: 'troupe.offers.normal.old',
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(5_000),
  })
  const bus = await open()
  const heard = Promise.withResolvers<string>()
  const taker = bus.take(['old'], ({ taskId }) => heard.resolve(taskId))
  taker.more(1)
  const offer = offerOf('old')
  bus.offer(offer)
  assert.equal(await heard.promise, offer.taskId)
})
