import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jetstreamManager, RetentionPolicy } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import type { Bus, Offer } from '../../src/bus/bus.ts'
import { openNatsBus } from '../../src/bus/nats/index.ts'
import { newId } from '../../src/contract/ids.ts'
import { missing, startNats } from '../support/servers.ts'
import { busContract } from './contract.ts'

const skip = missing('nats')

const offerOf = (agent: string): Offer => ({
  taskId: newId('task'),
  tenant: 't',
  agent,
  agentVersion: '1.0.0',
  priority: 'normal',
  epoch: 0,
})

if (skip === false) {
  busContract('nats', async () => {
    const server = await startNats()
    const [first, second] = [await openNatsBus({ url: server.url }), await openNatsBus({ url: server.url })]
    return {
      first,
      second,
      async close() {
        await first.close()
        await second.close()
        await server.stop()
      },
    }
  })
}

/** Offers until one arrives: what a sweep does. */
async function offerUntilTaken(bus: Bus, agent: string, taken: Promise<unknown>): Promise<void> {
  const timer = setInterval(() => bus.offer(offerOf(agent)), 100)
  await taken.finally(() => clearInterval(timer))
}

test('a store that was emptied is made anew, and offers flow again', { skip }, async () => {
  const server = await startNats()
  const bus = await openNatsBus({ url: server.url })
  let arrived = Promise.withResolvers<void>()
  const taker = bus.take(['heals'], () => arrived.resolve())
  taker.more(100)
  await offerUntilTaken(bus, 'heals', arrived.promise)
  const nats = await connect({ servers: server.url })
  const manager = await jetstreamManager(nats)
  for await (const { config } of manager.streams.list()) await manager.streams.delete(config.name)
  await nats.close()
  arrived = Promise.withResolvers<void>()
  await offerUntilTaken(bus, 'heals', arrived.promise)
  await bus.close()
  await server.stop()
})

test('a server that was restarted is found again, and offers flow again', { skip }, async () => {
  const server = await startNats()
  const bus = await openNatsBus({ url: server.url })
  let arrived = Promise.withResolvers<void>()
  const taker = bus.take(['returns'], () => arrived.resolve())
  taker.more(100)
  await offerUntilTaken(bus, 'returns', arrived.promise)
  await server.restart()
  arrived = Promise.withResolvers<void>()
  await offerUntilTaken(bus, 'returns', arrived.promise)
  assert.equal(bus.status().connected, true)
  await bus.close()
  await server.stop()
})

test('a server that cannot be reached is refused in one line', { skip }, async () => {
  await assert.rejects(openNatsBus({ url: 'nats://127.0.0.1:1' }), {
    code: 'bus_unavailable',
    message: /127\.0\.0\.1:1/,
  })
})

test('a server without JetStream is refused with what to do', { skip }, async () => {
  const server = await startNats({ jetstream: false })
  await assert.rejects(openNatsBus({ url: server.url }), { code: 'bus_unavailable', message: /-js/ })
  await server.stop()
})

test('wrong credentials are refused without telling the password', { skip }, async () => {
  const server = await startNats({ config: 'authorization { user: troupe, password: right }' })
  const url = new URL(server.url)
  const wrong = `nats://troupe:wrong-secret@${url.host}`
  await assert.rejects(openNatsBus({ url: wrong }), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'configuration_invalid')
    assert.ok(!error.message.includes('wrong-secret'))
    return true
  })
  const bus = await openNatsBus({ url: `nats://troupe:right@${url.host}` })
  await bus.close()
  await server.stop()
})

test('a stream that somebody configured so that it cannot be changed is refused by name', { skip }, async () => {
  const server = await startNats()
  const nats = await connect({ servers: server.url })
  const manager = await jetstreamManager(nats)
  await manager.streams.add({ name: 'TROUPE_OFFERS', subjects: ['troupe.offers.>'], retention: RetentionPolicy.Limits })
  await assert.rejects(openNatsBus({ url: server.url }), { code: 'configuration_invalid', message: /TROUPE_OFFERS/ })
  const other = await openNatsBus({ url: server.url, prefix: 'other' })
  await other.close()
  await nats.close()
  await server.stop()
})
