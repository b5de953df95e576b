import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { connect } from '@nats-io/transport-node'
import type { Bus, TellEntruster } from '../../src/bus/bus.ts'
import { openNatsBus } from '../../src/bus/nats/index.ts'
import { newId } from '../../src/contract/ids.ts'
import type { NewTask } from '../../src/journal/journal.ts'
import { missing, startNats, type TestServer } from '../support/servers.ts'

const taskFor = (agent: string): NewTask => ({
  id: newId('task'),
  tenant: 't',
  agent,
  agentVersion: '1.0.0',
  input: { n: 1 },
  priority: 'normal',
  depth: 0,
})

describe('entrusting over NATS', { skip: missing('nats') }, () => {
  let server: TestServer
  let gateway: Bus
  let host: Bus
  before(async () => {
    server = await startNats()
    host = await openNatsBus({ url: server.url })
  })
  // Each test a gateway of its own: who was not answered is left alone for a while, and that would be the next test's.
  const fresh = async (t: { after(fn: () => Promise<void>): void }) => {
    gateway = await openNatsBus({ url: server.url })
    t.after(() => gateway.close())
    return gateway
  }
  after(async () => {
    await host?.close()
    await server?.stop()
  })

  /** Serves until the test ends. */
  async function serve(
    t: { after(fn: () => Promise<void>): void },
    agent: string,
    handler: (task: NewTask, tell: TellEntruster) => void,
  ) {
    const served = host.onEntrusted!(agent, '1.0.0', handler)
    t.after(() => served.stop())
    await known()
  }

  /** What the host subscribed to is known to the server before anybody is given anything. */
  const known = () => host.control('nobody', { verb: 'ping' }, 2_000).catch(() => {})

  test('what a host tells in one turn is known together: accepted, and how it ended', async (t) => {
    const bus = await fresh(t)
    const got: NewTask[] = []
    await serve(t, 'whole', (task, tell) => {
      got.push(task)
      tell.accepted(42)
      tell.ended!('completed')
    })
    const task = taskFor('whole')
    const entrusted = bus.entrust!(task, true)!
    assert.equal(await entrusted.accepted, 42)
    assert.equal(entrusted.ended, 'completed')
    assert.deepEqual(got, [task])
  })

  test('an end that comes later is told to who watches, and to nobody who does not', async (t) => {
    const bus = await fresh(t)
    const tellers: TellEntruster[] = []
    await serve(t, 'later', (_task, tell) => {
      tellers.push(tell)
      tell.accepted(1)
    })
    const watched = bus.entrust!(taskFor('later'), true)!
    const unwatched = bus.entrust!(taskFor('later'), false)!
    await Promise.all([watched.accepted, unwatched.accepted])
    assert.equal(watched.ended, undefined)
    const ended = new Promise((resolve) => watched.onEnd(resolve))
    assert.equal(tellers[1]!.ended, undefined)
    tellers[0]!.ended!('failed')
    assert.equal(await ended, 'failed')
  })

  test('tasks of one turn travel in one message and are answered in one', async (t) => {
    const bus = await fresh(t)
    const nats = await connect({ servers: server.url })
    t.after(() => nats.close())
    const seen = { given: 0, answers: 0 }
    nats.subscribe('troupe.entrusted.many.>', { callback: () => void seen.given++ })
    nats.subscribe('troupe.answers.>', { callback: () => void seen.answers++ })
    await nats.flush()
    await serve(t, 'many', (_task, tell) => {
      tell.accepted(1)
      tell.ended!('completed')
    })
    const all = Array.from({ length: 20 }, () => bus.entrust!(taskFor('many'), true)!)
    assert.ok((await Promise.all(all.map(({ accepted }) => accepted))).every((at) => at === 1))
    await nats.flush()
    assert.deepEqual(seen, { given: 1, answers: 1 })
  })

  test('where no host has the version, that is known at once and not asked again for a while', async (t) => {
    const bus = await fresh(t)
    const begun = performance.now()
    assert.equal(await bus.entrust!(taskFor('nobody-has-it'), true)!.accepted, undefined)
    assert.ok(performance.now() - begun < 200, `${performance.now() - begun} ms`)
    assert.equal(bus.entrust!(taskFor('nobody-has-it'), true), undefined)
  })

  test('a refusal is known at once, and leaves the rest of the batch where it is', async (t) => {
    const bus = await fresh(t)
    let room = 2
    await serve(t, 'small', (_task, tell) => {
      if (room-- > 0) tell.accepted(7)
      else tell.refused()
    })
    const all = Array.from({ length: 3 }, () => bus.entrust!(taskFor('small'), false)!)
    assert.deepEqual(await Promise.all(all.map(({ accepted }) => accepted)), [7, 7, undefined])
    assert.equal(bus.entrust!(taskFor('small'), false), undefined)
  })

  test('a silent host costs a moment’s patience, once; then hosts are left alone', async (t) => {
    const bus = await fresh(t)
    let tellLate = () => {}
    await serve(t, 'silent', (_task, tell) => {
      tellLate = () => tell.accepted(1)
    })
    const begun = performance.now()
    assert.equal(await bus.entrust!(taskFor('silent'), true)!.accepted, undefined)
    assert.ok(performance.now() - begun < 1_000, `${performance.now() - begun} ms`)
    assert.equal(bus.entrust!(taskFor('whatever'), true), undefined)
    // An answer that comes too late is nobody's, and harms nobody.
    tellLate()
  })

  test('a host that stops refuses what is on its way to it', async (t) => {
    const bus = await fresh(t)
    let open = true
    const served = host.onEntrusted!('stopping', '1.0.0', (_task, tell) => (open ? tell.accepted(1) : tell.refused()))
    await known()
    assert.equal(await bus.entrust!(taskFor('stopping'), false)!.accepted, 1)
    open = false
    const begun = performance.now()
    const given = bus.entrust!(taskFor('stopping'), false)!
    await served.stop()
    assert.equal(await given.accepted, undefined)
    assert.ok(performance.now() - begun < 200, `${performance.now() - begun} ms`)
  })

  test('without a connection nothing is given away', async (t) => {
    const own = await startNats()
    t.after(() => own.stop())
    const bus = await openNatsBus({ url: own.url })
    t.after(() => bus.close())
    await own.down()
    while (bus.status().connected) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(bus.entrust!(taskFor('whole'), true), undefined)
  })
})
