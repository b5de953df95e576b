import assert from 'node:assert/strict'
import { test } from 'node:test'
import { componentChild, type RunningComponent } from '../../src/supervision/index.ts'
import { Stage } from './stage.ts'

/** A component that keeps a diary; `fail` and `finish` end it. */
function component(diary: string[], running: Partial<RunningComponent> = {}) {
  const failure = Promise.withResolvers<Error>()
  const finish = Promise.withResolvers<void>()
  const spec = componentChild({
    id: 'part',
    restart: 'transient',
    async start() {
      diary.push('start')
      return {
        async stop(reason) {
          diary.push(`stop ${reason}`)
        },
        failed: failure.promise,
        finished: finish.promise,
        ...running,
      }
    },
  })
  return { spec, fail: failure.resolve, finish: finish.resolve }
}

test('a component is started, and stopped with the reason', async () => {
  const stage = new Stage()
  const diary: string[] = []
  const supervisor = await stage.start({ children: [component(diary).spec] })
  await supervisor.stop('drain')
  assert.deepEqual(diary, ['start', 'stop drain'])
  const [event] = stage.types('child_stopped')
  assert.deepEqual(event?.type === 'child_stopped' && event.outcome, { kind: 'drained' })
})

test('a component that fails lets go of what it holds before it is started again', async () => {
  const stage = new Stage()
  const diary: string[] = []
  const { spec, fail } = component(diary)
  const supervisor = await stage.start({ intensity: 1, period: 60_000, children: [spec] })
  fail(new Error('connection lost'))
  await stage.clock.advance(0)
  assert.deepEqual(diary.slice(0, 3), ['start', 'stop shutdown', 'start'])
  await supervisor.stop()
})

test('a component that fails and cannot let go is reported as crashed after a while all the same', async () => {
  const stage = new Stage()
  const { spec, fail } = component([], { stop: () => new Promise(() => undefined) })
  await stage.start({ intensity: 0, children: [spec] })
  fail(new Error('connection lost'))
  await stage.clock.advance(4_999)
  assert.equal(stage.types('child_crashed').length, 0)
  await stage.clock.advance(1)
  assert.equal(stage.types('child_crashed').length, 1)
})

test('a component that has nothing more to do ends as normal', async () => {
  const stage = new Stage()
  const { spec, finish } = component([])
  const supervisor = await stage.start({ children: [spec] })
  finish()
  await stage.clock.advance(0)
  const [event] = stage.types('child_ended')
  assert.deepEqual(event?.type === 'child_ended' && event.outcome, { kind: 'normal' })
  await supervisor.stop()
})

test('a component that hangs in its stop is left behind when its time is over', async () => {
  const stage = new Stage()
  const { spec } = component([], { stop: () => new Promise(() => undefined) })
  const supervisor = await stage.start({ children: [{ ...spec, shutdown: 1_000 }] })
  const stopping = supervisor.stop()
  await stage.clock.advance(1_000)
  await stopping
  const [event] = stage.types('child_stopped')
  assert.equal(event?.type === 'child_stopped' && event.forced, true)
})

test('a component whose stop fails is reported as crashed', async () => {
  const stage = new Stage()
  const stop = (): Promise<void> => Promise.reject(new Error('file in use'))
  const supervisor = await stage.start({ children: [component([], { stop }).spec] })
  await supervisor.stop()
  const [event] = stage.types('child_stopped')
  assert.equal(event?.type === 'child_stopped' && event.outcome.kind, 'crashed')
})

test('a component that cannot start fails the start of the tree', async () => {
  const stage = new Stage()
  const broken = componentChild({ id: 'part', start: () => Promise.reject(new Error('port 80 is taken')) })
  await assert.rejects(stage.start({ children: [broken] }), { message: 'root/part did not start: port 80 is taken' })
})
