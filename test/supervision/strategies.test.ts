import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stage } from './stage.ts'

const many = { intensity: 10, period: 60_000 }

test('one_for_one: only the child that crashed is restarted', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ ...many, children: ['a', 'b', 'c'].map((id) => stage.child(id)) })
  stage.news()
  await stage.crash('b')
  assert.equal(stage.news(), '+b')
  await supervisor.stop()
})

test('one_for_all: the others are stopped in reverse order, then all are started in order', async () => {
  const stage = new Stage()
  const children = ['a', 'b', 'c'].map((id) => stage.child(id))
  const supervisor = await stage.start({ ...many, strategy: 'one_for_all', children })
  stage.news()
  await stage.crash('b')
  assert.equal(stage.news(), '-c -a +a +b +c')
  await supervisor.stop()
})

test('rest_for_one: those started after the crashed child are stopped in reverse order, then it and they are started', async () => {
  const stage = new Stage()
  const children = ['a', 'b', 'c', 'd'].map((id) => stage.child(id))
  const supervisor = await stage.start({ ...many, strategy: 'rest_for_one', children })
  stage.news()
  await stage.crash('b')
  assert.equal(stage.news(), '-d -c +b +c +d')
  await stage.crash('d')
  assert.equal(stage.news(), '+d')
  await supervisor.stop()
})

test('one_for_all: another child that fails to start in the restart counts as a crash, and all are started anew', async () => {
  const stage = new Stage()
  const children = ['a', 'b', 'c'].map((id) => stage.child(id))
  const supervisor = await stage.start({ ...many, strategy: 'one_for_all', children })
  stage.failingStarts.set('b', 1)
  stage.news()
  await stage.crash('a')
  assert.equal(stage.news(), '-c -b +a ?b -a +a +b +c')
  await supervisor.stop()
})

test('rest_for_one: another child that fails to start in the restart leaves those before it running', async () => {
  const stage = new Stage()
  const children = ['a', 'b', 'c', 'd'].map((id) => stage.child(id))
  const supervisor = await stage.start({ ...many, strategy: 'rest_for_one', children })
  stage.failingStarts.set('c', 1)
  stage.news()
  await stage.crash('b')
  assert.equal(stage.news(), '-d -c +b ?c +c +d')
  assert.deepEqual(stage.running, ['a', 'b', 'c', 'd'])
  await supervisor.stop()
})

test('one_for_all: a temporary sibling is stopped with the others, not restarted, and forgotten', async () => {
  const stage = new Stage()
  const children = [stage.child('a'), stage.child('t', { restart: 'temporary' }), stage.child('c')]
  const supervisor = await stage.start({ ...many, strategy: 'one_for_all', children })
  stage.news()
  await stage.crash('a')
  assert.equal(stage.news(), '-c -t +a +c')
  assert.equal(supervisor.countChildren().specs, 2)
  await supervisor.stop()
})

test('rest_for_one: a temporary sibling after the crashed child is stopped and forgotten', async () => {
  const stage = new Stage()
  const children = [stage.child('a'), stage.child('t', { restart: 'temporary' })]
  const supervisor = await stage.start({ ...many, strategy: 'rest_for_one', children })
  stage.news()
  await stage.crash('a')
  assert.equal(stage.news(), '-t +a')
  await supervisor.stop()
})

test('one_for_all: the crash of a temporary child leaves its siblings alone', async () => {
  const stage = new Stage()
  const children = [stage.child('a'), stage.child('t', { restart: 'temporary' })]
  const supervisor = await stage.start({ ...many, strategy: 'one_for_all', children })
  stage.news()
  await stage.crash('t')
  assert.equal(stage.news(), '')
  assert.deepEqual(stage.running, ['a'])
  await supervisor.stop()
})

test('one_for_all: a child that had finished or was terminated is started again with its siblings', async () => {
  const stage = new Stage()
  const children = [stage.child('a'), stage.child('b', { restart: 'transient' }), stage.child('c')]
  const supervisor = await stage.start({ ...many, strategy: 'one_for_all', children })
  await stage.end('b', { kind: 'normal' })
  await supervisor.terminateChild('c')
  assert.deepEqual(stage.running, ['a'])
  stage.news()
  await stage.crash('a')
  assert.equal(stage.news(), '+a +b +c')
  await supervisor.stop()
})

test('rest_for_one: while the rest waits for its restart, a crash before it takes the wait over', async () => {
  const stage = new Stage()
  const backoff = { first: 100, factor: 1, max: 100, jitter: 0 }
  const children = ['a', 'b', 'c'].map((id) => stage.child(id, { backoff }))
  const supervisor = await stage.start({ ...many, strategy: 'rest_for_one', children })
  stage.news()
  await stage.crash('b')
  await stage.clock.advance(60)
  await stage.crash('a')
  assert.equal(stage.clock.pending, 1)
  await stage.clock.advance(60)
  assert.equal(stage.news(), '-c')
  await stage.clock.advance(40)
  assert.equal(stage.news(), '+a +b +c')
  await supervisor.stop()
})

test('one_for_all: siblings that wait for a child are started even when that child is terminated meanwhile', async () => {
  const stage = new Stage()
  const backoff = { first: 100, factor: 1, max: 100, jitter: 0 }
  const children = ['a', 'b'].map((id) => stage.child(id, { backoff }))
  const supervisor = await stage.start({ ...many, strategy: 'one_for_all', children })
  await stage.crash('a')
  await supervisor.terminateChild('a')
  stage.news()
  await stage.clock.advance(100)
  assert.equal(stage.news(), '+b')
  await supervisor.stop()
})

test('one_for_one: a sibling is restarted while another one is slow to start', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ ...many, children: ['slow', 'quick'].map((id) => stage.child(id)) })
  const gate = Promise.withResolvers<void>()
  stage.slowStarts.set('slow', gate.promise)
  await stage.crash('slow')
  stage.news()
  await stage.crash('quick')
  assert.equal(stage.news(), '+quick')
  gate.resolve()
  await supervisor.stop()
})

test('two siblings that crash at the same time are both restarted', async () => {
  for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one'] as const) {
    const stage = new Stage()
    const supervisor = await stage.start({ ...many, strategy, children: ['a', 'b'].map((id) => stage.child(id)) })
    await Promise.all([stage.crash('a'), stage.crash('b')])
    await stage.clock.advance(10_000)
    assert.deepEqual(stage.running.toSorted(), ['a', 'b'], strategy)
    assert.equal(supervisor.countChildren().active, 2)
    await supervisor.stop()
  }
})
