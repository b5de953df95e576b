// The keeper of timers sleeps until the next one is due: what it forgets to wake up for is never fired by this host.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { keepTimers } from '../../src/host/timers.ts'
import type { Journal } from '../../src/journal/journal.ts'

type Fired = Awaited<ReturnType<Journal['fireTimers']>>

/** A journal that answers when it is told to. */
function slowJournal(t: TestContext) {
  const asked: PromiseWithResolvers<Fired>[] = []
  let heard = Promise.withResolvers<void>()
  const troubles: string[] = []
  const keeper = keepTimers({
    journal: {
      fireTimers() {
        const call = Promise.withResolvers<Fired>()
        asked.push(call)
        heard.resolve()
        heard = Promise.withResolvers<void>()
        return call.promise
      },
    },
    onWoken() {},
    onTrouble: (what) => troubles.push(what),
  })
  t.after(() => keeper.stop())
  return {
    keeper,
    troubles,
    /** The call of this number, from 0. */
    async call(number: number) {
      const late = AbortSignal.timeout(10_000)
      while (asked[number] === undefined) {
        const silent = new Promise<never>((_, reject) => {
          late.addEventListener('abort', () => reject(new Error(`fireTimers was called ${asked.length} times`)))
        })
        await Promise.race([heard.promise, silent])
      }
      return asked[number]
    },
  }
}

const NOTHING: Fired = { woken: [], nextDueInMs: undefined }

test('a timer that falls due while the journal is being asked is asked for again, and later ones too', async (t) => {
  const { keeper, call } = slowJournal(t)
  const first = await call(0)
  keeper.expect(1)
  // Behind the one above in the order of timers: it has gone off when this is over.
  await wait(20)
  first.resolve(NOTHING)
  const second = await call(1)
  second.resolve(NOTHING)
  keeper.expect(1)
  await call(2)
})

test('a journal that fails is asked again', async (t) => {
  const { keeper, call, troubles } = slowJournal(t)
  const first = await call(0)
  keeper.expect(1)
  await wait(20)
  first.reject(new Error('away'))
  await call(1)
  assert.deepEqual(troubles, ['firing timers'])
})
