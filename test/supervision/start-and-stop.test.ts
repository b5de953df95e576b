import assert from 'node:assert/strict'
import { test } from 'node:test'
import { supervisorChild } from '../../src/supervision/index.ts'
import { settle } from '../support/simulated-clock.ts'
import { crashed, Stage } from './stage.ts'

test('children start in order, each after the one before it is ready', async () => {
  const stage = new Stage()
  const gate = Promise.withResolvers<void>()
  stage.slowStarts.set('a', gate.promise)
  const starting = stage.start({ children: ['a', 'b'].map((id) => stage.child(id)) })
  await settle()
  assert.equal(stage.news(), '')
  gate.resolve()
  const supervisor = await starting
  assert.equal(stage.news(), '+a +b')
  await supervisor.stop()
})

test('children stop in reverse order, each after the one behind it is gone', async () => {
  const stage = new Stage()
  const children = [stage.child('a'), stage.child('b', { shutdown: 1_000 }, { stubborn: true }), stage.child('c')]
  const supervisor = await stage.start({ children })
  stage.news()
  const stopping = supervisor.stop()
  await settle()
  assert.equal(stage.news(), '-c -b')
  await stage.clock.advance(1_000)
  assert.equal(stage.news(), '!b -a')
  await stopping
  assert.deepEqual(await supervisor.exited, { kind: 'shutdown' })
})

test('children that are alike are stopped at the same time, if their supervisor says so', async () => {
  const stage = new Stage()
  const children = ['a', 'b', 'c'].map((id) => stage.child(id, { shutdown: 1_000 }, { stubborn: true }))
  const supervisor = await stage.start({ children, stopTogether: true })
  stage.news()
  const stopping = supervisor.stop()
  await settle()
  assert.equal(stage.news(), '-c -b -a')
  await stage.clock.advance(1_000)
  assert.equal(stage.news(), '!c !b !a')
  await stopping
})

test('when one child fails to start, those already started are stopped in reverse order and the start fails', async () => {
  for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one'] as const) {
    const stage = new Stage()
    stage.failingStarts.set('c', 1)
    const starting = stage.start({ strategy, children: ['a', 'b', 'c', 'd'].map((id) => stage.child(id)) })
    await assert.rejects(starting, { code: 'unavailable', message: 'root/c did not start: c cannot start' })
    assert.equal(stage.news(), '+a +b ?c -b -a')
    assert.equal(stage.clock.pending, 0)
  }
})

test('a start that is aborted stops what had started, and does not wait for the child that was starting', async () => {
  const stage = new Stage()
  stage.slowStarts.set('b', new Promise(() => undefined))
  const abort = new AbortController()
  const starting = stage.start({ children: ['a', 'b', 'c'].map((id) => stage.child(id)) }, abort.signal)
  const refused = assert.rejects(starting, { code: 'draining' })
  await settle()
  abort.abort()
  await refused
  assert.equal(stage.news(), '+a -a')
})

test('a start with a signal that is already aborted starts nothing', async () => {
  const stage = new Stage()
  await assert.rejects(stage.start({ children: [stage.child('a')] }, AbortSignal.abort()), { code: 'draining' })
  assert.equal(stage.news(), '')
})

test('a start that ignores its signal is left behind after a grace, and killed should it succeed after all', async () => {
  const stage = new Stage()
  const late = Promise.withResolvers<void>()
  const deaf = stage.child('deaf')
  const spec = {
    ...deaf,
    start: async (context: Parameters<typeof deaf.start>[0]) => {
      await late.promise
      return await deaf.start(context)
    },
  }
  const supervisor = await stage.start({ children: [] })
  const starting = assert.rejects(supervisor.startChild(spec), { code: 'draining' })
  await settle()
  const stopping = supervisor.stop()
  await stage.clock.advance(5_000)
  await Promise.all([starting, stopping])
  assert.equal(stage.types('child_abandoned').length, 1)
  late.resolve()
  await settle()
  assert.equal(stage.news(), '+deaf !deaf')
})

