// What the journal refuses for good ends the task: it would be refused again for ever.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import type { ErrorCode, ErrorRecord } from '../../src/contract/errors.ts'
import { MAX_VALUE_BYTES } from '../../src/contract/limits.ts'
import { defineAgent, type HandlerContext, step } from '../../src/sdk/index.ts'
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

/** What its task's error says; a task that ends neither way within ten seconds fails the test. */
async function fails(t: TestContext, run: (ctx: HandlerContext<unknown>) => unknown): Promise<ErrorRecord | undefined> {
  const agent = defineAgent({
    name: 'odd',
    version: '1.0.0',
    description: 'Does what no agent should',
    input: anything,
    output: anything,
    restarts: { max: 0, within: '1m' },
    steps: { retries: 0 },
    run: async (ctx) => await run(ctx),
  })
  const stage = await openTestStage(t, [agent])
  await stage.startHost()
  const task = await stage.end((await stage.submit('odd', {})).id)
  assert.equal(task.state, 'failed')
  return task.error
}

const ring: { self?: unknown } = {}
ring.self = ring

class Unreadable extends Error {
  override get message(): string {
    throw new Error('not even this')
  }
}

const ODD: [what: string, code: ErrorCode, run: (ctx: HandlerContext<unknown>) => unknown][] = [
  ['sleeps for a time that is no number', 'invalid_input', ({ sleep }) => sleep('pause', Number.NaN)],
  ['sleeps for a time that was left out', 'invalid_input', ({ sleep }) => sleep('pause', undefined as never)],
  ['sleeps for ever', 'invalid_input', ({ sleep }) => sleep('pause', Number.POSITIVE_INFINITY)],
  ['sleeps under an id with a NUL', 'invalid_input', ({ sleep }) => sleep('a\0', 1)],
  ['sleeps under half a character', 'invalid_input', ({ sleep }) => sleep('\ud800', 1)],
  ['asks under an id with a NUL', 'invalid_input', ({ ask }) => ask('a\0', 'odd', {})],
  ['asks with what is no JSON', 'invalid_input', ({ ask }) => ask('child', 'odd', ring)],
  ['uses an id that every object has', 'agent_invalid', ({ step }) => step('constructor', () => 1)],
  ['uses an id that is no text', 'agent_invalid', ({ sleep }) => sleep(7 as never, 1)],
  ['sleeps twice at once under one id', 'agent_invalid', (c) => Promise.all([c.sleep('a', 1), c.sleep('a', 2)])],
  [
    'runs two steps at once under one id',
    'agent_invalid',
    (c) => Promise.all([c.step('a', () => 1), c.step('a', () => 2)]),
  ],
  ['retries a step no number of times', 'agent_invalid', ({ step }) => step('a', () => 1, { retries: Number.NaN })],
  ['throws what throws when it is read', 'agent_crashed', () => Promise.reject(new Unreadable())],
  ['throws what is nothing', 'agent_crashed', () => Promise.reject(Object.create(null))],
]

for (const [what, code, run] of ODD) {
  test(`a task whose agent ${what} fails as ${code}: it does not wait for ever`, async (t) => {
    assert.equal((await fails(t, run))?.code, code)
  })
}

test('what cannot even be computed ends the task, with the reason', async (t) => {
  const hostile = new Proxy({}, { getPrototypeOf: () => assert.fail('looked at') })
  const error = await fails(t, () => Promise.reject(hostile))
  assert.equal(error?.code, 'internal')
  assert.match(error?.message ?? '', /looked at/)
})

test('an error whose message is longer than any event is told in short, and its step is tried again', async (t) => {
  let tries = 0
  const agent = defineAgent({
    name: 'wordy',
    version: '1.0.0',
    description: 'Reads a page of an error',
    input: anything,
    output: anything,
    run: async (ctx) =>
      await ctx.step(
        'read',
        () => {
          tries += 1
          if (tries === 1) throw new Error(`502: ${'<br>'.repeat(MAX_VALUE_BYTES / 4)}`)
          return 'read'
        },
        { backoff: 1 },
      ),
  })
  const stage = await openTestStage(t, [agent])
  await stage.startHost()
  const task = await stage.end((await stage.submit('wordy', {})).id)
  assert.equal(task.output, 'read')
  const [retrying] = (await stage.journal.events(task.id, 0, 100)).filter(({ body }) => body.type === 'step.retrying')
  assert.match(JSON.stringify(retrying), /502: <br>.*characters more/)
})

test('a step may take as long as no timer of a process can be', async (t) => {
  const agent = defineAgent({
    name: 'patient',
    version: '1.0.0',
    description: 'Waits as long as it takes',
    input: anything,
    output: anything,
    steps: { retries: 0, timeout: 365 * 86_400_000, backoff: undefined as never },
    run: async (ctx) => await ctx.step('work', () => new Promise((done) => setTimeout(done, 20, 'done'))),
  })
  const stage = await openTestStage(t, [agent])
  await stage.startHost()
  assert.equal((await stage.end((await stage.submit('patient', {})).id)).output, 'done')
})
