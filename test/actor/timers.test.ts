import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { assign, raise, setup } from 'xstate'
import { z } from 'zod'
import { checkDelay } from '../../src/actor/timers.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { type AgentDefinition, defineAgent, type RetryPolicy, step } from '../../src/sdk/index.ts'
import { runAgent } from '../../src/sdk/testing/index.ts'
import { openTestStage } from './stage.ts'

const anything = z.any()

function agent(more: Partial<AgentDefinition>) {
  return defineAgent({
    name: 'timed',
    version: '1.0.0',
    description: 'Waits',
    input: anything,
    output: anything,
    ...more,
  })
}

test('a timer that an agent calls `restart` or `deadline` is its own: neither a crash nor the deadline fires it', async (t) => {
  let crashes = 0
  const failing = step(
    () => {
      crashes += 1
      if (crashes === 1) throw new Error('once')
    },
    { retries: 0 },
  )
  const machine = setup({
    types: { events: {} as { type: 'restart' } | { type: 'deadline' } },
    actors: { failing },
  }).createMachine({
    entry: [raise({ type: 'restart' }, { delay: 60_000 }), raise({ type: 'deadline' }, { delay: 300 })],
    type: 'parallel',
    states: {
      working: {
        initial: 'at',
        states: { at: { invoke: { id: 'failing', src: 'failing', onDone: 'done' } }, done: { type: 'final' } },
      },
      waiting: {
        initial: 'asleep',
        states: { asleep: { on: { restart: 'early', deadline: 'awake' } }, early: {}, awake: { type: 'final' } },
      },
    },
  })
  const stage = await openTestStage(t, [agent({ machine })])
  await stage.startHost()
  const task = await stage.end((await stage.submit('timed', {})).id)
  assert.equal(task.state, 'completed', JSON.stringify(task.error))
})

test('a task that sleeps since an agent’s timers had no prefix is woken: a handler and a machine', async (t) => {
  const machine = setup({}).createMachine({
    initial: 'asleep',
    states: { asleep: { after: { 20: 'awake' } }, awake: { type: 'final' } },
  })
  const run: AgentDefinition['run'] = async ({ sleep }) => await sleep('nap', 20)
  const folder = mkdtempSync(join(tmpdir(), 'troupe-timers-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const journal = await openSqliteJournal({ folder })
  const bare = (timer: { id: string; inMs: number }) => ({ ...timer, id: timer.id.replace(/^own:/, '') })
  const former: Journal = {
    ...journal,
    commit: (commit) => journal.commit({ ...commit, timersSet: (commit.timersSet ?? []).map(bare) }),
  }
  const stage = await openTestStage(t, [agent({ run }), agent({ name: 'timed-machine', machine })], former)
  await stage.startHost()
  for (const name of ['timed', 'timed-machine']) {
    const { id } = await stage.submit(name, {})
    assert.equal((await stage.end(id)).state, 'completed')
    assert.ok((await stage.types(id)).includes('timer.fired'))
  }
})

test('two delayed events of one type both come', async () => {
  const machine = setup({ types: { context: {} as { ticks: number }, events: {} as { type: 'tick' } } }).createMachine({
    context: { ticks: 0 },
    entry: [raise({ type: 'tick' }, { delay: 5 }), raise({ type: 'tick' }, { delay: 10 })],
    initial: 'counting',
    output: ({ context }) => context.ticks,
    states: {
      counting: {
        on: { tick: { actions: assign({ ticks: ({ context }) => context.ticks + 1 }) } },
        always: { guard: ({ context }) => context.ticks === 2, target: 'counted' },
      },
      counted: { type: 'final' },
    },
  })
  assert.equal((await runAgent(agent({ machine }), {})).task.output, 2)
})

test('a time that is none fails the task at once, of a handler and of a machine', async () => {
  const machine = setup({}).createMachine({
    initial: 'waiting',
    states: { waiting: { after: { never: 'done' } }, done: { type: 'final' } },
  })
  const late = machine.provide({ delays: { never: () => Number.NaN } })
  for (const behaviour of [
    { run: (async (ctx) => await ctx.sleep('nap', Number.NaN)) satisfies AgentDefinition['run'] },
    { machine: late },
  ]) {
    const { task } = await runAgent(agent(behaviour), {})
    assert.equal(task.error?.code, 'invalid_input')
    assert.match(task.error?.message ?? '', /NaN ms/)
  }
  for (const none of [Number.NaN, Number.POSITIVE_INFINITY, '10', undefined]) {
    assert.throws(() => checkDelay('nap', none), { code: 'invalid_input' })
  }
})

test('a step may be given more time than Node’s timers count, and an undefined part of its policy is the default', async () => {
  // As it comes from code that is not checked for exact optional properties.
  const lax = { timeout: undefined } as unknown as RetryPolicy
  for (const policy of [{ timeout: Number.POSITIVE_INFINITY }, { timeout: 2 ** 31 }, lax]) {
    const run: AgentDefinition['run'] = (ctx) =>
      ctx.step('slow', () => new Promise((resolve) => setTimeout(resolve, 20, 'done')), { ...policy, retries: 0 })
    assert.equal((await runAgent(agent({ run }), {})).task.output, 'done')
  }
})

test('a policy that says nothing is refused: of an agent and of a machine when it is loaded, of a call when it is made', async () => {
  const wrong = { timeout: Number.NaN }
  const run: AgentDefinition['run'] = async (ctx) => await ctx.step('one', () => 1, { retries: -1 })
  assert.throws(() => agent({ run, steps: wrong }), { code: 'agent_invalid', message: /timeout .* NaN/ })
  const machine = setup({ actors: { one: step(() => 1, wrong) } }).createMachine({ invoke: { src: 'one' } })
  assert.throws(() => agent({ machine }), { code: 'agent_invalid', message: /actor "one".* timeout/ })
  assert.match((await runAgent(agent({ run }), {})).task.error?.message ?? '', /"one".* retries .* -1/)
})
