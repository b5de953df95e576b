// One step of a machine: its retries, its timeout, what its failure means, and what it says while it runs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assign, setup } from 'xstate'
import { step, TroupeError } from '../../src/sdk/index.ts'
import { runAgent } from '../../src/sdk/testing/index.ts'
import { agentOf } from './machine-agent.ts'

/** An agent whose only step is given; its output is the step's, or the message of its error when `onError` is handled. */
function oneStep(run: Parameters<typeof step<unknown, unknown>>[0], policy = {}, handled = false) {
  const machine = setup({ actors: { work: step(run, policy) } }).createMachine({
    context: { output: null as unknown },
    initial: 'working',
    output: ({ context }) => context.output,
    states: {
      working: {
        invoke: {
          id: 'work',
          src: 'work',
          onDone: { target: 'done', actions: assign({ output: ({ event }) => event.output }) },
          ...(handled
            ? {
                onError: {
                  target: 'done' as const,
                  actions: assign({ output: ({ event }) => `caught: ${(event.error as Error).message}` }),
                },
              }
            : {}),
        },
      },
      done: { type: 'final' },
    },
  })
  return agentOf('one-step', machine, { restarts: { max: 0, within: '1m' } })
}

test('a step that fails is tried again under the same idempotency key until its retries are used up', async () => {
  const keys: string[] = []
  const agent = oneStep(
    ({ ctx }) => {
      keys.push(ctx.idempotencyKey)
      throw new Error(`try ${ctx.attempt}`)
    },
    { retries: 2, backoff: 1 },
  )
  const { task, events } = await runAgent(agent, {})
  assert.equal(task.state, 'failed')
  assert.deepEqual(task.error, {
    code: 'step_failed',
    message: 'The step "work" failed: try 3',
    detail: { step: 'work' },
  })
  assert.deepEqual(new Set(keys), new Set([`${task.id}/work`]))
  assert.equal(keys.length, 3)
  assert.equal(events.filter(({ body }) => body.type === 'step.retrying').length, 2)
})

test('an error that names a fault of the input is not retried', async () => {
  let tries = 0
  const agent = oneStep(() => {
    tries += 1
    throw new TroupeError('document_unreadable', 'it is empty')
  })
  const { task } = await runAgent(agent, {})
  assert.equal(tries, 1)
  assert.equal(task.error?.code, 'document_unreadable')
})

test('a failed step that the machine handles does not crash the actor', async () => {
  const agent = oneStep(
    () => {
      throw new Error('no luck')
    },
    { retries: 0 },
    true,
  )
  const { task } = await runAgent(agent, {})
  assert.equal(task.output, 'caught: no luck')
})

test('a step over its timeout is aborted and fails as step_timeout', async () => {
  let reason: unknown
  const agent = oneStep(
    ({ ctx }) =>
      new Promise(() => {
        ctx.signal.addEventListener('abort', () => {
          reason = ctx.signal.reason
        })
      }),
    { retries: 0, timeout: 20 },
  )
  const { task } = await runAgent(agent, {})
  assert.equal(task.error?.code, 'step_timeout')
  assert.ok(reason instanceof TroupeError && reason.code === 'step_timeout')
})

test('a crashed actor is restarted by its budget, then the task fails with the cause', async () => {
  let runs = 0
  const machine = setup({
    actors: {
      work: step(
        () => {
          runs += 1
          throw new Error('always')
        },
        { retries: 0 },
      ),
    },
  }).createMachine({ initial: 'working', states: { working: { invoke: { id: 'work', src: 'work' } } } })
  const { task, events } = await runAgent(agentOf('crasher', machine, { restarts: { max: 2, within: '1m' } }), {})
  assert.equal(runs, 3)
  assert.equal(task.state, 'failed')
  assert.equal(events.filter(({ body }) => body.type === 'task.crashed').length, 2)
})

test('progress and tokens are coalesced: a chatty step costs a bounded number of commits', async () => {
  const agent = oneStep(async ({ ctx }) => {
    for (let i = 0; i < 5_000; i++) {
      ctx.progress({ fraction: i / 5_000 })
      ctx.token('x')
    }
    return 'done'
  })
  const { events } = await runAgent(agent, {})
  const text = events.flatMap(({ body }) => (body.type === 'tokens' ? [body.text] : [])).join('')
  assert.equal(text.length, 5_000)
  assert.ok(events.length < 20, `${events.length} events`)
})
