import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setup } from 'xstate'
import { z } from 'zod'
import { TroupeError } from '../../src/contract/errors.ts'
import type { Task } from '../../src/contract/task.ts'
import { defineAgent, step } from '../../src/sdk/index.ts'
import { openTestStage, TENANT } from '../actor/stage.ts'

const anything = z.any()

/** An agent whose step says when it runs and ends when it is let go. */
function gated(version = '1.0.0', more = {}) {
  const runs: { key: string; release: () => void }[] = []
  let onRun = () => {}
  const work = step(async ({ ctx }) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    runs.push({ key: ctx.idempotencyKey, release: resolve })
    onRun()
    await promise
    return version
  })
  const agent = defineAgent({
    name: 'gated',
    version,
    description: 'Waits to be let go',
    input: anything,
    output: anything,
    machine: setup({ actors: { work } }).createMachine({
      initial: 'working',
      states: { working: { invoke: { id: 'work', src: 'work', onDone: 'done' } }, done: { type: 'final' } },
    }),
    ...more,
  })
  const ran = (count: number) =>
    new Promise<void>((resolve) => {
      onRun = () => {
        if (runs.length >= count) resolve()
      }
      onRun()
    })
  return { agent, runs, ran }
}

test('a draining host lets running steps end, takes nothing new, and releases the rest un-owned', async (t) => {
  const { agent, runs, ran } = gated()
  const stage = await openTestStage(t, [agent])
  const host = await stage.startHost()
  const first = await stage.submit('gated', {})
  await ran(1)
  const drained = host.drain(5_000)
  const second = await stage.submit('gated', {})
  runs[0]!.release()
  await drained
  assert.equal((await stage.desk.get(TENANT, first.id)).state, 'completed')
  assert.equal((await stage.desk.get(TENANT, second.id)).state, 'queued')
  await stage.startHost()
  await ran(2)
  runs[1]!.release()
  assert.equal((await stage.end(second.id)).state, 'completed')
})

test('a host that drains while thousands wait leaves them where they are', async (t) => {
  const { agent, runs, ran } = gated('1.0.0', { concurrency: 1 })
  const stage = await openTestStage(t, [agent])
  const host = await stage.startHost()
  await stage.submit('gated', {})
  await ran(1)
  const tasks: Task[] = []
  for (let round = 0; round < 20; round++) {
    tasks.push(...(await Promise.all(Array.from({ length: 250 }, () => stage.submit('gated', {})))))
  }
  const drained = host.drain(5_000)
  runs[0]!.release()
  await drained
  assert.equal(runs.length, 1)
  assert.equal((await stage.desk.get(TENANT, tasks.at(-1)!.id)).state, 'queued')
})

test('a task whose commit failed is taken up again, also when it cannot be read at first', {
  timeout: 30_000,
}, async (t) => {
  const { agent, runs, ran } = gated()
  const stage = await openTestStage(t, [agent])
  await stage.startHost()
  const task = await stage.submit('gated', {})
  await ran(1)
  const { journal } = stage
  const { commit, load } = journal
  const refuse = async () => {
    throw new TroupeError('journal_unavailable', 'away for a moment, too short to lose the lease')
  }
  journal.commit = () => {
    Object.assign(journal, { commit, load: refuseOnce })
    return refuse()
  }
  const refuseOnce = () => {
    journal.load = load
    return refuse()
  }
  runs[0]!.release()
  await ran(2)
  runs[1]!.release()
  assert.equal((await stage.end(task.id)).state, 'completed')
})

test('when the grace is over a running step is left to the next host, under the same key', async (t) => {
  const { agent, runs, ran } = gated()
  const stage = await openTestStage(t, [agent])
  const host = await stage.startHost()
  const task = await stage.submit('gated', {})
  await ran(1)
  await host.drain(1)
  assert.equal((await stage.desk.get(TENANT, task.id)).state, 'queued')
  await stage.startHost()
  await ran(2)
  runs[1]!.release()
  const ended = await stage.end(task.id)
  assert.equal(ended.state, 'completed')
  assert.equal(runs[0]!.key, runs[1]!.key)
  assert.ok(!(await stage.types(task.id)).includes('task.crashed'), 'a drain spends no restart budget')
})

test('a host that died is followed by another, and its late commit changes nothing', async (t) => {
  const { agent, runs, ran } = gated()
  const stage = await openTestStage(t, [agent])
  const zombie = await stage.startHost()
  const task = await stage.submit('gated', {})
  await ran(1)
  // What a local supervisor does when it sees the exit; the zombie’s actor lives on.
  await stage.journal.endLease(zombie.id)
  await stage.startHost()
  await ran(2)
  runs[0]!.release()
  runs[1]!.release()
  assert.equal((await stage.end(task.id)).state, 'completed')
  const types = await stage.types(task.id)
  assert.equal(types.filter((type) => type === 'step.completed').length, 1)
  assert.ok(types.includes('task.owner_lost'))
})

test('a task whose hosts died three times is quarantined', async (t) => {
  const { agent, ran } = gated()
  const stage = await openTestStage(t, [agent])
  const task = await stage.submit('gated', {})
  for (let death = 1; death <= 3; death++) {
    const host = await stage.startHost()
    await ran(death)
    await stage.journal.endLease(host.id)
    // The host notices by its next renewal; stopping it now ends a lease that is ended already.
    await host.stop()
  }
  await stage.startHost()
  const ended = await stage.end(task.id)
  assert.equal(ended.state, 'failed')
  assert.equal(ended.error?.code, 'task_poisoned')
})

