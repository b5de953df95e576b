import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Outcome, supervisorChild } from '../../src/supervision/index.ts'
import { Stage } from './stage.ts'

const atOnce = { first: 0, factor: 1, max: 0, jitter: 0 }

for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one', 'dynamic'] as const) {
  test(`${strategy}: one restart more than the intensity within the period stops all children, then the supervisor`, async () => {
    const stage = new Stage()
    const supervisor = await stage.start({ strategy, intensity: 2, period: 1_000 })
    for (const id of ['a', 'b']) await supervisor.startChild(stage.child(id, { backoff: atOnce }))
    await stage.crash('b')
    await stage.crash('b')
    assert.deepEqual(stage.running.toSorted(), ['a', 'b'])
    await stage.crash('b', 'the last straw')
    assert.deepEqual(stage.running, [])
    const outcome = await supervisor.exited
    assert.equal(outcome.kind, 'crashed')
    assert.match(outcome.kind === 'crashed' ? outcome.error.message : '', /more than 2 restarts.*b: the last straw/)
    const told = stage.events.slice(-3).map((event) => event.type)
    assert.deepEqual(told, ['supervisor_gave_up', 'child_stopped', 'supervisor_escalated'])
  })
}

test('without other settings one restart in five seconds is allowed', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ children: [stage.child('a', { backoff: atOnce })] })
  await stage.crash('a')
  await stage.clock.advance(5_001)
  await stage.crash('a')
  assert.deepEqual(stage.running, ['a'])
  await stage.crash('a')
  assert.equal((await supervisor.exited).kind, 'crashed')
})

test('an intensity of 0 allows no restart at all', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ intensity: 0, children: [stage.child('a')] })
  await stage.crash('a')
  assert.equal((await supervisor.exited).kind, 'crashed')
})

test('restarts spread wider than the period are never too many', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ intensity: 1, period: 1_000, children: [stage.child('a')] })
  for (let round = 0; round < 20; round++) {
    await stage.crash('a')
    await stage.clock.advance(1_001)
  }
  assert.deepEqual(stage.running, ['a'])
  await supervisor.stop()
})

test('the crashes of all children count together', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ intensity: 1, children: ['a', 'b'].map((id) => stage.child(id)) })
  await stage.crash('a')
  await stage.crash('b')
  assert.equal((await supervisor.exited).kind, 'crashed')
})

test('a start that fails in a restart spends the budget like a crash', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ intensity: 3, children: [stage.child('a', { backoff: atOnce })] })
  stage.failingStarts.set('a', 3)
  await stage.crash('a')
  assert.equal((await supervisor.exited).kind, 'crashed')
  assert.equal(stage.news(), '+a ?a ?a ?a')
})

test('a supervisor that gives up is restarted by its parent, with all its children', async () => {
  const stage = new Stage()
  const inner = supervisorChild({ id: 'inner', intensity: 0, children: ['a', 'b'].map((id) => stage.child(id)) })
  const supervisor = await stage.start({ children: [stage.child('x'), inner] })
  stage.news()
  await stage.crash('a')
  assert.equal(stage.news(), '-b +a +b')
  assert.deepEqual(stage.running.toSorted(), ['a', 'b', 'x'])
  await supervisor.stop()
})

test('giving up spends the parent’s budget in turn, up to the root', async () => {
  const stage = new Stage()
  const leaf = supervisorChild({ id: 'leaf', intensity: 0, children: [stage.child('a')] })
  const branch = supervisorChild({ id: 'branch', intensity: 1, children: [leaf] })
  const supervisor = await stage.start({ intensity: 0, children: [branch] })
  await stage.crash('a')
  assert.deepEqual(stage.running, ['a'])
  await stage.crash('a')
  const outcome = await supervisor.exited
  assert.equal(outcome.kind, 'crashed')
  assert.deepEqual(
    stage.types('supervisor_gave_up').map((event) => event.path),
    ['root/branch/leaf', 'root/branch/leaf', 'root/branch', 'root'],
  )
  assert.equal(stage.clock.pending, 0)
})

