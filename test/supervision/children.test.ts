import assert from 'node:assert/strict'
import { test } from 'node:test'
import { supervisorChild } from '../../src/supervision/index.ts'
import { settle } from '../support/simulated-clock.ts'
import { Stage } from './stage.ts'

test('startChild adds a child at the end and starts it', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ children: [stage.child('a')] })
  const handle = await supervisor.startChild(stage.child('b'))
  assert.deepEqual(
    supervisor.whichChildren().map(({ id, child }) => [id, child === handle]),
    [
      ['a', false],
      ['b', true],
    ],
  )
  stage.news()
  await supervisor.stop()
  assert.equal(stage.news(), '-b -a')
})

test('startChild refuses an id that is running, and one that is present but stopped', async () => {
  for (const strategy of ['one_for_one', 'one_for_all'] as const) {
    const stage = new Stage()
    const supervisor = await stage.start({ strategy, children: [stage.child('a')] })
    await assert.rejects(supervisor.startChild(stage.child('a')), {
      code: 'wrong_state',
      message: /already there, and running/,
    })
    await supervisor.terminateChild('a')
    await assert.rejects(supervisor.startChild(stage.child('a')), {
      code: 'wrong_state',
      message: /already there, and stopped/,
    })
    await supervisor.stop()
  }
})

test('startChild of the same id twice at the same time starts one', async () => {
  for (const strategy of ['one_for_one', 'one_for_all', 'dynamic'] as const) {
    const stage = new Stage()
    const supervisor = await stage.start({ strategy })
    const both = await Promise.allSettled([
      supervisor.startChild(stage.child('a')),
      supervisor.startChild(stage.child('a')),
    ])
    assert.deepEqual(
      both.map((result) => result.status),
      ['fulfilled', 'rejected'],
    )
    assert.equal(stage.news(), '+a')
    await supervisor.stop()
  }
})

test('startChild whose start fails keeps no spec, throws the failure and spends no budget', async () => {
  for (const strategy of ['one_for_one', 'rest_for_one', 'dynamic'] as const) {
    const stage = new Stage()
    const supervisor = await stage.start({ strategy, intensity: 0 })
    stage.failingStarts.set('a', 1)
    await assert.rejects(supervisor.startChild(stage.child('a')), { message: 'a cannot start' })
    assert.equal(supervisor.countChildren().specs, 0)
    await supervisor.startChild(stage.child('a'))
    await supervisor.stop()
  }
})

test('startChild refuses a faulty spec', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({})
  const refused = supervisor.startChild(stage.child('a', { shutdown: -5 }))
  await assert.rejects(refused, { code: 'configuration_invalid' })
  await supervisor.stop()
})

test('terminateChild stops a child that is not restarted by itself, and keeps its spec', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ children: [stage.child('a')] })
  await supervisor.terminateChild('a')
  assert.equal(stage.news(), '+a -a')
  assert.deepEqual(supervisor.whichChildren(), [{ id: 'a', type: 'worker', child: undefined }])
  await supervisor.terminateChild('a')
  assert.equal(stage.news(), '')
  await supervisor.stop()
})

test('terminateChild of a temporary child forgets its spec', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ children: [stage.child('a', { restart: 'temporary' })] })
  await supervisor.terminateChild('a')
  await assert.rejects(supervisor.restartChild('a'), { code: 'not_found' })
  await assert.rejects(supervisor.deleteChild('a'), { code: 'not_found' })
  await supervisor.stop()
})

test('terminateChild of a child that waits for its restart cancels the restart', async () => {
  const stage = new Stage()
  const backoff = { first: 1_000, factor: 1, max: 1_000, jitter: 0 }
  const supervisor = await stage.start({ children: [stage.child('a', { backoff })] })
  await stage.crash('a')
  await supervisor.terminateChild('a')
  assert.equal(stage.clock.pending, 0)
  assert.deepEqual(stage.running, [])
  await supervisor.stop()
})

test('terminateChild of a child that is starting aborts its start', async () => {
  for (const strategy of ['one_for_one', 'one_for_all'] as const) {
    const stage = new Stage()
    const supervisor = await stage.start({ strategy, children: [stage.child('a')] })
    stage.slowStarts.set('a', new Promise(() => undefined))
    await stage.crash('a')
    assert.equal(supervisor.tree().children?.[0]?.state, 'starting')
    await supervisor.terminateChild('a')
    assert.equal(supervisor.tree().children?.[0]?.state, 'stopped')
    assert.equal(stage.types('supervisor_gave_up').length, 0)
    await supervisor.stop()
  }
})

test('restartChild starts a stopped child, and refuses one that runs or is about to', async () => {
  const stage = new Stage()
  const backoff = { first: 1_000, factor: 1, max: 1_000, jitter: 0 }
  const supervisor = await stage.start({ children: [stage.child('a', { backoff })] })
  await assert.rejects(supervisor.restartChild('a'), { code: 'wrong_state', message: /is running/ })
  await stage.crash('a')
  await assert.rejects(supervisor.restartChild('a'), { code: 'wrong_state', message: /about to be restarted/ })
  await supervisor.terminateChild('a')
  assert.ok(await supervisor.restartChild('a'))
  await supervisor.stop()
})

