import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { backoffDelay, forgiveRestarts, settledWithin, spendRestart } from '../../src/supervision/index.ts'
import { SimulatedClock } from '../support/simulated-clock.ts'

test('backoff doubles up to its maximum, and never overflows', () => {
  const policy = { first: 100, factor: 2, max: 1_500, jitter: 0 }
  const delays = [1, 2, 3, 4, 5, 6, 5_000].map((attempt) => backoffDelay(attempt, policy, Math.random))
  assert.deepEqual(delays, [100, 200, 400, 800, 1_500, 1_500, 1_500])
})

test('backoff lets its immediate attempts pass without a wait', () => {
  const policy = { immediate: 2, first: 100, factor: 3, max: 9_999, jitter: 0 }
  assert.deepEqual(
    [1, 2, 3, 4].map((attempt) => backoffDelay(attempt, policy, Math.random)),
    [0, 0, 100, 300],
  )
})

test('jitter only ever shortens a wait, and by no more than its share', () => {
  const attempts = fc.integer({ min: 1, max: 60 })
  const shares = fc.double({ min: 0, max: 1, noNaN: true })
  const dice = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
  fc.assert(
    fc.property(attempts, shares, dice, (attempt, jitter, random) => {
      const policy = { first: 100, factor: 2, max: 30_000, jitter }
      const whole = backoffDelay(attempt, { ...policy, jitter: 0 }, () => 0)
      const delay = backoffDelay(attempt, policy, () => random)
      assert.ok(delay <= whole && delay >= Math.floor(whole * (1 - jitter)), `${delay} of ${whole}`)
    }),
  )
})

test('restarts count within the period, the oldest moment included', () => {
  const budget = { intensity: 2, period: 1_000 }
  assert.deepEqual(spendRestart([0, 500], 1_000, budget), { window: [0, 500, 1_000], exceeded: true })
  assert.deepEqual(spendRestart([0, 500], 1_001, budget), { window: [500, 1_001], exceeded: false })
})

test('a window survives its journey through the journal as plain data', () => {
  const budget = { intensity: 3, period: 60_000 }
  let stored = '[]'
  for (const now of [1, 2, 3]) stored = JSON.stringify(spendRestart(JSON.parse(stored), now, budget).window)
  assert.equal(stored, '[1,2,3]')
  assert.equal(spendRestart(JSON.parse(stored), 4, budget).exceeded, true)
})

test('more than the intensity within any period is always noticed, and nothing else is', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 8 }), (waits, intensity) => {
      const period = 1_000
      const crashes: number[] = []
      let window: number[] = []
      let now = 0
      for (const wait of waits) {
        now += wait
        crashes.push(now)
        const spent = spendRestart(window, now, { intensity, period })
        const recent = crashes.filter((at) => at >= now - period).length
        assert.equal(spent.exceeded, recent > intensity)
        window = spent.window
      }
    }),
  )
})

test('timestamps from the future count as now, so a clock that was set back cannot freeze the budget', () => {
  assert.deepEqual(spendRestart([9_999_999], 100, { intensity: 5, period: 50 }).window, [100, 100])
})

test('an unlimited budget is never exceeded and its window does not grow', () => {
  const budget = { intensity: Number.POSITIVE_INFINITY, period: 1_000 }
  let window: number[] = []
  for (let now = 0; now < 500; now++) {
    const spent = spendRestart(window, now, budget)
    assert.equal(spent.exceeded, false)
    window = spent.window
  }
  assert.deepEqual(window, [499])
})

test('forgiving takes a child’s own restarts out of the window and no one else’s', () => {
  assert.deepEqual(forgiveRestarts([1, 2, 2, 3], [2, 3]), [1, 2])
  assert.deepEqual(forgiveRestarts([1], [7]), [1])
})

test('settledWithin gives the value in time, undefined too late, and leaves no timer', async () => {
  const clock = new SimulatedClock()
  assert.equal(await settledWithin(Promise.resolve('here'), 100, clock), 'here')
  const late = settledWithin(new Promise(() => undefined), 100, clock)
  await clock.advance(100)
  assert.equal(await late, undefined)
  await assert.rejects(settledWithin(Promise.reject(new Error('broken')), 100, clock), /broken/)
  assert.equal(clock.pending, 0)
})
