import assert from 'node:assert/strict'
import { after, before, describe, type MockTimersOptions, type TestContext, test } from 'node:test'
import { connect } from '@nats-io/transport-node'
import type { Bus, Entruster, Entrusting, TaskEnd, TellEntruster } from '../../src/bus/bus.ts'
import { openNatsBus } from '../../src/bus/nats/index.ts'
import { newId } from '../../src/contract/ids.ts'
import type { NewTask } from '../../src/journal/journal.ts'
import { eventually } from '../support/eventually.ts'
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

const endOf = (state: TaskEnd['state'], output?: unknown): TaskEnd => ({
  state,
  startedAt: 1,
  updatedAt: 2,
  endedAt: 2,
  lastEvent: 3,
  ...(output === undefined ? {} : { output }),
})

/** A giver whose patience does not end knows only what it was told. */
const NOBODY_GIVES_UP: MockTimersOptions = { apis: ['setTimeout'] }

describe('entrusting over NATS', { skip: missing('nats'), timeout: 120_000 }, () => {
  let server: TestServer
  let host: Bus
  before(async () => {
    server = await startNats()
    host = await openNatsBus({ url: server.url })
  })
  // Each test a gateway of its own: who was not answered is left alone for a while, and that would be the next test's.
  async function fresh(t: TestContext): Promise<Entruster> {
    const gateway = await openNatsBus({ url: server.url })
    t.after(() => gateway.close())
    return gateway.entruster!()
  }
  after(async () => {
    await host?.close()
    await server?.stop()
  })

  /** Serves until the test ends. */
  async function serve(
    t: TestContext,
    gateway: Entruster,
    agent: string,
    take: (task: NewTask, tell: TellEntruster) => void,
    { by = host, room = (): number => 256 } = {},
  ) {
    const served = by.onEntrusted!(agent, '1.0.0', { take, room })
    t.after(() => served.stop())
    await hears(gateway, agent)
    return served
  }

  const hears = (gateway: Entruster, agent: string) =>
    eventually('the gateway hears of it', () => gateway.room(agent, '1.0.0') > 0)

  test('what a host tells in one turn is known together: accepted, and how it ended', async (t) => {
    const gateway = await fresh(t)
    const got: NewTask[] = []
    await serve(t, gateway, 'whole', (task, tell) => {
      got.push(task)
      tell.accepted(42)
      tell.ended!(endOf('completed'))
    })
    const task = taskFor('whole')
    const entrusted = gateway.give(task, 'end')!
    assert.equal(await entrusted.accepted, 42)
    assert.deepEqual(entrusted.ended, { state: 'completed' })
    assert.deepEqual(got, [task])
  })

  test('an end that comes later is told to who watches, and to nobody who does not', async (t) => {
    const gateway = await fresh(t)
    const tellers: TellEntruster[] = []
    await serve(t, gateway, 'later', (_task, tell) => {
      tellers.push(tell)
      tell.accepted(1)
    })
    const watched = gateway.give(taskFor('later'), 'end')!
    const unwatched = gateway.give(taskFor('later'))!
    await Promise.all([watched.accepted, unwatched.accepted])
    assert.equal(watched.ended, undefined)
    const ended = new Promise((resolve) => watched.onEnd(resolve))
    assert.equal(tellers[1]!.ended, undefined)
    tellers[0]!.ended!(endOf('failed'))
    assert.deepEqual(await ended, { state: 'failed' })
  })

  test('tasks of one turn travel in one message and are answered in one', async (t) => {
    const gateway = await fresh(t)
    const nats = await connect({ servers: server.url })
    t.after(() => nats.close())
    const seen = { given: 0, answers: 0 }
    nats.subscribe('troupe.entrusted.>', { callback: () => void seen.given++ })
    nats.subscribe('troupe.answers.>', { callback: () => void seen.answers++ })
    await nats.flush()
    await serve(t, gateway, 'many', (_task, tell) => {
      tell.accepted(1)
      tell.ended!(endOf('completed'))
    })
    const all = Array.from({ length: 20 }, () => gateway.give(taskFor('many'), 'end')!)
    assert.ok((await Promise.all(all.map(({ accepted }) => accepted))).every((at) => at === 1))
    await nats.flush()
    assert.deepEqual(seen, { given: 1, answers: 1 })
  })

  test('where no host has the version, nothing is given away', async (t) => {
    const gateway = await fresh(t)
    await serve(t, gateway, 'somebody-has-it', () => {})
    assert.equal(gateway.give(taskFor('nobody-has-it'), 'end'), undefined)
  })

  test('what is given to a host that is gone comes back at once, and it is given no more', async (t) => {
    const gateway = await fresh(t)
    const gone = await openNatsBus({ url: server.url })
    await serve(t, gateway, 'gone', () => {}, { by: gone })
    gone.serveControl('gone', async () => {})
    await gone.close()
    const answers = () => host.control('gone', { verb: 'ping' }, 1_000).then(Boolean, () => false)
    await eventually('the server knows it, too', async () => !(await answers()))
    t.mock.timers.enable(NOBODY_GIVES_UP)
    assert.equal(await gateway.give(taskFor('gone'), 'end')!.accepted, undefined)
    t.mock.timers.reset()
    assert.equal(gateway.give(taskFor('gone'), 'end'), undefined)
  })

  test('a burst is shared out in proportion to the room of each host, and no host gets more than that', async (t) => {
    const gateway = await fresh(t)
    const got = [0, 0, 0]
    for (const [index, room] of [16, 8, 4].entries()) {
      const own = await openNatsBus({ url: server.url })
      t.after(() => own.close())
      const take = (_task: NewTask, tell: TellEntruster) => {
        got[index]! += 1
        tell.accepted(1)
      }
      await serve(t, gateway, 'shared', take, { by: own, room: () => room - got[index]! })
    }
    await eventually('all three are heard of', () => gateway.room('shared', '1.0.0') === 28)
    const give = (count: number) => Array.from({ length: count }, () => gateway.give(taskFor('shared')))
    const first = give(14)
    await Promise.all(first.map((one) => one!.accepted))
    assert.deepEqual(got, [8, 4, 2])
    const rest = give(20)
    await Promise.all(rest.map((one) => one?.accepted))
    assert.deepEqual(got, [16, 8, 4])
    assert.equal(rest.filter((one) => one === undefined).length, 6)
  })

  test('a host that was full is given tasks again when it says that it is free', async (t) => {
    const gateway = await fresh(t)
    let room = 1
    await serve(
      t,
      gateway,
      'freed',
      (_task, tell) => {
        room -= 1
        tell.accepted(1)
      },
      { room: () => room },
    )
    assert.equal(await gateway.give(taskFor('freed'))!.accepted, 1)
    assert.equal(gateway.give(taskFor('freed')), undefined)
    room = 1
    await hears(gateway, 'freed')
    assert.equal(await gateway.give(taskFor('freed'))!.accepted, 1)
  })

  test('a result comes with the end where it is wanted and small; where it is not, only the end does', async (t) => {
    const gateway = await fresh(t)
    const outputs = new Map<string, unknown>()
    await serve(t, gateway, 'result', (task, tell) => {
      tell.accepted(1)
      tell.ended?.(endOf('completed', outputs.get(task.id)))
    })
    const give = (output: unknown, wants?: 'end' | 'result') => {
      const task = taskFor('result')
      outputs.set(task.id, output)
      return gateway.give(task, wants)!
    }
    const ended = async (one: Entrusting) => {
      await one.accepted
      return one.ended
    }
    const small = { text: 'grüße \u2028 "quoted"' }
    assert.deepEqual(await ended(give(small, 'result')), { state: 'completed', end: endOf('completed', small) })
    assert.deepEqual(await ended(give(small, 'end')), { state: 'completed' })
    assert.equal(await ended(give(small)), undefined)
    assert.deepEqual(await ended(give('x'.repeat(40_000), 'result')), { state: 'completed' })
    // Each of them is small, all of them together are more than a server takes in one message.
    const many = await Promise.all(Array.from({ length: 150 }, () => ended(give('x'.repeat(8_000), 'result'))))
    assert.ok(many.every((end) => end?.state === 'completed'))
    assert.ok(many.some((end) => end?.end !== undefined) && many.some((end) => end?.end === undefined))
  })

  test('a refusal is known at once, and leaves the rest of the batch where it is', async (t) => {
    const gateway = await fresh(t)
    let room = 2
    await serve(t, gateway, 'small', (_task, tell) => {
      if (room-- > 0) tell.accepted(7)
      else tell.refused()
    })
    const all = Array.from({ length: 3 }, () => gateway.give(taskFor('small'))!)
    assert.deepEqual(await Promise.all(all.map(({ accepted }) => accepted)), [7, 7, undefined])
    assert.equal(gateway.give(taskFor('small')), undefined)
  })

  test('a silent host costs a moment’s patience, once; then it is left alone', async (t) => {
    const gateway = await fresh(t)
    let tellLate = () => {}
    await serve(t, gateway, 'silent', (_task, tell) => {
      tellLate = () => tell.accepted(1)
    })
    const begun = performance.now()
    assert.equal(await gateway.give(taskFor('silent'), 'end')!.accepted, undefined)
    assert.ok(performance.now() - begun < 10_000, `${performance.now() - begun} ms`)
    assert.equal(gateway.give(taskFor('silent'), 'end'), undefined)
    // An answer that comes too late is nobody's, and harms nobody.
    tellLate()
  })

  test('a host that stops refuses what is on its way to it', async (t) => {
    const gateway = await fresh(t)
    let open = true
    const served = await serve(t, gateway, 'stopping', (_task, tell) => (open ? tell.accepted(1) : tell.refused()))
    assert.equal(await gateway.give(taskFor('stopping'))!.accepted, 1)
    open = false
    t.mock.timers.enable(NOBODY_GIVES_UP)
    const given = gateway.give(taskFor('stopping'))!
    await served.stop()
    assert.equal(await given.accepted, undefined)
    t.mock.timers.reset()
  })

  test('without a connection nothing is given away', async (t) => {
    const own = await startNats()
    t.after(() => own.stop())
    const bus = await openNatsBus({ url: own.url })
    t.after(() => bus.close())
    const gateway = bus.entruster!()
    await serve(t, gateway, 'cut-off', () => {}, { by: bus })
    await own.down()
    while (bus.status().connected) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(gateway.give(taskFor('cut-off'), 'end'), undefined)
  })
})