for (const kind of ['shutdown', 'drained', 'lease_lost'] as const) {
  test(`P8: a permanent child that ends as ${kind} is restarted without spending the budget`, async () => {
    const stage = new Stage()
    const outcome: Outcome = { kind }
    const supervisor = await stage.start({ intensity: 0, children: [stage.child('a')] })
    for (let round = 0; round < 50; round++) {
      await stage.end('a', outcome)
      await stage.clock.advance(60_000)
    }
    assert.deepEqual(stage.running, ['a'])
    assert.equal(stage.types('supervisor_gave_up').length, 0)
    await supervisor.stop()
  })
}

test('a permanent child that ends as normal again and again spends the budget, as in OTP', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ intensity: 1, children: [stage.child('a')] })
  await stage.end('a', { kind: 'normal' })
  await stage.end('a', { kind: 'normal' })
  assert.equal((await supervisor.exited).kind, 'crashed')
})

test('a child that drains over and over waits longer and longer, though it spends nothing', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ intensity: 0, period: 60_000, children: [stage.child('a')] })
  const delays: number[] = []
  for (let round = 0; round < 4; round++) {
    await stage.end('a', { kind: 'drained' })
    const wait = stage.clock.nextIn ?? 0
    delays.push(wait)
    await stage.clock.advance(wait)
  }
  assert.deepEqual(delays, [0, 100, 200, 400])
  await supervisor.stop()
})

test('the first restart is immediate, the next ones wait twice as long each time', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({ intensity: 9, period: 100_000, children: [stage.child('a')] })
  const delays: number[] = []
  for (let round = 0; round < 5; round++) {
    await stage.crash('a')
    const wait = stage.clock.nextIn ?? 0
    delays.push(wait)
    await stage.clock.advance(wait)
    assert.deepEqual(stage.running, ['a'])
  }
  assert.deepEqual(delays, [0, 100, 200, 400, 800])
  await supervisor.stop()
})

test('the built-in backoff never slows a crash loop so much that the budget cannot be exceeded', async () => {
  for (const [intensity, period] of [
    [1, 5_000],
    [5, 1_000],
    [10, 5_000],
    [100, 10_000],
    [3, 600_000],
  ] as const) {
    const stage = new Stage()
    const supervisor = await stage.start({ intensity, period, children: [stage.child('a')] })
    for (let round = 0; round <= intensity; round++) {
      await stage.crash('a')
      await stage.clock.advance(stage.clock.nextIn ?? 0)
    }
    assert.equal((await supervisor.exited).kind, 'crashed', `${intensity} in ${period} ms`)
  }
})

test('a child that worked for the period is forgiven: its restarts leave the budget and its backoff begins anew', async () => {
  const stage = new Stage()
  const spec = { intensity: 2, period: 60_000, forgiveAfter: 1_000 }
  const supervisor = await stage.start({ ...spec, children: [stage.child('a'), stage.child('b')] })
  for (let round = 0; round < 10; round++) {
    await stage.crash('a')
    assert.equal(stage.clock.nextIn, undefined)
    await stage.clock.advance(1_000)
  }
  assert.deepEqual(stage.running.toSorted(), ['a', 'b'])
  await supervisor.stop()
})

test('progress of one child does not forgive another', async () => {
  const stage = new Stage()
  const spec = { intensity: 2, period: 60_000, forgiveAfter: 1_000 }
  const children = ['good', 'bad'].map((id) => stage.child(id, { backoff: atOnce }))
  const supervisor = await stage.start({ ...spec, children })
  await stage.crash('bad')
  await stage.crash('bad')
  await stage.clock.advance(999)
  await stage.crash('good')
  assert.equal((await supervisor.exited).kind, 'crashed')
})

test('a clock that is set back neither forgives nor freezes the budget', async () => {
  const stage = new Stage()
  const supervisor = await stage.start({
    intensity: 2,
    period: 5_000,
    children: [stage.child('a', { backoff: atOnce })],
  })
  await stage.crash('a')
  stage.clock.jump(-3_600_000)
  await stage.crash('a')
  await stage.clock.advance(5_001)
  await stage.crash('a')
  assert.deepEqual(stage.running, ['a'])
  await supervisor.stop()
})