test('restartChild whose start fails throws the failure and keeps the spec', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ children: [stage.child('a')] })
  await supervisor.terminateChild('a')
  stage.failingStarts.set('a', 1)
  await assert.rejects(supervisor.restartChild('a'), { message: 'a cannot start' })
  assert.ok(await supervisor.restartChild('a'))
  await supervisor.stop()
})

test('deleteChild forgets a stopped child, and refuses one that runs or is about to', async () => {
  const stage = new Stage()
  const backoff = { first: 1_000, factor: 1, max: 1_000, jitter: 0 }
  const supervisor = await stage.start({ children: [stage.child('a', { backoff })] })
  await assert.rejects(supervisor.deleteChild('a'), { code: 'wrong_state', message: /is running/ })
  await stage.crash('a')
  await assert.rejects(supervisor.deleteChild('a'), { code: 'wrong_state', message: /about to be restarted/ })
  await supervisor.terminateChild('a')
  await supervisor.deleteChild('a')
  assert.equal(supervisor.countChildren().specs, 0)
  await supervisor.startChild(stage.child('a'))
  await supervisor.stop()
})

test('an id that no child has is not found', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({})
  for (const verb of ['terminateChild', 'restartChild', 'deleteChild'] as const) {
    await assert.rejects(supervisor[verb]('ghost'), { code: 'not_found', message: 'root has no child ghost' })
  }
  await supervisor.stop()
})

test('a stopping or stopped supervisor takes no children', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ children: [stage.child('a')] })
  await supervisor.terminateChild('a')
  const stopping = supervisor.stop()
  await assert.rejects(supervisor.startChild(stage.child('b')), { code: 'draining' })
  await stopping
  await assert.rejects(supervisor.restartChild('a'), { code: 'draining' })
})

test('whichChildren and countChildren tell the running from the restarting and the stopped', async () => {
  const stage = new Stage()
  const backoff = { first: 1_000, factor: 1, max: 1_000, jitter: 0 }
  const children = [
    stage.child('runs'),
    stage.child('waits', { backoff }),
    stage.child('stopped'),
    supervisorChild({ id: 'below', children: [stage.child('x')] }),
  ]
  const supervisor = await stage.start({ children })
  await stage.crash('waits')
  await supervisor.terminateChild('stopped')
  const states = supervisor.whichChildren().map(({ id, type, child }) => [id, type, typeof child])
  assert.deepEqual(states, [
    ['runs', 'worker', 'object'],
    ['waits', 'worker', 'string'],
    ['stopped', 'worker', 'undefined'],
    ['below', 'supervisor', 'object'],
  ])
  assert.deepEqual(supervisor.countChildren(), { specs: 4, active: 2, supervisors: 1, workers: 3 })
  await supervisor.stop()
})

test('restartAt restarts a child at any depth in good order, and charges no budget', async () => {
  const stage = new Stage()
  const below = supervisorChild({ id: 'below', intensity: 0, children: [stage.child('a'), stage.child('b')] })
  const supervisor = await stage.start({ intensity: 0, children: [below] })
  stage.news()
  for (let round = 0; round < 5; round++) await supervisor.restartAt(['below', 'a'])
  assert.equal(stage.news(), '-a +a -a +a -a +a -a +a -a +a')
  await supervisor.restartAt(['below'])
  assert.equal(stage.news(), '-b -a +a +b')
  await assert.rejects(supervisor.restartAt([]), { code: 'invalid_request' })
  await assert.rejects(supervisor.restartAt(['below', 'ghost']), { code: 'not_found' })
  await assert.rejects(supervisor.restartAt(['below', 'a', 'deeper']), { code: 'not_found' })
  await supervisor.stop()
})

test('commands for one child are done one after another, whatever their order of arrival', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ children: [stage.child('a')] })
  const commands = [supervisor.terminateChild('a'), supervisor.restartChild('a'), supervisor.terminateChild('a')]
  await settle()
  await Promise.all(commands)
  assert.equal(stage.news(), '+a -a +a -a')
  await supervisor.stop()
})

test('startChild of a child that is terminated while it starts is told so', async () => {
  for (const strategy of ['one_for_one', 'dynamic'] as const) {
    const stage = new Stage()
    const supervisor = await stage.start({ strategy })
    stage.slowStarts.set('a', new Promise(() => undefined))
    const refused = assert.rejects(supervisor.startChild(stage.child('a')), { code: 'cancelled' })
    await settle()
    await supervisor.terminateChild('a')
    await refused
    assert.equal(supervisor.countChildren().active, 0)
    await supervisor.stop()
  }
})
