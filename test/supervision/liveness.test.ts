// The watch over a process that may hang, on a simulated clock: 20 s of silence are allowed.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { watchLiveness } from '../../src/supervision/index.ts'
import { SimulatedClock } from '../support/simulated-clock.ts'

function watched(context: TestContext) {
  const clock = new SimulatedClock()
  const seen = { asked: 0, silent: 0, answers: true }
  const liveness = watchLiveness({
    clock,
    allowance: 20_000,
    ask() {
      seen.asked += 1
      if (seen.answers) liveness.heard()
    },
    onSilent() {
      seen.silent += 1
    },
  })
  context.after(() => {
    liveness.stop()
    assert.equal(clock.pending, 0)
  })
  return { clock, seen, liveness }
}

test('one that answers is left alone, however long', async (context) => {
  const { clock, seen } = watched(context)
  await clock.advance(3_600_000)
  assert.equal(seen.silent, 0)
  assert.ok(seen.asked >= 700, `asked ${seen.asked} times`)
})

test('one that stops answering is told once, after what it may and not much later', async (context) => {
  const { clock, seen } = watched(context)
  await clock.advance(60_000)
  seen.answers = false
  await clock.advance(19_999)
  assert.equal(seen.silent, 0)
  await clock.advance(10_001)
  assert.equal(seen.silent, 1)
  await clock.advance(600_000)
  assert.equal(seen.silent, 1)
})

test('one answer in time is enough to begin anew', async (context) => {
  const { clock, seen, liveness } = watched(context)
  seen.answers = false
  for (let time = 0; time < 20; time++) {
    await clock.advance(19_000)
    liveness.heard()
  }
  assert.equal(seen.silent, 0)
})

test('while the machine sleeps nobody is accused: silence before it is forgotten, and counts anew after it', async (context) => {
  const { clock, seen } = watched(context)
  seen.answers = false
  await clock.advance(18_000)
  // The lid is closed for eight hours: no timer fires, the clock goes on.
  clock.jump(8 * 3_600_000)
  await clock.advance(19_000)
  assert.equal(seen.silent, 0)
  await clock.advance(11_000)
  assert.equal(seen.silent, 1)
})

test('a clock that is set back accuses nobody either, and does not blind the watch', async (context) => {
  const { clock, seen } = watched(context)
  clock.jump(-3_600_000)
  await clock.advance(60_000)
  assert.equal(seen.silent, 0)
  seen.answers = false
  await clock.advance(30_000)
  assert.equal(seen.silent, 1)
})

test('a watch that is stopped asks and tells nothing any more', async (context) => {
  const { clock, seen, liveness } = watched(context)
  seen.answers = false
  await clock.advance(6_000)
  liveness.stop()
  await clock.advance(600_000)
  assert.deepEqual([seen.asked, seen.silent], [1, 0])
})
