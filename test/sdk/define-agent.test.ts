import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assign, fromCallback, fromPromise, sendTo, setup } from 'xstate'
import { z } from 'zod'
import { defineAgent, step, TroupeError } from '../../src/sdk/index.ts'
import { explore } from '../../src/sdk/testing/index.ts'

const base = {
  name: 'a-name',
  version: '1.0.0',
  description: 'x',
  input: z.object({ n: z.number() }),
  output: z.number(),
}
const run = async () => 1

const refusals: [string, () => unknown, string, RegExp][] = [
  [
    'a name with capitals',
    () => defineAgent({ ...base, name: 'MyAgent', run }),
    'agent_invalid',
    /lower-case words joined by hyphens/,
  ],
  [
    'a version that is not semantic',
    () => defineAgent({ ...base, version: '1', run }),
    'agent_invalid',
    /semantic, like "1.0.0"/,
  ],
  ['neither machine nor run', () => defineAgent(base), 'agent_invalid', /either a `machine`.*or a `run`/],
  ['a concurrency of zero', () => defineAgent({ ...base, concurrency: 0, run }), 'agent_invalid', /above 0/],
  [
    'restarts without a period',
    () => defineAgent({ ...base, restarts: { max: 1, within: 'soon' }, run }),
    'agent_invalid',
    /within: '1m'/,
  ],
  [
    'an input without a JSON Schema',
    () => defineAgent({ ...base, input: z.object({ at: z.date() }) as never, run }),
    'agent_invalid',
    /JSON/,
  ],
  [
    'an input that is not a zod schema',
    () => defineAgent({ ...base, input: {} as never, run }),
    'agent_invalid',
    /zod 4 schema/,
  ],
  [
    'a machine that is not one',
    () => defineAgent({ ...base, machine: {} as never }),
    'machine_not_durable',
    /createMachine/,
  ],
  [
    'an invoked promise',
    () =>
      defineAgent({
        ...base,
        machine: setup({ actors: { p: fromPromise(run) } }).createMachine({ invoke: { src: 'p' } }),
      }),
    'machine_not_durable',
    /step\(…\)/,
  ],
  [
    'an invoked callback, also inline',
    () =>
      defineAgent({ ...base, machine: setup({}).createMachine({ invoke: { src: fromCallback(() => {}) } as never }) }),
    'machine_not_durable',
    /lost in a crash/,
  ],
  [
    'a nested machine',
    () => {
      const nested = setup({}).createMachine({ initial: 'a', states: { a: {} } })
      return defineAgent({
        ...base,
        machine: setup({ actors: { nested } }).createMachine({ invoke: { src: 'nested' } }),
      })
    },
    'machine_not_durable',
    /a nested machine.*agent of its own/,
  ],
  [
    'an actor that setup does not provide',
    () => defineAgent({ ...base, machine: setup({}).createMachine({ invoke: { src: 'missing' } as never }) }),
    'machine_not_durable',
    /"missing", which setup/,
  ],
  [
    'xstate’s own sendTo',
    () => defineAgent({ ...base, machine: setup({}).createMachine({ entry: sendTo('x', { type: 'y' }) }) }),
    'machine_not_durable',
    /tell\(…\)/,
  ],
  [
    'a plain function as an action, deep in the machine',
    () =>
      defineAgent({
        ...base,
        machine: setup({}).createMachine({
          initial: 'a',
          states: {
            a: { initial: 'b', states: { b: { on: { GO: { actions: [assign({}), () => console.log('effect')] } } } } },
          },
        }),
      }),
    'machine_not_durable',
    /Move its effect into an invoked step/,
  ],
]

for (const [what, define, code, message] of refusals) {
  test(`${what} is refused with an error that names the fix`, () => {
    assert.throws(define, (error) => {
      assert.ok(error instanceof TroupeError)
      assert.equal(error.code, code)
      assert.match(error.message, message)
      return true
    })
  })
}

test('zod schemas become JSON Schema, with the defaults seen from the caller’s side', () => {
  const agent = defineAgent({ ...base, input: z.object({ n: z.number().default(1) }), run })
  assert.deepEqual(agent.inputSchema.required, undefined)
  assert.equal((agent.inputSchema.properties as { n: { type: string } }).n.type, 'number')
})

test('explore lists the states that are never reached', () => {
  const machine = setup({ actors: { work: step(() => 1) } }).createMachine({
    id: 'm',
    initial: 'a',
    states: { a: { invoke: { src: 'work', onDone: 'b' } }, b: {}, island: {} },
  })
  assert.deepEqual(explore(machine).unreached, ['m.island'])
})
