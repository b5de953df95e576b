// Whatever happens in whatever order: a few things are always true.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ChildSpec, Outcome, Supervisor } from '../../src/supervision/index.ts'
import { Stage } from './stage.ts'

const ids = ['a', 'b', 'c', 'd']

type Deed =
  | { deed: 'end'; id: string; kind: Outcome['kind'] }
  | { deed: 'failNextStart'; id: string }
  | { deed: 'terminate' | 'restart' | 'bounce'; id: string }
  | { deed: 'wait'; milliseconds: number }

const anId = fc.constantFrom(...ids)
const aDeed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({
    deed: fc.constant('end' as const),
    id: anId,
    kind: fc.constantFrom<Outcome['kind']>('normal', 'shutdown', 'drained', 'lease_lost', 'crashed'),
  }),
  fc.record({ deed: fc.constant('failNextStart' as const), id: anId }),
  fc.record({ deed: fc.constantFrom('terminate' as const, 'restart' as const, 'bounce' as const), id: anId }),
  fc.record({ deed: fc.constant('wait' as const), milliseconds: fc.integer({ min: 0, max: 300 }) }),
)

/** A child that takes its time to start and to stop, and notices when it is started beside itself. */
function slowChild(stage: Stage, id: string, alive: Map<string, number>, twins: string[]): ChildSpec {
  const quick = stage.child(id)
  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => void stage.clock.setTimer(milliseconds, resolve))
  return {
    ...quick,
    async start(context) {
      if (alive.get(id) === 1) twins.push(id)
      alive.set(id, 1)
      const leave = (): void => void alive.set(id, 0)
      try {
        await pause(20)
        const handle = await quick.start(context)
        const exited = handle!.exited.then(async (outcome) => {
          await pause(7)
          leave()
          return outcome
        })
        return { ...handle!, exited }
      } catch (thrown) {
        leave()
        throw thrown
      }
    },
  }
}

async function perform(deed: Deed, stage: Stage, supervisor: Supervisor): Promise<void> {
  // Commands go off without being waited for, so that they meet restarts, starts and each other half-way.
  const ignoreRefusal = (command: Promise<unknown>): void => void command.catch(() => undefined)
  switch (deed.deed) {
    case 'end': {
      const outcome = deed.kind === 'crashed' ? { kind: deed.kind, error: new Error('broken') } : { kind: deed.kind }
      return stage.endNow(deed.id, outcome)
    }
    case 'failNextStart':
      return void stage.failingStarts.set(deed.id, 1)
    case 'terminate':
      return ignoreRefusal(supervisor.terminateChild(deed.id))
    case 'restart':
      return ignoreRefusal(supervisor.restartChild(deed.id))
    case 'bounce':
      return ignoreRefusal(supervisor.restartAt([deed.id]))
    case 'wait':
      return await stage.clock.advance(deed.milliseconds)
  }
}

for (const strategy of ['one_for_one', 'one_for_all', 'rest_for_one'] as const) {
  test(`${strategy}: in any order of events no child runs twice, none is stuck, and a stop ends all`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aDeed, { maxLength: 30 }), async (deeds) => {
        const stage = new Stage()
        const alive = new Map<string, number>()
        const twins: string[] = []
        const children = ids.map((id) => slowChild(stage, id, alive, twins))
        const starting = stage.start({ strategy, intensity: Number.POSITIVE_INFINITY, children })
        await stage.clock.advance(200)
        const supervisor = await starting
        for (const deed of deeds) await perform(deed, stage, supervisor)

        // Left alone long enough, each permanent child runs or was stopped by hand; none waits for ever.
        await stage.clock.advance(600_000)
        for (const { id, state } of supervisor.tree().children ?? []) {
          assert.ok(state === 'running' || state === 'stopped', `${id} is still ${state}`)
          assert.equal(alive.get(id), state === 'running' ? 1 : 0, `${id} is said to be ${state}`)
        }
        const terminated = deeds.some((deed) => deed.deed === 'terminate' || deed.deed === 'bounce')
        if (!terminated) assert.equal(supervisor.countChildren().active, ids.length)

        const stopping = supervisor.stop()
        await stage.clock.advance(60_000)
        await stopping
        assert.deepEqual([...alive.values()], [0, 0, 0, 0])
        assert.deepEqual(twins, [])
        assert.equal(stage.clock.pending, 0)
      }),
      { numRuns: 200 },
    )
  })
}
