// A newer version takes over what an older one left: once, and only what it can go on with.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { emptyState } from '../../src/actor/state.ts'
import { fitVersion } from '../../src/host/versions.ts'
import { AgentRegistry } from '../../src/plugins/index.ts'
import { type AgentDefinition, defineAgent, step } from '../../src/sdk/index.ts'
import { openTestStage, TENANT } from '../actor/stage.ts'

const anything = z.any()
const asItIs: AgentDefinition['migrate'] = ({ value, context }) => ({ value, context })

function versioned(version: string, more: Partial<AgentDefinition>) {
  return defineAgent({
    name: 'versioned',
    version,
    description: 'Has versions',
    input: anything,
    output: anything,
    ...more,
  })
}

test('a task is migrated once, however often it sleeps after it', async (t) => {
  const machine = setup({ types: { context: {} as { steps: number; unit: number } } }).createMachine({
    context: { steps: 0, unit: 1 },
    initial: 'walking',
    output: ({ context }) => context,
    states: {
      walking: {
        on: { go: { actions: assign({ steps: ({ context }) => context.steps + 1 }) } },
        always: { guard: ({ context }) => context.steps === 3, target: 'there' },
      },
      there: { type: 'final' },
    },
  })
  const migrate: AgentDefinition['migrate'] = ({ version, value, context }) => {
    assert.equal(version, '1.0.0')
    const { steps, unit } = context as { steps: number; unit: number }
    return { value, context: { steps, unit: unit * 100 } }
  }
  const [one, two] = [versioned('1.0.0', { machine }), versioned('2.0.0', { machine, migrate })]
  const stage = await openTestStage(t, [one])
  const old = await stage.startHost()
  const task = await stage.submit('versioned', {})
  await stage.until(task.id, ({ body }) => body.type === 'task.waiting')
  await old.stop()
  await stage.startHost([two])
  for (let n = 1; n <= 3; n++) {
    await stage.desk.signal(TENANT, task.id, { type: 'go' })
    let waits = 0
    if (n < 3) await stage.until(task.id, ({ body }) => body.type === 'task.waiting' && waits++ === n)
  }
  assert.deepEqual((await stage.end(task.id)).output, { steps: 3, unit: 100 })
})

test('a version that could not go on with what is under way leaves the task, and says why', () => {
  const work = step(() => 1)
  const states = (src: string, delay: number) =>
    setup({ actors: { work, other: work } }).createMachine({
      id: 'versioned',
      initial: 'working',
      states: {
        working: { invoke: { id: 'work', src: src as 'work', onDone: 'resting' }, on: { skip: 'resting' } },
        resting: { after: { [delay]: 'working' } },
      },
    })
  const gone = setup({ actors: { other: work } }).createMachine({
    initial: 'working',
    states: { working: { invoke: { id: 'work', src: 'other' } } },
  })
  const working = {
    ...emptyState(),
    machine: { value: 'working', context: {} },
    steps: { work: { kind: 'step', src: 'work', invocation: 1, attempt: 1 } },
    invocations: { work: 1 },
  }
  const timer = 'xstate.after.50.versioned.resting'
  const resting = {
    ...emptyState(),
    machine: { value: 'resting', context: {} },
    timers: { [timer]: { event: { type: timer }, inMs: 50 } },
  }
  const fitOf = (machine: NonNullable<AgentDefinition['machine']>, snapshot: unknown, migrate = asItIs) =>
    fitVersion(new AgentRegistry([versioned('2.0.0', { machine, migrate: migrate! })]), {
      agent: 'versioned',
      agentVersion: '1.0.0',
      snapshot,
    })
  assert.ok(fitOf(states('work', 50), working).agent)
  assert.ok(fitOf(states('work', 50), resting).agent)
  assert.match(fitOf(gone, working).reason ?? '', /step "work" .* "work", which versioned@2\.0\.0 does not have/)
  assert.match(fitOf(states('work', 70), resting).reason ?? '', /timer xstate\.after\.50/)
  const toWork: AgentDefinition['migrate'] = ({ context }) => ({ value: 'working', context })
  assert.match(fitOf(states('work', 50), { ...resting, timers: {} }, toWork).reason ?? '', /"work", which .* not begun/)
  const nowhere: AgentDefinition['migrate'] = ({ context }) => ({ value: 'nowhere', context })
  assert.match(fitOf(states('work', 50), resting, nowhere).reason ?? '', /cannot migrate it from 1\.0\.0/)
})

test('a machine that has lost its running step under the same version fails the task, which would wait for ever', async (t) => {
  const began = Promise.withResolvers<void>()
  const held = step(async ({ ctx }) => {
    began.resolve()
    await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(new Error('stopped'))))
  })
  const machine = (src: 'held' | 'other') =>
    setup({ actors: { [src]: held } }).createMachine({
      initial: 'working',
      states: { working: { invoke: { id: 'work', src } } },
    })
  const [before, after] = [
    versioned('1.0.0', { machine: machine('held') }),
    versioned('1.0.0', { machine: machine('other') }),
  ]
  const stage = await openTestStage(t, [before])
  const old = await stage.startHost()
  const task = await stage.submit('versioned', {})
  await began.promise
  await old.stop()
  await stage.startHost([after])
  const { error } = await stage.end(task.id)
  assert.equal(error?.code, 'snapshot_incompatible')
  assert.match(error?.message ?? '', /"held", which versioned@1\.0\.0 does not have/)
})
