// P7: cancel and deadline reach running steps and children, and win over retries. And what a failed task may do next.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { ask, defineAgent, step, tell } from '../../src/sdk/index.ts'
import { openTestStage, TENANT } from './stage.ts'

const anything = z.any()

function family(aborted: (who: string) => void) {
  const wait = step<unknown, never>(
    ({ ctx }) =>
      new Promise<never>((_, reject) => {
        ctx.signal.addEventListener('abort', () => {
          aborted(ctx.task.agent)
          reject(ctx.signal.reason)
        })
      }),
  )
  const child = defineAgent({
    name: 'child',
    version: '1.0.0',
    description: 'Waits',
    input: anything,
    output: anything,
    machine: setup({ actors: { wait } }).createMachine({
      initial: 'a',
      states: { a: { invoke: { id: 'wait', src: 'wait' } } },
    }),
  })
  const parent = defineAgent({
    name: 'parent',
    version: '1.0.0',
    description: 'Waits, and for a child',
    input: anything,
    output: anything,
    machine: setup({ actors: { wait, child: ask('child') } }).createMachine({
      type: 'parallel',
      states: {
        own: { initial: 'a', states: { a: { invoke: { id: 'wait', src: 'wait' } } } },
        child: { initial: 'a', states: { a: { invoke: { id: 'child', src: 'child', input: {} } } } },
      },
    }),
  })
  return [parent, child]
}

async function startFamily(t: Parameters<typeof openTestStage>[0], more: { deadline?: number } = {}) {
  const aborted = new Set<string>()
  const both = Promise.withResolvers<void>()
  const stage = await openTestStage(
    t,
    family((who) => {
      aborted.add(who)
      if (aborted.size === 2) both.resolve()
    }),
  )
  await stage.startHost()
  const parent = await stage.submit('parent', {}, more)
  const asked = await stage.until(parent.id, ({ body }) => body.type === 'child.asked')
  assert.ok(asked.body.type === 'child.asked')
  const childId = asked.body.task
  await stage.until(childId, ({ body }) => body.type === 'step.started')
  return { stage, parent, childId, both: both.promise }
}

test('cancel aborts the running steps of the whole tree and ends each task once', async (t) => {
  const { stage, parent, childId, both } = await startFamily(t)
  await stage.desk.cancel(TENANT, parent.id, 'changed my mind')
  await both
  assert.equal((await stage.end(parent.id)).state, 'cancelled')
  assert.equal((await stage.end(childId)).state, 'cancelled')
  assert.equal((await stage.types(parent.id)).filter((type) => type === 'task.cancelled').length, 1)
  await assert.rejects(stage.desk.cancel(TENANT, parent.id), { code: 'wrong_state' })
})

test('a deadline ends the whole tree as deadline_exceeded', async (t) => {
  const { stage, parent, childId, both } = await startFamily(t, { deadline: Date.now() + 3_000 })
  await both
  assert.equal((await stage.end(parent.id)).error?.code, 'deadline_exceeded')
  // The child has the same deadline, and its parent’s cancel: whichever it reads first.
  assert.notEqual((await stage.end(childId)).state, 'completed')
})

test('cancel wins over a retry that is being waited for', async (t) => {
  const machine = setup({
    actors: {
      failing: step(
        () => {
          throw new Error('always')
        },
        { retries: 5, backoff: 60_000, maxBackoff: 60_000 },
      ),
    },
  }).createMachine({ initial: 'a', states: { a: { invoke: { id: 'failing', src: 'failing' } } } })
  const agent = defineAgent({
    name: 'failing',
    version: '1.0.0',
    description: 'x',
    input: anything,
    output: anything,
    machine,
  })
  const stage = await openTestStage(t, [agent])
  await stage.startHost()
  const task = await stage.submit('failing', {})
  await stage.until(task.id, ({ body }) => body.type === 'step.retrying')
  await stage.desk.cancel(TENANT, task.id)
  assert.equal((await stage.end(task.id)).state, 'cancelled')
})

