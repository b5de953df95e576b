// The keeper of timers sleeps until the next one is due: what it forgets to wake up for is never fired by this host.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { keepTimers } from '../../src/host/timers.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { settle } from '../support/simulated-clock.ts'

type Fired = Awaited<ReturnType<Journal['fireTimers']>>

/** A keeper that was just started, and a journal that answers when it is told to. Timers go off when the test says so. */
function keeperOf(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const asked: PromiseWithResolvers<Fired>[] = []
  const troubles: string[] = []
  const keeper = keepTimers({
    journal: {
      fireTimers() {
        const call = Promise.withResolvers<Fired>()
        asked.push(call)
        return call.promise
      },
    },
    onWoken() {},
    onTrouble: (what) => troubles.push(what),
  })
  t.after(() => keeper.stop())
  return {
    keeper,
    /** The calls of the journal. */
    asked,
    troubles,
    /** Whatever is due within so many milliseconds goes off, and what comes of it is done. */
    async pass(ms: number) {
      t.mock.timers.tick(ms)
      await settle()
    },
  }
}

const NOTHING: Fired = { woken: [], nextDueInMs: undefined }

test('a timer that falls due while the journal is being asked is asked for again, and later ones too', async (t) => {
  const { keeper, asked, pass } = keeperOf(t)
  await pass(1)
  assert.equal(asked.length, 1)
  keeper.expect(1)
  await pass(2)
  assert.equal(asked.length, 1, 'one call at a time')
  asked[0]!.resolve(NOTHING)
  await settle()
  await pass(1)
  assert.equal(asked.length, 2)
  asked[1]!.resolve(NOTHING)
  await settle()
  keeper.expect(1)
  await pass(2)
  assert.equal(asked.length, 3)
})

test('a journal that fails is asked again', async (t) => {
  const { keeper, asked, troubles, pass } = keeperOf(t)
  await pass(1)
  keeper.expect(1)
  await pass(2)
  asked[0]!.reject(new Error('away'))
  await settle()
  await pass(1)
  assert.equal(asked.length, 2)
  assert.deepEqual(troubles, ['firing timers'])
})
