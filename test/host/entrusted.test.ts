// What a gateway gives to a host before it is on disk, and everything that may fail on the way. In each case: one task,
// under the id that the caller was given, begun by one host, ended once.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Bus, Entruster } from '../../src/bus/bus.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { missing } from '../support/servers.ts'
import { echo, gated, mute, ONCE, openStage, submission, TENANT } from './entrusted-stage.ts'

/** Its accepts wait for a sign. */
function held(): { journal: (journal: Journal) => Journal; asked: Promise<void>; release: () => void } {
  const asked = Promise.withResolvers<void>()
  const sign = Promise.withResolvers<void>()
  return {
    journal: (journal) => ({
      ...journal,
      async accept(task) {
        asked.resolve()
        await sign.promise
        return await journal.accept(task)
      },
    }),
    asked: asked.promise,
    release: sign.resolve,
  }
}

describe('tasks entrusted to a host', { skip: missing('nats') }, () => {
  test('a host accepts and begins it; the gateway writes nothing and reads nothing to know its end', async (t) => {
    const stage = await openStage(t, [echo])
    const desk = await stage.openDesk({
      journal: (journal) => ({ ...journal, get: () => Promise.reject(new Error('nothing is to be read')) }),
    })
    await stage.startHost()
    const { task, created, ending } = await desk.submitAndWatch(submission, 'end')
    assert.equal(created, true)
    assert.equal((await ending.ended)?.state, 'completed')
    assert.deepEqual(stage.accepts, { desk: 0, host: 1 })
    assert.deepEqual(await stage.types(task.id), ONCE)
    assert.deepEqual((await stage.journal.get(task.id, TENANT))?.output, { n: 1 })
    assert.equal(await stage.journal.get(task.id, 'another-tenant'), undefined)
  })

  test('an idempotency key finds the earlier task, or a conflict, whichever of two gateways and two hosts is asked', async (t) => {
    const stage = await openStage(t, [echo])
    const [first, second] = [await stage.openDesk(), await stage.openDesk()]
    await stage.startHost()
    await stage.startHost()
    const keyed = { ...submission, idempotencyKey: 'once' }
    const answers = await Promise.all([first, second, first, second].map((desk) => desk.submitAndWatch(keyed, 'end')))
    assert.equal(new Set(answers.map(({ task }) => task.id)).size, 1)
    assert.equal(answers.filter(({ created }) => created).length, 1)
    const ended = await Promise.all(answers.map(({ ending }) => ending.ended))
    assert.ok(ended.every((end) => end?.state === 'completed'))
    assert.deepEqual(await stage.types(answers[0]!.task.id), ONCE)
    await assert.rejects(first.submit({ ...keyed, input: { n: 2 } }), { code: 'idempotency_conflict' })
  })

  test('an answer that is lost: the gateway finds the task that the host accepted, and its end', async (t) => {
    const stage = await openStage(t, [echo])
    const desk = await stage.openDesk()
    await stage.startHost({ bus: mute })
    for (const more of [{}, { idempotencyKey: 'kept' }]) {
      const { task, created, ending } = await desk.submitAndWatch({ ...submission, ...more }, 'end')
      assert.equal(created, true)
      assert.equal((await ending.ended)?.state, 'completed')
      assert.deepEqual(await stage.types(task.id), ONCE)
    }
  })

  test('an end that nobody was told of is found when the gateway accepts by itself, not looked for later', async (t) => {
    const stage = await openStage(t, [echo])
    const desk = await stage.openDesk({
      journal: (journal) => ({ ...journal, heads: () => Promise.reject(new Error('nothing is looked for')) }),
    })
    await stage.startHost({ bus: mute })
    const { created, ending } = await desk.submitAndWatch(submission, 'end')
    assert.equal(created, true)
    assert.equal((await ending.ended)?.state, 'completed')
  })

  test('what is over before anybody was told of it is announced to nobody; what goes on is', async (t) => {
    const { agent, submission: waits, ran, runs } = gated()
    const stage = await openStage(t, [echo, agent])
    const desk = await stage.openDesk()
    const announced = new Map<string, string[]>()
    const noting = (bus: Bus): Bus => ({
      ...bus,
      publish(tenant, events) {
        for (const { task, body } of events) announced.set(task, [...(announced.get(task) ?? []), body.type])
        bus.publish(tenant, events)
      },
    })
    await stage.startHost({ bus: noting })
    const short = await desk.submitAndWatch(submission, 'end')
    assert.equal((await short.ending.ended)?.state, 'completed')
    const seen: string[] = []
    for await (const { body } of desk.follow(TENANT, short.task.id, 0, AbortSignal.timeout(5_000))) seen.push(body.type)
    assert.deepEqual(seen, ONCE)
    assert.equal(announced.get(short.task.id), undefined)

    const long = await desk.submitAndWatch(waits, 'end')
    await ran(1)
    runs[0]!()
    assert.equal((await long.ending.ended)?.state, 'completed')
    assert.ok(announced.get(long.task.id)?.includes('task.completed'), `${announced.get(long.task.id)}`)
  })

  test('a host that dies after its commit and before its answer: another goes on with the same task', async (t) => {
    const { agent, submission, ran, runs } = gated()
    const stage = await openStage(t, [agent])
    const desk = await stage.openDesk()
    const dead = await stage.startHost({ bus: mute })
    const submitted = desk.submitAndWatch(submission, 'end')
    await ran(1)
    const { task, created, ending } = await submitted
    assert.equal(created, true)
    // What a supervisor does when it sees the exit.
    await stage.journal.endLease(dead.id)
    await stage.startHost()
    await ran(2)
    runs[1]!()
    assert.equal((await ending.ended)?.state, 'completed')
    const types = await stage.types(task.id)
    assert.equal(types.filter((type) => type === 'task.accepted').length, 1)
    assert.equal(types.filter((type) => type === 'task.started').length, 1)
    assert.ok(types.includes('task.owner_lost'))
  })

  test('a host that dies after its answer: who watches hears of the end from the host that came after', async (t) => {
    const { agent, submission, ran, runs } = gated()
    const stage = await openStage(t, [agent])
    const desk = await stage.openDesk()
    const dead = await stage.startHost()
    const { ending } = await desk.submitAndWatch(submission, 'end')
    await ran(1)
    assert.equal(stage.accepts.host, 1)
    await stage.journal.endLease(dead.id)
    await stage.startHost()
    await ran(2)
    runs[1]!()
    assert.equal((await ending.ended)?.state, 'completed')
  })

  for (const key of [undefined, 'late']) {
    const what = key === undefined ? 'without a key' : 'with a key'
    test(`a host that commits after the gateway gave up and did (${what}): one task, begun once`, async (t) => {
      const stage = await openStage(t, [echo])
      const { journal, asked, release } = held()
      const desk = await stage.openDesk()
      await stage.startHost({ journal })
      const wanted = key === undefined ? submission : { ...submission, idempotencyKey: key }
      const submitted = desk.submitAndWatch(wanted, 'end')
      await asked
      const { task, created, ending } = await submitted
      assert.equal(created, true)
      assert.deepEqual(stage.accepts, { desk: 1, host: 1 })
      release()
      assert.equal((await ending.ended)?.state, 'completed')
      assert.deepEqual(await stage.types(task.id), ONCE)
    })
  }

  test('a full host refuses at once: the task waits for it in the queue', async (t) => {
    const { agent, submission, ran, runs } = gated(1)
    const stage = await openStage(t, [agent])
    const desk = await stage.openDesk()
    await stage.startHost()
    const first = await desk.submitAndWatch(submission, 'end')
    await ran(1)
    const second = await desk.submitAndWatch(submission, 'end')
    assert.deepEqual(stage.accepts, { desk: 1, host: 1 })
    assert.equal((await desk.get(TENANT, second.task.id)).state, 'queued')
    runs[0]!()
    await ran(2)
    runs[1]!()
    const ended = await Promise.all([first.ending.ended, second.ending.ended])
    assert.ok(ended.every((end) => end?.state === 'completed'))
  })

  test('a host that drains takes nothing more, and what it had accepted goes to another', async (t) => {
    const { agent, submission, ran, runs } = gated()
    const stage = await openStage(t, [agent])
    const desk = await stage.openDesk()
    const host = await stage.startHost()
    const { ending } = await desk.submitAndWatch(submission, 'end')
    await ran(1)
    const drained = host.drain(1)
    const { task } = await desk.submit(submission)
    await drained
    assert.equal((await desk.get(TENANT, task.id)).state, 'queued')
    await stage.startHost()
    await ran(3)
    for (const release of runs) release()
    assert.equal((await ending.ended)?.state, 'completed')
    assert.equal((await desk.waitForEnd(TENANT, task.id, 10_000)).state, 'completed')
  })

  test('cancelled as soon as it is accepted, it ends as cancelled', async (t) => {
    const { agent, submission } = gated()
    const stage = await openStage(t, [agent])
    const desk = await stage.openDesk()
    await stage.startHost()
    const { task, ending } = await desk.submitAndWatch(submission, 'end')
    await desk.cancel(TENANT, task.id)
    assert.equal((await ending.ended)?.state, 'cancelled')
    assert.equal(stage.accepts.host, 1)
  })

  test('its deadline holds', async (t) => {
    const { agent, submission } = gated()
    const stage = await openStage(t, [agent])
    const desk = await stage.openDesk()
    await stage.startHost()
    const { task, ending } = await desk.submitAndWatch({ ...submission, deadline: Date.now() + 1_000 }, 'end')
    assert.equal((await ending.ended)?.state, 'failed')
    assert.equal((await desk.get(TENANT, task.id)).error?.code, 'deadline_exceeded')
    assert.equal(stage.accepts.host, 1)
  })

  test('what lay about for too long is not begun: it may have ended and been forgotten since', async (t) => {
    const stage = await openStage(t, [echo])
    let gateway: Entruster | undefined
    await stage.openDesk({
      bus: (bus) => ({
        ...bus,
        entruster() {
          gateway = bus.entruster!()
          return gateway
        },
      }),
    })
    await stage.startHost()
    // An id tells when it was made: this one in 1970.
    const stale = {
      id: `task_${'0'.repeat(26)}`,
      tenant: TENANT,
      agent: 'echo',
      agentVersion: '1.0.0',
      input: { n: 1 },
    }
    const entrusted = gateway!.give({ ...stale, priority: 'normal', depth: 0 }, 'end')!
    assert.equal(await entrusted.accepted, undefined)
    assert.equal(await stage.journal.get(stale.id), undefined)
  })

  test('a journal that refuses the host does not keep the gateway from accepting', async (t) => {
    const stage = await openStage(t, [echo])
    const desk = await stage.openDesk()
    let refusing = true
    await stage.startHost({
      journal: (journal) => ({
        ...journal,
        accept: (task) => (refusing ? Promise.reject(new Error('away')) : journal.accept(task)),
      }),
    })
    const { task, ending } = await desk.submitAndWatch(submission, 'end')
    refusing = false
    assert.equal(stage.accepts.desk, 1)
    assert.equal((await ending.ended)?.state, 'completed')
    assert.deepEqual(await stage.types(task.id), ONCE)
    assert.match(stage.troubles.join(), /away/)
  })
})
