import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { jetstreamManager, RetentionPolicy } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import type { Bus, Offer } from '../../src/bus/bus.ts'
import { openNatsBus } from '../../src/bus/nats/index.ts'
import { newId } from '../../src/contract/ids.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/server-process.ts'
import { missing, startNats } from '../support/servers.ts'
import { busContract } from './contract.ts'
import { offerOf } from './offer-of.ts'

const skip = missing('nats')

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

const freshOffer = (agent: string): Offer => {
  const offer = offerOf(agent)
  const { taskId: id, tenant, agentVersion, priority, epoch } = offer
  const times = { createdAt: 0, updatedAt: 0, lastEvent: 1 }
  const nothing = { input: null, version: 0, ownerDeaths: 0, depth: 0, mailPosition: 0, mailRead: 0 }
  return { ...offer, task: { id, tenant, agent, agentVersion, priority, epoch, state: 'queued', ...times, ...nothing } }
}

/** Counts the messages on a subject, whoever they are for. */
async function countMessages(url: string, subject: string) {
  const nats = await connect({ servers: url })
  let count = 0
  nats.subscribe(subject, {
    callback: () => {
      count++
    },
  })
  await nats.flush()
  return {
    async seen() {
      await nats.flush()
      return count
    },
    close: () => nats.close(),
  }
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

test('credentials that NATS refuses for a while are tried for ever, and the state says so', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-nats-user-'))
  t.after(() => rmSync(folder, { recursive: true }))
  // The server is another user's.
  chmodSync(folder, 0o755)
  const allow = (password: string) =>
    writeFileSync(join(folder, 'user.conf'), `authorization { user: troupe, password: ${password} }`)
  allow('old')
  const monitor = await freePort()
  const config = `http: "127.0.0.1:${monitor}"\ninclude "../${basename(folder)}/user.conf"`
  const server = await startNats({ config })
  t.after(() => server.stop())
  const bus = await openNatsBus({ url: server.url.replace('//', '//troupe:old@') })
  t.after(() => bus.close())
  const attempts = async () => {
    const answer = (await (await fetch(`http://127.0.0.1:${monitor}/varz`)).json()) as { total_connections: number }
    return answer.total_connections
  }

  const before = await attempts()
  allow('new')
  process.kill(server.pid!, 'SIGHUP')
  await eventually('the third attempt', async () => (await attempts()) >= before + 3)
  await eventually('the state tells of it', () => /refuses the credentials/.test(bus.status().detail ?? ''))
  allow('old')
  process.kill(server.pid!, 'SIGHUP')
  await eventually('the connection', () => bus.status().connected)
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

test('tasks of one turn are offered in few messages; what a host has no room for goes to another', {
  skip,
}, async () => {
  const server = await startNats()
  const [small, large] = [await openNatsBus({ url: server.url }), await openNatsBus({ url: server.url })]
  const counter = await countMessages(server.url, 'troupe.offers.>')
  const all = Promise.withResolvers<void>()
  const taken = { small: new Set<string>(), large: new Set<string>() }
  const take = (bus: Bus, into: Set<string>) =>
    bus.take(['batch'], (offer) => {
      assert.equal(offer.task?.id, offer.taskId)
      into.add(offer.taskId)
      if (taken.small.size + taken.large.size === 60) all.resolve()
    })
  const takers = [take(small, taken.small), take(large, taken.large)]
  takers[0]!.more(3)
  const offers = Array.from({ length: 60 }, () => freshOffer('batch'))
  for (const offer of offers) small.offer(offer)
  takers[1]!.more(100)
  await all.promise
  assert.ok(taken.small.size <= 3, `${taken.small.size} for the host with room for three`)
  assert.deepEqual(new Set([...taken.small, ...taken.large]), new Set(offers.map(({ taskId }) => taskId)))
  // Four batches of at most 16, and each time what the small host gave back.
  const messages = await counter.seen()
  assert.ok(messages <= 8, `${messages} messages for 60 offers`)
  for (const taker of takers) await taker.stop()
  await counter.close()
  await Promise.all([small.close(), large.close()])
  await server.stop()
})

test('the events of one turn travel in few messages, and each follower gets those of its task', { skip }, async () => {
  const server = await startNats()
  const bus = await openNatsBus({ url: server.url })
  const counter = await countMessages(server.url, 'troupe.live.>')
  const tasks = Array.from({ length: 50 }, () => newId('task'))
  const seen = new Map<string, number[]>()
  const all = Promise.withResolvers<void>()
  let heard = 0
  const stops = tasks.map((task) =>
    bus.follow('t', task, (events) => {
      for (const event of events) {
        assert.equal(event.task, task)
        seen.set(task, [...(seen.get(task) ?? []), event.number])
        if (++heard === 100) all.resolve()
      }
    }),
  )
  await bus.control('nobody', { verb: 'ping' }, 200).catch(() => {})
  for (const number of [2, 3]) {
    for (const task of tasks) bus.publish('t', [{ task, number, at: 0, body: { type: 'progress' } }])
  }
  await all.promise
  for (const task of tasks) assert.deepEqual(seen.get(task), [2, 3])
  const messages = await counter.seen()
  assert.ok(messages <= 2, `${messages} messages for 100 events`)
  for (const stop of stops) stop()
  await counter.close()
  await bus.close()
  await server.stop()
})

test('an event too large for a message is not announced and harms nothing', { skip }, async () => {
  const server = await startNats()
  const bus = await openNatsBus({ url: server.url })
  const arrived = Promise.withResolvers<number>()
  const stop = bus.follow('t', undefined, (events) => arrived.resolve(events[0]!.number))
  await bus.control('nobody', { verb: 'ping' }, 200).catch(() => {})
  const large = 'x'.repeat(2_000_000)
  bus.publish('t', [{ task: 'task_1', number: 2, at: 0, body: { type: 'progress', message: large } }])
  bus.publish('t', [{ task: 'task_1', number: 3, at: 0, body: { type: 'progress' } }])
  assert.equal(await arrived.promise, 3)
  stop()
  await bus.close()
  await server.stop()
})
