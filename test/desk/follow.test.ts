import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import { z } from 'zod'
import { createInProcessBus } from '../../src/bus/in-process.ts'
import type { EventBody, TaskEvent } from '../../src/contract/events.ts'
import { newId } from '../../src/contract/ids.ts'
import { createDesk } from '../../src/desk/desk.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { AgentRegistry } from '../../src/plugins/registry.ts'
import { defineAgent } from '../../src/sdk/define-agent.ts'

const TENANT = 'followers'
const idle = defineAgent({
  name: 'idle',
  version: '1.0.0',
  description: 'Is never run here',
  input: z.unknown(),
  output: z.unknown(),
  run: async () => null,
})

let close = async () => {}
afterEach(() => close())

/** A desk whose bus loses every announcement, on a journal whose reads are counted. */
async function openDesk() {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-desk-'))
  const journal = await openSqliteJournal({ folder })
  const counts = { heads: 0, others: 0 }
  let away = false
  let onHeads = () => {}
  const counted: Journal = {
    ...journal,
    async heads(ids) {
      counts.heads += 1
      onHeads()
      if (away) throw new Error('the journal is away')
      return await journal.heads(ids)
    },
    get(id, tenant) {
      counts.others += 1
      return journal.get(id, tenant)
    },
    events(id, after, limit) {
      counts.others += 1
      return journal.events(id, after, limit)
    },
  }
  const bus = createInProcessBus()
  const desk = createDesk({
    journal: counted,
    bus: { ...bus, publish: () => {} },
    agents: new AgentRegistry([idle]),
    lookAgainMs: 25,
  })
  const hostId = newId('host')
  await journal.keepLease({ hostId, info: {}, leaseMs: 60_000 })
  const stop = new AbortController()
  close = async () => {
    stop.abort()
    await bus.close()
    await journal.close()
    await rm(folder, { recursive: true })
  }
  return {
    desk,
    counts,
    signal: stop.signal,
    setAway: (value: boolean) => {
      away = value
    },
    /** Resolves at the so-and-so-manyeth look from now. */
    looks: (count: number) =>
      new Promise<void>((resolve) => {
        const until = counts.heads + count
        onHeads = () => {
          if (counts.heads >= until) resolve()
        }
      }),
    submit: async () => (await desk.submit({ tenant: TENANT, agent: 'idle', input: null })).task.id,
    async commit(taskId: string, events: EventBody[], ends = false) {
      const { task } = (await journal.load(taskId))!
      const outcome = await journal.commit({
        taskId,
        epoch: task.epoch,
        version: task.version,
        lastEvent: task.lastEvent,
        state: ends ? 'completed' : 'running',
        release: ends,
        events,
        ...(task.owner === undefined ? { claim: { hostId } } : {}),
      })
      assert.ok(outcome.applied)
    },
  }
}

const PROGRESS: EventBody = { type: 'progress', fraction: 0.5 }
const END: EventBody = { type: 'task.completed' }

async function numbers(events: AsyncIterable<TaskEvent>): Promise<number[]> {
  const seen: number[] = []
  for await (const { number } of events) seen.push(number)
  return seen
}

test('however many follow idle tasks, a look at the journal is one statement', async () => {
  const { desk, submit, counts, signal, looks } = await openDesk()
  const tasks = await Promise.all(Array.from({ length: 400 }, submit))
  const first = tasks.map((task) => {
    const events = desk.follow(TENANT, task, 0, signal)
    return events.next().then(() => events.next())
  })
  await looks(2)
  const before = { ...counts }
  await looks(4)
  assert.equal(counts.heads - before.heads, 4)
  assert.equal(counts.others, before.others, 'nothing else is read for a task without news')
  void Promise.all(first)
})

test('every event comes once and in order although the bus loses all announcements', async () => {
  const { desk, submit, commit, signal, looks } = await openDesk()
  const task = await submit()
  const seen = numbers(desk.follow(TENANT, task, 0, signal))
  await looks(1)
  await commit(task, [PROGRESS, PROGRESS])
  await looks(2)
  await commit(task, [PROGRESS])
  await commit(task, [END], true)
  assert.deepEqual(await seen, [1, 2, 3, 4, 5])
})

test('a follower that asks for more than there is ends with the task', async () => {
  const { desk, submit, commit, signal, looks } = await openDesk()
  const task = await submit()
  const seen = numbers(desk.follow(TENANT, task, 99, signal))
  await looks(2)
  await commit(task, [END], true)
  assert.deepEqual(await seen, [])
})

test('who follows a task that is erased meanwhile is told that it is gone, not that this was all', async () => {
  const { desk, submit, commit, signal } = await openDesk()
  const task = await submit()
  const events = desk.follow(TENANT, task, 0, signal)
  assert.equal((await events.next()).value?.number, 1)
  await commit(task, [PROGRESS, END], true)
  assert.equal(await desk.erase(TENANT, task), 1)
  await assert.rejects(events.next(), { code: 'not_found' })
})

test('followers outlast a journal that is away for a while', async () => {
  const { desk, submit, commit, signal, setAway, looks } = await openDesk()
  const task = await submit()
  const seen = numbers(desk.follow(TENANT, task, 0, signal))
  await looks(1)
  setAway(true)
  await looks(2)
  setAway(false)
  await commit(task, [END], true)
  assert.deepEqual(await seen, [1, 2])
})

test('a submission’s end is noticed although its announcement is lost, and costs no read of its own', async () => {
  const { desk, commit, counts, looks } = await openDesk()
  const { task, ending } = await desk.submitAndWatch({ tenant: TENANT, agent: 'idle', input: null }, 'end')
  await looks(2)
  assert.equal(counts.others, 0)
  await commit(task.id, [END], true)
  assert.equal((await ending.ended)?.state, 'completed')
})

test('watching the repeated submission of an ended task ends at once', async () => {
  const { desk, commit } = await openDesk()
  const request = { tenant: TENANT, agent: 'idle', input: null, idempotencyKey: 'once' }
  const first = await desk.submitAndWatch(request, 'end')
  await commit(first.task.id, [END], true)
  await first.ending.ended
  const second = await desk.submitAndWatch(request, 'end')
  assert.equal(second.created, false)
  assert.equal((await second.ending.ended)?.state, 'completed')
  assert.equal((await desk.waitForEnd(TENANT, first.task.id, 60_000)).state, 'completed')
})

test('who waits gets the task as it is when the time is over', async () => {
  const { desk, submit } = await openDesk()
  const task = await submit()
  assert.equal((await desk.waitForEnd(TENANT, task, 30)).state, 'queued')
  const gone = AbortSignal.abort()
  assert.equal((await desk.waitForEnd(TENANT, task, 60_000, gone)).state, 'queued')
})
