import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assign, emit, enqueueActions, raise, setup } from 'xstate'
import { z } from 'zod'
import { ask, defineAgent, step, type TroupeError } from '../../src/sdk/index.ts'
import { runAgent } from '../../src/sdk/testing/index.ts'
import { agentOf, anything } from './machine-agent.ts'
import { openTestStage, TENANT } from './stage.ts'

test('leaving a state aborts its step, and the late outcome is ignored', async (t) => {
  const aborted = Promise.withResolvers<void>()
  const machine = setup({
    actors: {
      slow: step(
        ({ ctx }) =>
          new Promise((resolve) => {
            ctx.signal.addEventListener('abort', () => {
              aborted.resolve()
              resolve('too late')
            })
          }),
      ),
    },
  }).createMachine({
    initial: 'waiting',
    states: {
      waiting: { invoke: { id: 'slow', src: 'slow' }, on: { go: 'gone' } },
      gone: { on: { end: 'done' } },
      done: { type: 'final' },
    },
  })
  const stage = await openTestStage(t, [agentOf('leaver', machine)])
  await stage.startHost()
  const task = await stage.submit('leaver', {})
  await stage.until(task.id, ({ body }) => body.type === 'step.started')
  await stage.desk.signal(TENANT, task.id, { type: 'go' })
  await aborted.promise
  await stage.until(task.id, ({ body }) => body.type === 'step.stopped')
  await stage.desk.signal(TENANT, task.id, { type: 'end' })
  assert.equal((await stage.end(task.id)).state, 'completed')
})

test('a re-entered state starts its step anew under a new key', async () => {
  const keys: string[] = []
  const machine = setup({
    actors: {
      work: step(({ ctx }) => {
        keys.push(ctx.idempotencyKey.split('/')[1]!)
        return keys.length
      }),
    },
  }).createMachine({
    initial: 'working',
    states: {
      working: {
        invoke: {
          id: 'work',
          src: 'work',
          onDone: [{ guard: ({ event }) => event.output === 1, target: 'working', reenter: true }, { target: 'done' }],
        },
      },
      done: { type: 'final' },
    },
  })
  assert.equal((await runAgent(agentOf('again', machine), {})).task.state, 'completed')
  assert.deepEqual(keys, ['work', 'work:2'])
})

test('raise is applied at once, an emitted event is in the log, and a delayed event can be cancelled', async () => {
  const machine = setup({}).createMachine({
    initial: 'first',
    context: { seen: [] as string[] },
    output: ({ context }) => context.seen,
    states: {
      first: {
        entry: [emit({ type: 'hello' }), raise({ type: 'GO' }), raise({ type: 'NEVER' }, { delay: 5, id: 'never' })],
        on: { GO: 'second' },
      },
      second: {
        entry: enqueueActions(({ enqueue }) => enqueue.cancel('never')),
        on: { NEVER: { actions: assign({ seen: ['never'] }) } },
        after: { 40: 'done' },
      },
      done: { type: 'final' },
    },
  })
  const { task, events } = await runAgent(agentOf('raiser', machine), {})
  assert.deepEqual(task.output, [])
  assert.ok(events.some(({ body }) => body.type === 'emitted' && body.event.type === 'hello'))
})

test('history brings a machine back to where it left a region, also after it slept', async (t) => {
  const machine = setup({}).createMachine({
    initial: 'work',
    states: {
      work: {
        initial: 'one',
        on: { pause: 'paused' },
        states: { one: { on: { next: 'two' } }, two: { on: { finish: '#done' } }, back: { type: 'history' } },
      },
      paused: { on: { resume: 'work.back' } },
      done: { id: 'done', type: 'final' },
    },
  })
  const stage = await openTestStage(t, [agentOf('pauser', machine)])
  await stage.startHost()
  const task = await stage.submit('pauser', {})
  for (const type of ['next', 'pause', 'resume', 'finish']) await stage.desk.signal(TENANT, task.id, { type })
  assert.equal((await stage.end(task.id)).state, 'completed')
})

test('a parent asks many children at once and joins them', async (t) => {
  const child = defineAgent({
    name: 'square',
    version: '1.0.0',
    description: 'Squares',
    input: z.object({ n: z.number() }),
    output: z.number(),
    run: async (ctx) => ctx.input.n ** 2,
  })
  const machine = setup({
    types: { context: {} as { left: number; sum: number }, input: {} as { count: number } },
    actors: { square: ask<number, { n: number }>('square') },
  }).createMachine({
    context: ({ input }) => ({ left: input.count, sum: 0 }),
    initial: 'asking',
    output: ({ context }) => context.sum,
    states: {
      asking: {
        entry: enqueueActions(({ enqueue, context }) => {
          for (let n = 1; n <= context.left; n++) enqueue.spawnChild('square', { id: `square-${n}`, input: { n } })
        }),
        on: {
          'xstate.done.actor.*': {
            actions: assign(({ context, event }) => ({
              left: context.left - 1,
              sum: context.sum + (event as unknown as { output: number }).output,
            })),
          },
        },
        always: { guard: ({ context }) => context.left === 0, target: 'done' },
      },
      done: { type: 'final' },
    },
  })
  const stage = await openTestStage(t, [agentOf('summer', machine), child])
  await stage.startHost()
  const task = await stage.submit('summer', { count: 10 })
  assert.equal((await stage.end(task.id)).output, 385)
  assert.equal((await stage.desk.list(TENANT, { parent: task.id })).tasks.length, 10)
})

test('asking an agent that does not exist is a child that failed at once', async () => {
  const machine = setup({ actors: { missing: ask('nobody') } }).createMachine({
    initial: 'asking',
    context: { code: '' },
    output: ({ context }) => context.code,
    states: {
      asking: {
        invoke: {
          id: 'missing',
          src: 'missing',
          onError: { target: 'done', actions: assign({ code: ({ event }) => (event.error as TroupeError).code }) },
        },
      },
      done: { type: 'final' },
    },
  })
  assert.equal((await runAgent(agentOf('asker', machine), {})).task.output, 'unknown_agent')
})

test('an output that does not fit the agent’s schema fails the task as output_invalid', async () => {
  const agent = defineAgent({
    name: 'liar',
    version: '1.0.0',
    description: 'Says it returns a number',
    input: anything,
    output: z.number(),
    run: async () => 'text' as never,
  })
  assert.equal((await runAgent(agent, {})).task.error?.code, 'output_invalid')
})

test('a machine that waits for a person says in which state, and which messages go on', async (t) => {
  const machine = setup({}).createMachine({
    initial: 'review',
    on: { withdraw: '.done', '*': {} },
    states: {
      review: {
        initial: 'deciding',
        states: {
          deciding: { tags: 'input-required', on: { approve: '#done', refuse: '#done' }, after: { 60000: '#done' } },
        },
      },
      done: { id: 'done', type: 'final' },
    },
  })
  const stage = await openTestStage(t, [agentOf('reviewer', machine)])
  await stage.startHost()
  const task = await stage.submit('reviewer', {})
  await stage.until(task.id, ({ body }) => body.type === 'task.waiting')
  const { waitingFor } = await stage.desk.get(TENANT, task.id)
  assert.equal(waitingFor?.detail, 'review.deciding')
  assert.deepEqual(waitingFor.messages?.toSorted(), ['approve', 'refuse', 'withdraw'])
})