test('a host runs no more actors of an agent than its concurrency allows', async (t) => {
  const { agent, runs, ran } = gated('1.0.0', { concurrency: 2 })
  const stage = await openTestStage(t, [agent])
  const host = await stage.startHost()
  const tasks = []
  for (let n = 0; n < 5; n++) tasks.push(await stage.submit('gated', {}))
  await ran(2)
  assert.equal(host.actors, 2)
  for (let n = 0; n < 5; n++) {
    await ran(n + 1)
    assert.ok(host.actors <= 2)
    runs[n]!.release()
  }
  for (const task of tasks) assert.equal((await stage.end(task.id)).state, 'completed')
})

test('a task in flight keeps the version it started with, or waits visibly for a host that has it', async (t) => {
  const one = gated('1.0.0')
  const two = gated('2.0.0')
  const stage = await openTestStage(t, [one.agent, two.agent])
  const host = await stage.startHost([one.agent])
  const task = (await stage.desk.submit({ tenant: TENANT, agent: 'gated', agentVersion: '1.0.0', input: {} })).task
  await one.ran(1)
  await host.drain(1)
  const newer = await stage.startHost([two.agent])
  const waiting = await stage.until(task.id, ({ body }) => body.type === 'task.waiting' && body.for.kind === 'host')
  assert.ok(waiting.body.type === 'task.waiting' && /1\.0\.0.*2\.0\.0.*migrate/.test(waiting.body.for.detail ?? ''))
  await newer.stop()
  await stage.startHost([one.agent, two.agent])
  await one.ran(2)
  one.runs[1]!.release()
  assert.equal((await stage.end(task.id)).state, 'completed')
})

test('a drain ends with its grace, even when the timer comes before the clock says so', {
  timeout: 120_000,
}, async (t) => {
  const { agent, ran } = gated('1.0.0')
  const stage = await openTestStage(t, [agent])
  const host = await stage.startHost([agent])
  const task = await stage.submit('gated', {})
  await ran(1)
  const standing = performance.now()
  t.mock.method(performance, 'now', () => standing)
  await host.drain(1)
  const released = await stage.until(task.id, ({ body }) => body.type === 'task.released')
  assert.ok(released.body.type === 'task.released' && released.body.because === 'drain')
})

test('a newer version that declares migrate takes the task over', async (t) => {
  const one = gated('1.0.0')
  const two = gated('2.0.0', {
    migrate: ({ value, context }: { value: unknown; context: unknown }) => ({ value, context }),
  })
  const stage = await openTestStage(t, [one.agent])
  const host = await stage.startHost([one.agent])
  const task = await stage.submit('gated', {})
  await one.ran(1)
  await host.drain(1)
  await stage.startHost([two.agent])
  await two.ran(1)
  two.runs[0]!.release()
  assert.equal((await stage.end(task.id)).state, 'completed')
})

const listener = defineAgent({
  name: 'listener',
  version: '1.0.0',
  description: 'Waits for two words',
  input: anything,
  output: anything,
  run: async (ctx) => [await ctx.wait('one', 'word'), await ctx.wait('two', 'word')].length,
})

test('an offer that comes before the answer that another was faster is not lost', async (t) => {
  const stage = await openTestStage(t, [listener])
  const { commit } = stage.journal
  await stage.journal.keepLease({ hostId: 'host_other', info: {}, leaseMs: 60_000 })
  let claims = 0
  stage.journal.commit = async (made) => {
    const second = made.claim !== undefined && ++claims === 2
    // Another host takes the task and lets it go again; then a message comes, and its offer, and only then the refusal.
    const { taskId, epoch, version, lastEvent } = made
    const other = { taskId, epoch, version, lastEvent, claim: { hostId: 'host_other' }, release: true, events: [] }
    if (second) await commit({ ...other, state: 'input-required', waitingFor: { kind: 'person' } })
    const outcome = await commit(made)
    if (second) {
      assert.equal(outcome.applied, false)
      await stage.desk.signal(TENANT, taskId, { type: 'word' })
    }
    return outcome
  }
  // Or a sweep would make good in a moment what was lost.
  stage.journal.findOrphans = async () => []
  await stage.startHost()
  const task = await stage.submit('listener', {})
  await stage.until(task.id, ({ body }) => body.type === 'task.waiting')
  await stage.desk.signal(TENANT, task.id, { type: 'word' })
  assert.equal((await stage.end(task.id)).state, 'completed')
})

test('an offer that comes before the answer to the commit that let the task go is not lost', async (t) => {
  const stage = await openTestStage(t, [listener])
  const { commit } = stage.journal
  // The answer to the first release comes after the message, and after its offer.
  let told = false
  stage.journal.commit = async (made) => {
    const outcome = await commit(made)
    if (made.release && !told) {
      told = true
      await stage.desk.signal(TENANT, made.taskId, { type: 'word' })
    }
    return outcome
  }
  await stage.startHost()
  const task = await stage.submit('listener', {})
  await stage.until(task.id, ({ body }) => body.type === 'message.received')
  const events = await stage.journal.events(task.id, 0, 100)
  const received = events.find(({ body }) => body.type === 'message.received')!
  const waited = received.at - events.find(({ body }) => body.type === 'task.waiting')!.at
  assert.ok(waited < 1_500, `it waited ${waited} ms, for the sweep`)
})

test('offers that the bus lost are found by the sweep', async (t) => {
  const { agent, runs, ran } = gated()
  const stage = await openTestStage(t, [agent])
  await stage.startHost()
  // Accepted behind the bus’s back: no offer was ever made.
  await stage.journal.accept({
    id: 'task_00000000000000000000000000',
    tenant: TENANT,
    agent: 'gated',
    agentVersion: '1.0.0',
    input: {},
    priority: 'normal',
    depth: 0,
  })
  await ran(1)
  runs[0]!.release()
  assert.equal((await stage.end('task_00000000000000000000000000')).state, 'completed')
})
