// The calls of a handler and its replay (ADR 5): what would go wrong silently is told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { type AgentDefinition, defineAgent } from '../../src/sdk/index.ts'
import { runAgent } from '../../src/sdk/testing/index.ts'
import { openTestStage, TENANT } from './stage.ts'

function handler(run: AgentDefinition['run']) {
  return defineAgent({
    name: 'caller',
    version: '1.0.0',
    description: 'Makes calls',
    input: z.any(),
    output: z.any(),
    ...(run === undefined ? {} : { run }),
  })
}

test('an id that stands for two calls fails the task: the second would be skipped, or never answered', async () => {
  const sent: string[] = []
  const loop = handler(async (ctx) => {
    for (const one of ['a', 'b']) await ctx.step('send', () => sent.push(one))
  })
  const twoSleeps = handler(async (ctx) => await Promise.all([ctx.sleep('nap', 5), ctx.sleep('nap', 10)]))
  for (const [agent, id] of [
    [loop, 'send'],
    [twoSleeps, 'nap'],
  ] as const) {
    const { task } = await runAgent(agent, {})
    assert.equal(task.error?.code, 'agent_invalid')
    assert.match(task.error?.message ?? '', new RegExp(`two calls with the id "${id}"`))
  }
  assert.deepEqual(sent, ['a'])
})

test('a call that fails while another one is awaited crashes the actor, not its host', async () => {
  let starts = 0
  const agent = handler(async (ctx) => {
    starts += 1
    const fails = ctx.step(
      'fails',
      () => {
        if (starts === 1) throw new Error('once')
        return 'well'
      },
      { retries: 0 },
    )
    const slow = Promise.withResolvers<void>()
    setTimeout(slow.resolve, 20)
    await slow.promise
    return await fails
  })
  assert.equal((await runAgent(agent, {})).task.output, 'well')
  assert.equal(starts, 2)
})

test('a function that takes another way when it is run again is told so in the task’s log', async () => {
  let starts = 0
  const agent = handler(async (ctx) => {
    starts += 1
    await ctx.step(`one-${starts}`, () => 1)
    await ctx.step('two', () => 2)
    if (starts === 1) throw new Error('once')
  })
  const { events } = await runAgent(agent, {})
  const told = events.flatMap(({ body }) => (body.type === 'progress' ? [body.message] : []))
  assert.equal(told.length, 1)
  assert.match(told[0] ?? '', /did not: one-1\./)
})

test('a function that takes the same way again is told nothing, and a failure that it catches is in the log', async () => {
  let starts = 0
  const agent = handler(async (ctx) => {
    starts += 1
    await ctx.step('one', () => 1)
    if (starts === 1) throw new Error('once')
    await ctx
      .step(
        'risky',
        () => {
          throw new Error('no')
        },
        { retries: 0 },
      )
      .catch(() => {})
  })
  const { task, events } = await runAgent(agent, {})
  assert.equal(task.state, 'completed')
  assert.ok(!events.some(({ body }) => body.type === 'progress'))
  const failed = events.find(({ body }) => body.type === 'step.failed')
  assert.ok(failed?.body.type === 'step.failed' && failed.body.step === 'risky' && failed.body.attempt === 1)
})

test('messages that came early are taken in their order, each by one wait', async (t) => {
  const agent = handler(async (ctx) => {
    const first = await ctx.wait('go', 'go')
    const words = await Promise.all([ctx.wait('one', 'word'), ctx.wait('two', 'word')])
    return [first, ...words].map((message) => message.n)
  })
  const stage = await openTestStage(t, [agent])
  const task = await stage.submit('caller', {})
  for (const [n, type] of ['word', 'word', 'go'].entries()) await stage.desk.signal(TENANT, task.id, { type, n })
  await stage.startHost()
  assert.deepEqual((await stage.end(task.id)).output, [2, 0, 1])
})
