// What the journal refuses for good ends the task: it would be refused again for ever.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { MAX_VALUE_BYTES } from '../../src/contract/limits.ts'
import { defineAgent, step } from '../../src/sdk/index.ts'
import { openTestStage } from './stage.ts'

const anything = z.any()

function handler(run: () => unknown) {
  return defineAgent({
    name: 'large',
    version: '1.0.0',
    description: 'Returns what is asked of it',
    input: anything,
    output: anything,
    run: async (ctx) => await ctx.step('make', run),
  })
}

test('a step whose result is over the limit fails its task once, and says how large it was', async (t) => {
  let runs = 0
  const agent = handler(() => {
    runs += 1
    return 'x'.repeat(MAX_VALUE_BYTES + 1)
  })
  const stage = await openTestStage(t, [agent])
  await stage.startHost()
  const task = await stage.end((await stage.submit('large', {})).id)
  assert.equal(task.state, 'failed')
  assert.equal(task.error?.code, 'value_too_large')
  assert.match(task.error?.message ?? '', /bytes/)
  assert.equal(runs, 1)
})

test('a result that is no JSON fails its task', async (t) => {
  const stage = await openTestStage(t, [handler(() => 10n)])
  await stage.startHost()
  const task = await stage.end((await stage.submit('large', {})).id)
  assert.equal(task.error?.code, 'invalid_input')
})

test('a machine whose context grew over the limit fails, and its parent hears of it', async (t) => {
  const grow = step(async () => 'x'.repeat(MAX_VALUE_BYTES + 1))
  const machine = setup({ actors: { grow } }).createMachine({
    context: { all: '' },
    initial: 'growing',
    states: {
      growing: {
        invoke: {
          id: 'grow',
          src: 'grow',
          onDone: { target: 'waiting', actions: assign({ all: ({ event }) => String(event.output) }) },
        },
      },
      waiting: {},
    },
  })
  const child = defineAgent({
    name: 'grower',
    version: '1.0.0',
    description: 'Keeps too much',
    input: anything,
    output: anything,
    machine,
  })
  const parent = defineAgent({
    name: 'parent',
    version: '1.0.0',
    description: 'Asks the grower',
    input: anything,
    output: anything,
    run: async (ctx) => await ctx.ask('child', 'grower', {}),
  })
  const stage = await openTestStage(t, [child, parent])
  await stage.startHost()
  const task = await stage.end((await stage.submit('parent', {})).id)
  assert.equal(task.state, 'failed')
  assert.match(JSON.stringify(task.error), /value_too_large/)
})