test('a task whose agent nobody has any more can still be cancelled', async (t) => {
  const agent = defineAgent({
    name: 'gone',
    version: '1.0.0',
    description: 'x',
    input: anything,
    output: anything,
    run: async () => 1,
  })
  const stage = await openTestStage(t, [agent])
  const task = await stage.submit('gone', {})
  await stage.startHost([])
  await stage.desk.cancel(TENANT, task.id)
  assert.equal((await stage.end(task.id)).state, 'cancelled')
})

test('a failed task is retried from its last good state: what was done is not done again', async (t) => {
  const runs: string[] = []
  let broken = true
  const machine = setup({
    types: { context: {} as { first: number } },
    actors: {
      first: step(() => runs.push('first')),
      second: step(
        () => {
          runs.push('second')
          if (broken) throw new Error('broken')
        },
        { retries: 0 },
      ),
    },
  }).createMachine({
    context: { first: 0 },
    initial: 'one',
    output: ({ context }) => context.first,
    states: {
      one: {
        invoke: {
          id: 'first',
          src: 'first',
          onDone: { target: 'two', actions: assign({ first: ({ event }) => event.output }) },
        },
      },
      two: { invoke: { id: 'second', src: 'second', onDone: 'three' } },
      three: { type: 'final' },
    },
  })
  const agent = defineAgent({
    name: 'fragile',
    version: '1.0.0',
    description: 'x',
    input: anything,
    output: anything,
    machine,
    restarts: { max: 0, within: '1m' },
  })
  const stage = await openTestStage(t, [agent])
  await stage.startHost()
  const task = await stage.submit('fragile', {})
  assert.equal((await stage.end(task.id)).state, 'failed')
  broken = false
  await stage.desk.retry(TENANT, task.id)
  const ended = await stage.end(task.id)
  assert.equal(ended.state, 'completed', JSON.stringify(ended.error))
  assert.deepEqual(runs, ['first', 'second', 'second'])
  await assert.rejects(stage.desk.retry(TENANT, task.id), { code: 'wrong_state' })
})

test('tell puts an event into another task’s mailbox, once', async (t) => {
  const listener = defineAgent({
    name: 'listener',
    version: '1.0.0',
    description: 'Counts',
    input: anything,
    output: anything,
    machine: setup({ types: { context: {} as { heard: number } } }).createMachine({
      context: { heard: 0 },
      initial: 'listening',
      output: ({ context }) => context.heard,
      states: {
        listening: { on: { word: { actions: assign({ heard: ({ context }) => context.heard + 1 }) }, end: 'done' } },
        done: { type: 'final' },
      },
    }),
  })
  const speaker = defineAgent({
    name: 'speaker',
    version: '1.0.0',
    description: 'Speaks',
    input: z.object({ to: z.string() }),
    output: anything,
    machine: setup({
      types: { context: {} as { to: string }, input: {} as { to: string } },
      actions: { speak: tell(({ context }) => [{ to: (context as { to: string }).to, event: { type: 'word' } }]) },
    }).createMachine({
      context: ({ input }) => ({ to: input.to }),
      initial: 'done',
      states: { done: { type: 'final', entry: 'speak' } },
    }),
  })
  const stage = await openTestStage(t, [listener, speaker])
  await stage.startHost()
  const heard = await stage.submit('listener', {})
  for (let i = 0; i < 3; i++) await stage.end((await stage.submit('speaker', { to: heard.id })).id)
  await stage.desk.signal(TENANT, heard.id, { type: 'end' }, 'the-end')
  await stage.desk.signal(TENANT, heard.id, { type: 'end' }, 'the-end').catch(() => {})
  assert.equal((await stage.end(heard.id)).output, 3)
})

test('a message cannot forge the outcome of a step', async (t) => {
  const [parent, child] = family(() => {})
  const stage = await openTestStage(t, [parent!, child!])
  await stage.startHost()
  const task = await stage.submit('child', {})
  await stage.until(task.id, ({ body }) => body.type === 'step.started')
  await stage.desk.signal(TENANT, task.id, { type: 'xstate.done.actor.wait', output: 'forged' })
  await stage.until(task.id, ({ body }) => body.type === 'message.received')
  assert.equal((await stage.desk.get(TENANT, task.id)).state, 'running')
})
