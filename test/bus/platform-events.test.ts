// The platform's event streams under load, over a real NATS server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { openNatsBus } from '../../src/bus/nats/index.ts'
import { PLATFORM_STREAMS, type PlatformEvent, type PlatformEventType } from '../../src/contract/events.ts'
import { newId } from '../../src/contract/ids.ts'
import { missing, startNats } from '../support/servers.ts'

const skip = missing('nats')
const TYPES = Object.keys(PLATFORM_STREAMS) as PlatformEventType[]

const eventOf = (n: number): PlatformEvent => ({
  id: newId('evt'),
  type: TYPES[n % TYPES.length]!,
  tenant: 't',
  at: 0,
  data: { n },
})

test('four thousand published at once are all stored, and followed in their order', {
  skip,
  timeout: 180_000,
}, async (t) => {
  const server = await startNats()
  const bus = await openNatsBus({ url: server.url })
  t.after(async () => {
    await bus.close()
    await server.stop()
  })
  const seen = new Map<string, number[]>(TYPES.map((type) => [type, []]))
  const all = Promise.withResolvers<void>()
  let count = 0
  const stop = await bus.followPlatform(TYPES, {}, ({ type, data }, sequence) => {
    const numbers = seen.get(type)!
    numbers.push(data.n as number)
    assert.equal(sequence, numbers.length)
    if (++count === 4_000) all.resolve()
  })
  await Promise.all(Array.from({ length: 4_000 }, (_, n) => bus.publishPlatform(eventOf(n))))
  await all.promise
  stop()
  for (const numbers of seen.values()) {
    assert.equal(numbers.length, 800)
    assert.ok(numbers.every((n, index) => index === 0 || n > numbers[index - 1]!))
  }
})

test('what NATS does not acknowledge is bounded: the rest is refused at once', {
  skip,
  timeout: 180_000,
}, async (t) => {
  const server = await startNats()
  const bus = await openNatsBus({ url: server.url })
  t.after(async () => {
    await bus.close()
    await server.stop()
  })
  // All in one turn: no acknowledgement can have come.
  const outcomes = await Promise.allSettled(Array.from({ length: 5_000 }, (_, n) => bus.publishPlatform(eventOf(n))))
  const refused = outcomes.filter((one) => one.status === 'rejected')
  // A busy machine may give up more of them later, one by one.
  assert.equal(refused.filter(({ reason }) => /4096 wait for NATS/.test(reason.message)).length, 5_000 - 4_096)
  for (const one of refused) assert.equal(one.reason.code, 'bus_unavailable')
  await bus.publishPlatform(eventOf(0))
})

test('a stream that was deleted and made anew is followed from its beginning, also by who comes with an old position', {
  skip,
  timeout: 180_000,
}, async (t) => {
  const server = await startNats()
  const bus = await openNatsBus({ url: server.url })
  const nats = await connect({ servers: server.url })
  t.after(async () => {
    await bus.close()
    await nats.close()
    await server.stop()
  })
  const [type] = TYPES
  const seen: number[] = []
  const again = Promise.withResolvers<void>()
  const stop = await bus.followPlatform([type!], {}, ({ data }, sequence) => {
    seen.push(sequence)
    if (data.n === 2 * TYPES.length) again.resolve()
  })
  for (let round = 0; round < 2; round++) await bus.publishPlatform(eventOf(0))
  const manager = await jetstreamManager(nats)
  const [name] = (await manager.streams.names().next()).filter((one) => one.endsWith(`EVENTS_${type!.toUpperCase()}`))
  await manager.streams.delete(name!)
  const maker = await openNatsBus({ url: server.url })
  await maker.close()
  for (const round of [1, 2]) await bus.publishPlatform(eventOf(round * TYPES.length))
  await again.promise
  assert.deepEqual(seen, [1, 2, 1, 2])
  stop()

  const late = Promise.withResolvers<number>()
  const stopLate = await bus.followPlatform([type!], { after: { [type!]: 5_000 } }, (_, sequence) =>
    late.resolve(sequence),
  )
  assert.equal(await late.promise, 1)
  stopLate()
})

test('each stream is a file that keeps what it was told for its days', { skip, timeout: 180_000 }, async (t) => {
  const server = await startNats()
  const bus = await openNatsBus({ url: server.url })
  const nats = await connect({ servers: server.url })
  t.after(async () => {
    await nats.close()
    await bus.close()
    await server.stop()
  })
  const manager = await jetstreamManager(nats)
  const days = {
    document_uploaded: 30,
    document_processed: 90,
    agent_status: 7,
    system_alert: 365,
    performance_metric: 30,
  }
  assert.deepEqual(PLATFORM_STREAMS, days)
  for (const [type, kept] of Object.entries(days)) {
    const { config } = await manager.streams.info(`TROUPE_EVENTS_${type.toUpperCase()}`)
    assert.deepEqual([config.max_age, config.storage, config.retention], [kept * 86_400e9, 'file', 'limits'])
  }
})
