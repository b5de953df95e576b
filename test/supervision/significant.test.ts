import assert from 'node:assert/strict'
import { test } from 'node:test'
import { supervisorChild } from '../../src/supervision/index.ts'
import { Stage } from './stage.ts'

const significant = { significant: true }

test('a significant child that is permanent is refused', async () => {
  const stage = new Stage()
  const starting = stage.start({ autoShutdown: 'any_significant', children: [stage.child('a', significant)] })
  await assert.rejects(starting, { code: 'configuration_invalid', message: /significant and permanent/ })
})

test('a significant child is refused where autoShutdown is never, at the start and later', async () => {
  const stage = new Stage()
  const spec = stage.child('a', { ...significant, restart: 'transient' })
  await assert.rejects(stage.start({ children: [spec] }), { message: /autoShutdown is never/ })
  const supervisor = await stage.start({})
  await assert.rejects(supervisor.startChild(spec), { message: /autoShutdown is never/ })
  await supervisor.stop()
})

for (const restart of ['transient', 'temporary'] as const) {
  test(`any_significant: a significant ${restart} child that ends normally shuts the supervisor down`, async () => {
    const stage = new Stage()
    const children = [stage.child('a'), stage.child('s', { ...significant, restart }), stage.child('z')]
    const supervisor = await stage.start({ autoShutdown: 'any_significant', children })
    stage.news()
    await stage.end('s', { kind: 'normal' })
    assert.deepEqual(await supervisor.exited, { kind: 'shutdown' })
    assert.equal(stage.news(), '-z -a')
  })
}

test('any_significant: a significant temporary child that crashes shuts the supervisor down', async () => {
  const stage = new Stage()
  const children = [stage.child('s', { ...significant, restart: 'temporary' })]
  const supervisor = await stage.start({ autoShutdown: 'any_significant', children })
  await stage.crash('s')
  assert.deepEqual(await supervisor.exited, { kind: 'shutdown' })
})

test('any_significant: a significant transient child that crashes is restarted instead', async () => {
  const stage = new Stage()
  const children = [stage.child('s', { ...significant, restart: 'transient' })]
  const supervisor = await stage.start({ autoShutdown: 'any_significant', children })
  await stage.crash('s')
  assert.deepEqual(stage.running, ['s'])
  await supervisor.stop()
})

test('any_significant: the end of a child that is not significant changes nothing', async () => {
  const stage = new Stage()
  const children = [
    stage.child('s', { ...significant, restart: 'transient' }),
    stage.child('x', { restart: 'temporary' }),
  ]
  const supervisor = await stage.start({ autoShutdown: 'any_significant', children })
  await stage.end('x', { kind: 'normal' })
  assert.deepEqual(stage.running, ['s'])
  await supervisor.stop()
})

test('any_significant: a significant child that is terminated on request changes nothing', async () => {
  const stage = new Stage()
  const children = [stage.child('a'), stage.child('s', { ...significant, restart: 'transient' })]
  const supervisor = await stage.start({ autoShutdown: 'any_significant', children })
  await supervisor.terminateChild('s')
  assert.deepEqual(stage.running, ['a'])
  await supervisor.stop()
})

test('any_significant: a significant child that is stopped because of a sibling changes nothing', async () => {
  const stage = new Stage()
  const children = [stage.child('a'), stage.child('s', { ...significant, restart: 'temporary' })]
  const supervisor = await stage.start({ strategy: 'one_for_all', autoShutdown: 'any_significant', children })
  await stage.crash('a')
  assert.deepEqual(stage.running, ['a'])
  await supervisor.stop()
})

test('all_significant: only the end of the last significant child shuts the supervisor down', async () => {
  const stage = new Stage()
  const children = [
    stage.child('s1', { ...significant, restart: 'transient' }),
    stage.child('s2', { ...significant, restart: 'temporary' }),
    stage.child('x'),
  ]
  const supervisor = await stage.start({ autoShutdown: 'all_significant', children })
  await stage.end('s1', { kind: 'normal' })
  assert.deepEqual(stage.running, ['s2', 'x'])
  await stage.crash('s2')
  assert.deepEqual(await supervisor.exited, { kind: 'shutdown' })
  assert.deepEqual(stage.running, [])
})

test('all_significant: a significant child that waits for its restart counts as alive', async () => {
  const stage = new Stage()
  const backoff = { first: 1_000, factor: 1, max: 1_000, jitter: 0 }
  const children = [
    stage.child('s1', { ...significant, restart: 'transient', backoff }),
    stage.child('s2', { ...significant, restart: 'transient' }),
  ]
  const supervisor = await stage.start({ autoShutdown: 'all_significant', children })
  await stage.crash('s1')
  await stage.end('s2', { kind: 'normal' })
  await stage.clock.advance(1_000)
  assert.deepEqual(stage.running, ['s1'])
  await supervisor.stop()
})

test('all_significant: the last child of a dynamic supervisor takes it along', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ strategy: 'dynamic', autoShutdown: 'all_significant' })
  for (const id of ['a', 'b']) await supervisor.startChild(stage.child(id, { ...significant, restart: 'temporary' }))
  await stage.end('a', { kind: 'normal' })
  assert.deepEqual(stage.running, ['b'])
  await stage.end('b', { kind: 'normal' })
  assert.deepEqual(await supervisor.exited, { kind: 'shutdown' })
})

test('a supervisor that shut itself down is not restarted by its parent when it is transient', async () => {
  const stage = new Stage()
  const children = [stage.child('s', { ...significant, restart: 'transient' })]
  const inner = supervisorChild({ id: 'inner', autoShutdown: 'any_significant', children }, { restart: 'transient' })
  const supervisor = await stage.start({ children: [inner] })
  await stage.end('s', { kind: 'normal' })
  assert.deepEqual(stage.running, [])
  assert.equal(supervisor.tree().children?.[0]?.state, 'stopped')
  await supervisor.stop()
})

test('a significant supervisor that shut itself down shuts its parent down: the end climbs the tree', async () => {
  const stage = new Stage()
  const children = [stage.child('s', { ...significant, restart: 'transient' })]
  const inner = supervisorChild(
    { id: 'inner', autoShutdown: 'any_significant', children },
    { restart: 'transient', significant: true },
  )
  const supervisor = await stage.start({ autoShutdown: 'any_significant', children: [stage.child('x'), inner] })
  await stage.end('s', { kind: 'normal' })
  assert.deepEqual(await supervisor.exited, { kind: 'shutdown' })
  assert.deepEqual(stage.running, [])
})
