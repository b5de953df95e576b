import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Outcome, RestartType } from '../../src/supervision/index.ts'
import { crashed, Stage } from './stage.ts'

const normal: Outcome = { kind: 'normal' }
const shutdown: Outcome = { kind: 'shutdown' }

const cases: [RestartType, Outcome, boolean][] = [
  ['permanent', normal, true],
  ['permanent', shutdown, true],
  ['permanent', crashed, true],
  ['transient', normal, false],
  ['transient', shutdown, false],
  ['transient', { kind: 'drained' }, false],
  ['transient', { kind: 'lease_lost' }, false],
  ['transient', crashed, true],
  ['temporary', normal, false],
  ['temporary', shutdown, false],
  ['temporary', crashed, false],
]

for (const [restart, outcome, again] of cases) {
  const how = outcome.kind === 'crashed' ? 'crashes' : `ends as ${outcome.kind}`
  test(`a ${restart} child that ${how} is ${again ? 'restarted' : 'not restarted'}`, async () => {
    const stage = new Stage()
    const supervisor = await stage.start({ children: [stage.child('a', { restart })] })
    stage.news()
    await stage.end('a', outcome)
    assert.equal(stage.news(), again ? '+a' : '')
    await supervisor.stop()
  })
}

test('the spec of a temporary child is forgotten when it ends; that of a transient one is kept', async () => {
  const stage = new Stage()
  const children = [stage.child('once', { restart: 'temporary' }), stage.child('done', { restart: 'transient' })]
  const supervisor = await stage.start({ children })
  await stage.end('once', normal)
  await stage.end('done', normal)
  assert.deepEqual(supervisor.whichChildren(), [{ id: 'done', type: 'worker', child: undefined }])
  await supervisor.stop()
})

test('a child whose exited promise rejects has crashed', async () => {
  const stage = new Stage()
  const { promise, reject } = Promise.withResolvers<Outcome>()
  const spec = {
    id: 'a',
    restart: 'temporary' as const,
    start: async () => ({ exited: promise, stop: () => undefined }),
  }
  const supervisor = await stage.start({ children: [spec] })
  reject(new Error('its own fault'))
  await stage.clock.advance(0)
  const [event] = stage.types('child_crashed')
  assert.match(String(event?.type === 'child_crashed' && event.error), /its own fault/)
  await supervisor.stop()
})
