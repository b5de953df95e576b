import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../src/supervision/index.ts'
import { SimulatedClock } from '../support/simulated-clock.ts'

test('a timer of many weeks does not fire at once, as a 32-bit timeout would', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const weeks = 60 * 86_400_000
  let fired = 0
  systemClock.setTimer(weeks, () => fired++)
  const piece = 2 ** 31 - 1
  context.mock.timers.tick(piece)
  context.mock.timers.tick(piece)
  context.mock.timers.tick(weeks - 2 * piece - 1)
  assert.equal(fired, 0)
  context.mock.timers.tick(1)
  assert.equal(fired, 1)
})

test('a cancelled timer does not fire, also after its first piece', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  let fired = 0
  const cancel = systemClock.setTimer(2 ** 31 + 10, () => fired++)
  context.mock.timers.tick(2 ** 31)
  cancel()
  context.mock.timers.tick(1_000)
  assert.equal(fired, 0)
})

test('the simulated clock fires timers in the order of their time, and sees those set meanwhile', async () => {
  const clock = new SimulatedClock(0)
  const fired: string[] = []
  const note = (name: string) => () => void fired.push(`${name}@${clock.now()}`)
  clock.setTimer(20, note('b'))
  clock.setTimer(10, () => {
    note('a')()
    clock.setTimer(0, note('a2'))
    clock.setTimer(5, note('a3'))
  })
  const cancel = clock.setTimer(20, note('cancelled'))
  clock.setTimer(15, cancel)
  await clock.advance(30)
  assert.deepEqual(fired, ['a@10', 'a2@10', 'a3@15', 'b@20'])
  assert.equal(clock.now(), 30)
  assert.equal(clock.pending, 0)
})

test('a jump of the simulated clock changes the time of day and no timer', async () => {
  const clock = new SimulatedClock(0)
  let fired = false
  clock.setTimer(100, () => {
    fired = true
  })
  clock.jump(1_000_000)
  await clock.advance(99)
  assert.equal(fired, false)
  await clock.advance(1)
  assert.equal(fired, true)
})