test('a start that finds nothing to run is no failure: the spec is kept, but not that of a temporary child', async () => {
  const stage = new Stage()
  const nothing = async (): Promise<undefined> => undefined
  const children = [
    { id: 'kept', start: nothing },
    { id: 'gone', start: nothing, restart: 'temporary' as const },
    stage.child('b'),
  ]
  const supervisor = await stage.start({ children })
  assert.deepEqual(supervisor.countChildren(), { specs: 2, active: 1, supervisors: 0, workers: 2 })
  assert.equal(await supervisor.restartChild('kept'), undefined)
  assert.equal(await supervisor.startChild({ id: 'gone', start: nothing, restart: 'temporary' }), undefined)
  assert.equal(supervisor.countChildren().specs, 2)
  await supervisor.stop()
})

test('a child that does not stop in time is killed', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ children: [stage.child('a', { shutdown: 1_000 }, { stubborn: true })] })
  const stopping = supervisor.stop()
  await stage.clock.advance(999)
  assert.equal(stage.news(), '+a -a')
  await stage.clock.advance(1)
  assert.equal(stage.news(), '!a')
  await stopping
  assert.deepEqual(
    stage.types('child_stopped').map((event) => event.type === 'child_stopped' && event.forced),
    [true],
  )
})

test('a worker has five seconds to stop unless its spec says otherwise', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ children: [stage.child('a', {}, { stubborn: true })] })
  const stopping = supervisor.stop()
  await settle()
  assert.equal(stage.clock.nextIn, 5_000)
  await stage.clock.advance(5_000)
  await stopping
})

test('shutdown "kill" kills without asking first', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ children: [stage.child('a', { shutdown: 'kill' })] })
  await supervisor.stop()
  assert.equal(stage.news(), '+a !a')
})

test('shutdown "infinity" waits as long as it takes, for workers and supervisors', async () => {
  for (const type of ['worker', 'supervisor'] as const) {
    const stage = new Stage()
    const shutdown = type === 'worker' ? { shutdown: 'infinity' as const } : {}
    const supervisor = await stage.start({ children: [stage.child('a', { type, ...shutdown }, { stubborn: true })] })
    const stopping = supervisor.stop()
    await stage.clock.advance(1_000_000_000)
    assert.equal(stage.news(), '+a -a')
    await stage.end('a', { kind: 'shutdown' })
    await stopping
  }
})

test('a child that survives the kill is left behind after a grace, and said to be', async () => {
  const stage = new Stage()
  const immortal = {
    id: 'a',
    start: async () => ({ exited: new Promise<never>(() => undefined), stop: () => undefined }),
  }
  const supervisor = await stage.start({ children: [immortal] })
  const stopping = supervisor.stop()
  await stage.clock.advance(10_000)
  await stopping
  assert.equal(stage.types('child_abandoned').length, 1)
})

test('a child whose stop throws is given its time and then killed', async () => {
  const stage = new Stage()
  const spec = stage.child('a')
  const supervisor = await stage.start({
    children: [
      {
        id: 'a',
        start: async (context) => {
          const handle = await spec.start(context)
          return {
            exited: handle!.exited,
            stop(reason) {
              if (reason !== 'kill') throw new Error('not now')
              handle!.stop('kill', 0)
            },
          }
        },
      },
    ],
  })
  const stopping = supervisor.stop()
  await stage.clock.advance(5_000)
  await stopping
  assert.equal(stage.news(), '+a !a')
})

test('stopping twice stops once; a kill hurries the stop that is under way', async () => {
  const stage = new Stage()
  const children = [stage.child('a', { shutdown: 'infinity' }, { stubborn: true })]
  const inner = supervisorChild({ id: 'inner', children })
  const supervisor = await stage.start({ children: [inner] })
  const first = supervisor.stop()
  const second = supervisor.stop()
  await settle()
  assert.equal(stage.news(), '+a -a')
  await supervisor.stop('kill')
  await Promise.all([first, second])
  assert.equal(stage.news(), '!a')
})

