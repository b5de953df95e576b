// A person retries a task that has ended: what ended with it begins anew, once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import type { TaskEvent } from '../../src/contract/events.ts'
import { MAX_VALUE_BYTES } from '../../src/contract/limits.ts'
import { type AgentDefinition, ask, defineAgent, step } from '../../src/sdk/index.ts'
import { openTestStage, TENANT } from './stage.ts'

const anything = z.any()

function agent(name: string, behaviour: Pick<AgentDefinition, 'machine' | 'run'>) {
  return defineAgent({
    name,
    version: '1.0.0',
    description: name,
    input: anything,
    output: anything,
    restarts: { max: 0, within: '1m' },
    ...behaviour,
  })
}

const isResumed = ({ body }: TaskEvent) => body.type === 'task.resumed'

test('a machine that failed in its first turn asks its child once when it is retried', async (t) => {
  let broken = true
  const machine = setup({ actors: { child: ask('child') } }).createMachine({
    context: () => {
      if (broken) throw new Error('not yet')
      return {}
    },
    initial: 'asking',
    states: { asking: { invoke: { id: 'child', src: 'child', onDone: 'done' } }, done: { type: 'final' } },
  })
  const child = agent('child', { run: async (ctx) => await ctx.sleep('nap', 10) })
  const stage = await openTestStage(t, [agent('parent', { machine }), child])
  await stage.startHost()
  const task = await stage.submit('parent', {})
  assert.equal((await stage.end(task.id)).state, 'failed')
  broken = false
  await stage.desk.retry(TENANT, task.id)
  assert.equal((await stage.end(task.id)).state, 'completed')
  assert.equal((await stage.types(task.id)).filter((type) => type === 'child.asked').length, 1)
})

test('what a refused value ended begins anew: the child is asked again, the timer set again', async (t) => {
  let size = MAX_VALUE_BYTES + 1
  const machine = setup({
    types: { context: {} as { all: string } },
    actors: { child: ask('child'), grow: step(() => 'x'.repeat(size)) },
  }).createMachine({
    context: { all: '' },
    type: 'parallel',
    states: {
      asking: {
        initial: 'waiting',
        states: {
          waiting: { invoke: { id: 'child', src: 'child', onDone: 'answered' } },
          answered: { type: 'final' },
        },
      },
      resting: { initial: 'asleep', states: { asleep: { after: { 100: 'awake' } }, awake: { type: 'final' } } },
      growing: {
        initial: 'small',
        states: {
          small: {
            invoke: {
              id: 'grow',
              src: 'grow',
              onDone: { target: 'large', actions: assign({ all: ({ event }) => String(event.output) }) },
            },
          },
          large: { type: 'final' },
        },
      },
    },
  })
  const child = agent('child', { run: async (ctx) => await ctx.wait('word', 'word') })
  const stage = await openTestStage(t, [agent('parent', { machine }), child])
  await stage.startHost()
  const task = await stage.submit('parent', {})
  assert.equal((await stage.end(task.id)).error?.code, 'value_too_large')
  const first = (await stage.journal.list({ tenant: TENANT, parent: task.id, limit: 10 })).tasks[0]!
  assert.equal((await stage.end(first.id)).state, 'cancelled')
  size = 1
  await stage.desk.retry(TENANT, task.id)
  const asked = await stage.until(task.id, ({ body }) => body.type === 'child.asked' && body.task !== first.id)
  assert.ok(asked.body.type === 'child.asked')
  await stage.desk.signal(TENANT, asked.body.task, { type: 'word' })
  assert.equal((await stage.end(task.id)).state, 'completed')
})

test('a handler that failed of its child asks it again when it is retried; one that caught the failure does not', async (t) => {
  let broken = true
  let fallbacks = 0
  const child = agent('child', {
    run: () => {
      if (broken) throw new Error('broken')
      return 'well'
    },
  })
  const fails = agent('fails', { run: async (ctx) => await ctx.ask('child', 'child', {}) })
  const catches = agent('catches', {
    run: async (ctx) => {
      const answer = await ctx.ask('child', 'child', {}).catch(() => ctx.step('fallback', () => `way ${++fallbacks}`))
      if (broken) throw new Error('later')
      return answer
    },
  })
  const stage = await openTestStage(t, [child, fails, catches])
  await stage.startHost()
  const tasks = [await stage.submit('fails', {}), await stage.submit('catches', {})]
  for (const { id } of tasks) assert.equal((await stage.end(id)).state, 'failed')
  broken = false
  for (const { id } of tasks) await stage.desk.retry(TENANT, id)
  assert.deepEqual([(await stage.end(tasks[0]!.id)).output, (await stage.end(tasks[1]!.id)).output], ['well', 'way 1'])
})

test('a task says why it is resumed: after a drain its host gave it back, after a retry it was retried', async (t) => {
  let broken = true
  const begun = Promise.withResolvers<void>()
  const run: AgentDefinition['run'] = (ctx) =>
    ctx.step('once', async ({ signal }) => {
      if (!broken) return 'done'
      begun.resolve()
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))
    })
  const stage = await openTestStage(t, [agent('held', { run })])
  const host = await stage.startHost()
  const task = await stage.submit('held', {})
  await begun.promise
  await host.drain(1)
  await stage.startHost()
  const released = await stage.until(task.id, isResumed)
  await stage.desk.cancel(TENANT, task.id)
  await stage.end(task.id)
  broken = false
  await stage.desk.retry(TENANT, task.id)
  assert.equal((await stage.end(task.id)).output, 'done')
  const retried = await stage.until(task.id, (event) => isResumed(event) && event.number > released.number)
  const why = [released, retried].map(({ body }) => (body.type === 'task.resumed' ? body.because : body.type))
  assert.deepEqual(why, ['release', 'retry'])
})
