import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { TroupeError } from '../../src/contract/errors.ts'
import { defineAgent } from '../../src/sdk/index.ts'
import { openTestStage } from '../actor/stage.ts'

const anything = z.any()

const echo = defineAgent({
  name: 'echo',
  version: '1.0.0',
  description: 'Returns its input',
  input: anything,
  output: anything,
  run: async (ctx) => ctx.input,
})

test('a host whose lease ended learns it from a refused claim at once: it begins anew, and the task costs no owner death', async (t) => {
  let begun = () => {}
  const running = new Promise<void>((resolve) => {
    begun = resolve
  })
  const aborted = Promise.withResolvers<void>()
  const holds = defineAgent({
    name: 'holds',
    version: '1.0.0',
    description: 'Runs until it is told to stop',
    input: anything,
    output: anything,
    run: async (ctx) => {
      await ctx.step('hold', async () => {
        ctx.signal.addEventListener('abort', () => aborted.resolve(), { once: true })
        begun()
        await aborted.promise
      })
    },
  })
  const stage = await openTestStage(t, [echo, holds])
  const host = await stage.startHost()
  await stage.submit('holds', {})
  await running
  const before = host.id
  // It has not been told: its next renewal is up to a second away.
  await stage.journal.endLease(before)
  const task = await stage.submit('echo', 'hello')
  await aborted.promise
  assert.notEqual(host.id, before, 'it is another host now')
  const ended = await stage.end(task.id)
  assert.deepEqual([ended.state, ended.output], ['completed', 'hello'])
  assert.deepEqual(await stage.types(task.id), ['task.accepted', 'task.started', 'task.completed'])
  const { task: row } = (await stage.journal.load(task.id))!
  assert.equal(row.ownerDeaths, 0)
})

test('a host that is stopped while its claim is refused does not begin again', async (t) => {
  const stage = await openTestStage(t, [echo])
  const host = await stage.startHost()
  const before = host.id
  await stage.journal.endLease(before)
  const task = await stage.submit('echo', 'hello')
  await host.stop()
  const alive = (await stage.journal.hosts()).filter((row) => row.alive)
  assert.deepEqual(alive, [])
  assert.equal((await stage.journal.load(task.id))?.task.state, 'queued')
})

test('a host that cannot begin a new lease, because the journal is away, tries until it can', async (t) => {
  const stage = await openTestStage(t, [echo])
  const { journal } = stage
  const keepLease = journal.keepLease.bind(journal)
  const host = await stage.startHost()
  const before = host.id
  let refusals = 0
  journal.keepLease = async (lease) => {
    if (lease.hostId !== before && refusals++ < 2) throw new TroupeError('journal_unavailable', 'away')
    return await keepLease(lease)
  }
  await journal.endLease(before)
  const task = await stage.submit('echo', 'hello')
  assert.equal((await stage.end(task.id)).output, 'hello')
  assert.equal(refusals, 3)
})

test('a host starts although the journal is too busy to answer its first claim of a lease in time', async (t) => {
  const stage = await openTestStage(t, [echo])
  const { keepLease } = stage.journal
  let tries = 0
  stage.journal.keepLease = async (lease) => {
    tries += 1
    if (tries < 3) throw new TroupeError('journal_unavailable', 'no answer within 1000 ms')
    return await keepLease(lease)
  }
  await stage.startHost()
  assert.ok(tries >= 3)
  const task = await stage.submit('echo', 'hello')
  assert.equal((await stage.end(task.id)).output, 'hello')
})