test('a child that crashes while it is being stopped is not restarted, but its crash is reported', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ children: [stage.child('a', {}, { lastWords: crashed })] })
  await supervisor.stop()
  assert.deepEqual(stage.running, [])
  const [event] = stage.types('child_stopped')
  assert.equal(event?.level, 'warn')
})

test('a stop while children wait for their restart starts nothing and leaves no timer', async () => {
  for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one'] as const) {
    const stage = new Stage()
    const backoff = { first: 1_000, factor: 2, max: 60_000, jitter: 0 }
    const children = ['a', 'b'].map((id) => stage.child(id, { backoff }))
    const supervisor = await stage.start({ strategy, children })
    await stage.crash('a')
    assert.equal(stage.clock.pending, 1)
    await supervisor.stop()
    assert.equal(stage.clock.pending, 0)
    assert.deepEqual(stage.running, [])
  }
})

test('a stop is obeyed while a child fails to start again and again', async () => {
  const stage = new Stage()
  const backoff = { first: 0, factor: 1, max: 0, jitter: 0 }
  const intensity = Number.POSITIVE_INFINITY
  const supervisor = await stage.start({ intensity, children: [stage.child('a', { backoff })] })
  stage.failingStarts.set('a', Number.POSITIVE_INFINITY)
  stage.endNow('a', crashed)
  for (let turn = 0; turn < 3; turn++) {
    await settle()
    assert.equal(stage.clock.nextIn, 0)
  }
  await supervisor.stop()
  const tries = stage.diary.length
  await stage.clock.advance(1_000)
  assert.equal(stage.diary.length, tries)
})

test('drain reaches every child as drain, and the supervisor reports that it is drained', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ children: [supervisorChild({ id: 'inner', children: [stage.child('a')] })] })
  await supervisor.stop('drain')
  assert.deepEqual(await supervisor.exited, { kind: 'drained' })
  const outcomes = stage.types('child_stopped').map((event) => event.type === 'child_stopped' && event.outcome.kind)
  assert.deepEqual(outcomes, ['drained', 'drained'])
})

test('faulty specs are refused with what is wrong, before anything starts', async () => {
  const stage = new Stage()
  const a = stage.child('a')
  const faulty: [Parameters<Stage['start']>[0], RegExp][] = [
    [{ children: [a, stage.child('')] }, /child id "" is not/],
    [{ children: [a, stage.child('x/y')] }, /child id "x\/y" is not/],
    [{ children: [a, stage.child('a')] }, /two children have the id a/],
    [{ children: [a, JSON.parse('{"id":"b"}')] }, /child b has no start function/],
    [{ children: [a, stage.child('b', { shutdown: -1 })] }, /child b has shutdown -1/],
    [{ children: [a, stage.child('b', { shutdown: Number.NaN })] }, /child b has shutdown NaN/],
    [{ children: [a, stage.child('b', { restart: JSON.parse('"sometimes"') })] }, /child b has restart sometimes/],
    [{ children: [a, stage.child('b', { backoff: { first: 9, factor: 2, max: 1, jitter: 0 } })] }, /backoff.max is 1/],
    [{ children: [a], intensity: -1 }, /intensity is -1/],
    [{ children: [a], period: 0 }, /period is 0/],
    [{ children: [a], strategy: JSON.parse('"all"') }, /strategy is all/],
    [{ children: [a], strategy: 'dynamic' }, /starts without children/],
    [{ children: [a], id: 'a/b' }, /the id "a\/b" is not/],
  ]
  for (const [spec, message] of faulty) {
    await assert.rejects(stage.start(spec), { code: 'configuration_invalid', message })
  }
  assert.equal(stage.news(), '')
})
