import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineAgent, type HandlerContext } from '../../src/sdk/index.ts'
import { crashEverywhere, runAgent } from '../../src/sdk/testing/index.ts'
import { openTestStage, TENANT } from './stage.ts'

const handler = (name: string, run: (ctx: HandlerContext<{ n: number }>) => unknown, more = {}) =>
  defineAgent({
    name,
    version: '1.0.0',
    description: name,
    input: z.object({ n: z.number().default(1) }),
    output: z.any(),
    run: async (ctx) => await run(ctx),
    ...more,
  })

test('a recorded step is not run again when the handler is run again', async () => {
  const runs: string[] = []
  let starts = 0
  const agent = handler('steady', async (ctx) => {
    starts += 1
    const one = await ctx.step('one', () => runs.push('one'))
    const two = await ctx.step('two', () => runs.push('two'))
    if (starts === 1) throw new Error('between two steps')
    return one + two
  })
  const { task } = await runAgent(agent, { n: 1 })
  assert.equal(task.output, 3)
  assert.deepEqual(runs, ['one', 'two'])
  assert.equal(starts, 2)
})

test('a step’s failure that the handler catches is recorded, so that a later run takes the same way', async () => {
  let starts = 0
  let tries = 0
  const agent = handler('catcher', async (ctx) => {
    starts += 1
    const way = await ctx
      .step(
        'risky',
        () => {
          tries += 1
          throw new Error('no')
        },
        { retries: 0 },
      )
      .catch(() => 'caught')
    await ctx.step('after', () => way)
    if (starts === 1) throw new Error('crash')
    return way
  })
  const { task } = await runAgent(agent, { n: 1 })
  assert.equal(task.output, 'caught')
  assert.equal(tries, 1)
})

test('an uncaught step failure crashes the actor, and the restart tries the step again', async () => {
  let tries = 0
  const agent = handler('uncaught', (ctx) =>
    ctx.step(
      'risky',
      () => {
        tries += 1
        if (tries < 3) throw new Error('not yet')
        return 'done'
      },
      { retries: 0 },
    ),
  )
  const { task, events } = await runAgent(agent, { n: 1 })
  assert.equal(task.output, 'done')
  assert.equal(events.filter(({ body }) => body.type === 'task.crashed').length, 2)
})

test('a handler that waits for a child, a timer and a person leaves memory and continues', async (t) => {
  const child = handler('child', (ctx) => ctx.input.n + 1)
  let starts = 0
  const parent = handler('parent', async (ctx) => {
    starts += 1
    const fromChild = await ctx.ask<number>('child', 'child', { n: ctx.input.n })
    await ctx.sleep('nap', 10)
    const { name } = await ctx.wait<{ name: string }>('approval', 'approve')
    return `${fromChild} ${name}`
  })
  const stage = await openTestStage(t, [parent, child])
  const host = await stage.startHost()
  const task = await stage.submit('parent', { n: 41 })
  await stage.until(task.id, ({ body }) => body.type === 'task.waiting' && body.for.kind === 'person')
  const asking = await stage.desk.get(TENANT, task.id)
  assert.equal(asking.state, 'input-required')
  assert.deepEqual(asking.waitingFor, { kind: 'person', detail: 'approval', messages: ['approve'] })
  assert.equal(host.actors, 0)
  await stage.desk.signal(TENANT, task.id, { type: 'approve', name: 'ada' })
  const ended = await stage.end(task.id)
  assert.equal(ended.output, '42 ada')
  assert.ok(starts >= 3, `it was started ${starts} times`)
})

test('two calls of one id are refused, because the second would be given the first one’s record', async () => {
  for (const again of [
    (ctx: HandlerContext) => ctx.step('rate', () => 2),
    (ctx: HandlerContext) => ctx.sleep('rate', 1),
    (ctx: HandlerContext) => ctx.ask('rate', 'twice', {}),
    (ctx: HandlerContext) => ctx.wait('rate', 'go'),
  ]) {
    let starts = 0
    const agent = handler('twice', async (ctx) => {
      starts += 1
      await ctx.step('rate', () => 1)
      return await again(ctx)
    })
    const { task } = await runAgent(agent, { n: 1 })
    assert.equal(task.error?.code, 'agent_invalid')
    assert.match(task.error.message, /twice makes two calls with the id "rate"/)
    assert.equal(starts, 1)
  }
})

test('a step’s failure that nobody catches is the task’s, and names the step', async () => {
  const agent = handler('careless', (ctx) => ctx.step('pay', () => Promise.reject(new Error('no money'))), {
    steps: { retries: 0 },
    restarts: { max: 1, within: '1m' },
  })
  const { task } = await runAgent(agent, { n: 1 })
  assert.deepEqual(task.error, {
    code: 'step_failed',
    message: 'The step "pay" failed: no money',
    detail: { step: 'pay' },
  })
})

test('a message that comes before anyone waits for it is kept', async (t) => {
  const agent = handler('early', async (ctx) => {
    await ctx.sleep('first', 30)
    const { word } = await ctx.wait<{ word: string }>('answer', 'answer')
    return word
  })
  const stage = await openTestStage(t, [agent])
  await stage.startHost()
  const task = await stage.submit('early', {})
  await stage.desk.signal(TENANT, task.id, { type: 'answer', word: 'kept' })
  assert.equal((await stage.end(task.id)).output, 'kept')
})

test('three asks of one moment are one commit', async () => {
  const child = handler('child', (ctx) => ctx.input.n)
  const parent = handler('parent', async (ctx) => {
    const answers = await Promise.all([1, 2, 3].map((n) => ctx.ask<number>(`ask-${n}`, 'child', { n })))
    return answers.reduce((sum, n) => sum + n, 0)
  })
  const { task, events } = await runAgent(parent, { n: 1 }, { others: [child] })
  assert.equal(task.output, 6)
  const asked = events.filter(({ body }) => body.type === 'child.asked')
  assert.equal(asked.length, 3)
  assert.equal(new Set(asked.map(({ at }) => at)).size, 1)
})

test('a handler with steps, a child and a timer survives a crash at every commit', async () => {
  const child = handler('child', (ctx) => ctx.step('inner', () => ctx.input.n * 2))
  const parent = handler('parent', async (ctx) => {
    const first = await ctx.step('first', () => ctx.input.n + 1)
    const second = await ctx.ask<number>('second', 'child', { n: first })
    await ctx.sleep('nap', 5)
    return await ctx.step('third', () => second + 1)
  })
  const report = await crashEverywhere(parent, { n: 1 }, { others: [child] })
  assert.ok(report.commits >= 6, `${report.commits} commits`)
  assert.deepEqual(report.differences, [])
  assert.deepEqual(report.gaps, [])
})
