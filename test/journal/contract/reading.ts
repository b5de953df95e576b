import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WEBHOOK_AGENT } from '../../../src/contract/callbacks.ts'
import { newId } from '../../../src/contract/ids.ts'
import type { TaskState } from '../../../src/contract/task.ts'
import type { TaskQuery } from '../../../src/journal/journal.ts'
import {
  accepted,
  apply,
  asleep,
  basisOf,
  type Current,
  commitOn,
  eventTypes,
  leased,
  loaded,
  newTenant,
  owned,
  signal,
} from './make.ts'

export function readingTests(current: Current): void {
  test('another tenant’s task is not there', async () => {
    const journal = current()
    const task = await accepted(journal, { tenant: newTenant() })
    assert.equal(await journal.get(task.id, newTenant()), undefined)
    assert.equal((await journal.get(task.id, task.tenant))?.id, task.id)
    assert.equal(await journal.get(newId('task')), undefined)
    assert.equal(await journal.load(newId('task')), undefined)
    assert.deepEqual(await journal.events(newId('task'), 0, 10), [])
  })

  test('the heads of many tasks say how far each has come', async () => {
    const journal = current()
    const queued = await accepted(journal, {})
    const failing = await owned(journal, newId('host'), {})
    await apply(journal, commitOn(failing, { state: 'failed', release: true, events: [{ type: 'task.cancelled' }] }))
    const heads = await journal.heads([queued.id, failing.id, newId('task'), queued.id])
    const known = new Map(heads.map(({ id, lastEvent, state }) => [id, { lastEvent, state }]))
    assert.equal(heads.length, 2)
    assert.deepEqual(known.get(queued.id), { lastEvent: 1, state: 'queued' })
    const { lastEvent } = (await journal.get(failing.id))!
    assert.deepEqual(known.get(failing.id), { lastEvent, state: 'failed' })
    assert.deepEqual(await journal.heads([]), [])
  })

  test('a list is newest first, and its cursors are stable while tasks are accepted', async () => {
    const journal = current()
    const tenant = newTenant()
    const before: string[] = []
    for (let index = 0; index < 25; index++) before.push((await accepted(journal, { tenant })).id)
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const query: TaskQuery = { tenant, limit: 10 }
      if (cursor !== undefined) query.cursor = cursor
      const page = await journal.list(query)
      seen.push(...page.tasks.map(({ id }) => id))
      cursor = page.nextCursor
      await accepted(journal, { tenant })
    } while (cursor !== undefined)
    assert.deepEqual(seen, before.reverse())
  })

  test('a list is filtered by state, agent and parent', async () => {
    const journal = current()
    const tenant = newTenant()
    const queued = await accepted(journal, { tenant, agent: 'one' })
    const waiting = await asleep(journal, { tenant, agent: 'two' })
    const failing = await owned(journal, newId('host'), { tenant, agent: 'two' })
    await apply(journal, commitOn(failing, { state: 'failed', release: true }))
    const ids = async (query: Partial<TaskQuery>) =>
      (await journal.list({ tenant, limit: 10, ...query })).tasks.map(({ id }) => id).sort()
    assert.deepEqual(await ids({ states: ['queued'] }), [queued.id])
    assert.deepEqual(await ids({ states: ['waiting', 'failed'] }), [waiting.id, failing.id].sort())
    assert.deepEqual(await ids({ states: ['queued', 'failed', 'completed'] }), [queued.id, failing.id].sort())
    const first = await journal.list({ tenant, states: ['queued', 'waiting', 'failed'], limit: 2 })
    const rest = await journal.list({
      tenant,
      states: ['queued', 'waiting', 'failed'],
      limit: 2,
      cursor: first.nextCursor!,
    })
    assert.deepEqual(
      [...first.tasks, ...rest.tasks].map(({ id }) => id),
      [failing.id, waiting.id, queued.id],
    )
    assert.deepEqual(await ids({ agent: 'two' }), [waiting.id, failing.id].sort())
    assert.deepEqual(await ids({ agent: 'two', states: ['failed'] }), [failing.id])
    assert.deepEqual(await ids({ parent: queued.id }), [])
    assert.deepEqual(await ids({ states: [] }), [])
  })

  test('a cursor that no list gave is refused as invalid_request', async () => {
    await assert.rejects(async () => current().list({ limit: 10, cursor: 'nonsense' }), { code: 'invalid_request' })
  })

  test('events are read from any number on, in pages of any size, also from within one commit', async () => {
    const journal = current()
    const task = await owned(journal, newId('host'))
    const events = Array.from({ length: 7 }, (_, index) => ({ type: 'tokens', text: `t${index}` }) as const)
    const outcome = await apply(journal, commitOn(task, { events }))
    assert.equal(outcome.lastEvent, 9)
    assert.deepEqual(
      (await journal.events(task.id, 4, 3)).map(({ number, body }) => [number, body.type === 'tokens' && body.text]),
      [
        [5, 't2'],
        [6, 't3'],
        [7, 't4'],
      ],
    )
    assert.deepEqual(await journal.events(task.id, 9, 10), [])
    assert.equal((await journal.events(task.id, 0, 10)).length, 9)
    const [first] = await journal.events(task.id, 0, 1)
    assert.deepEqual(first, {
      task: task.id,
      number: 1,
      at: task.createdAt,
      body: { type: 'task.accepted', agent: 'greeter', version: '1.0.0' },
    })
  })

  test('the counts follow the tasks through their states', async () => {
    const journal = current()
    const agent = `agent-${newId('key')}`
    await accepted(journal, { agent })
    await asleep(journal, { agent })
    const task = await owned(journal, newId('host'), { agent })
    const counts = async () => {
      const own = (await journal.counts()).filter((row) => row.agent === agent)
      return Object.fromEntries(own.map(({ state, tasks }) => [state, tasks]))
    }
    assert.deepEqual(await counts(), { queued: 1, waiting: 1, running: 1 })
    await apply(journal, commitOn(task, { state: 'completed', release: true }))
    assert.deepEqual(await counts(), { queued: 1, waiting: 1, completed: 1 })
  })

  test('usage is the sum over the tenant’s tasks accepted since a moment, deliveries of callbacks left out', async () => {
    const journal = current()
    const tenant = newTenant()
    for (const costMicros of [10, 20]) {
      const task = await owned(journal, newId('host'), { tenant })
      await apply(
        journal,
        commitOn(task, { state: 'completed', release: true, usage: { inputTokens: 1, outputTokens: 2, costMicros } }),
      )
    }
    await accepted(journal, { tenant })
    await accepted(journal, { tenant, agent: WEBHOOK_AGENT.name })
    assert.deepEqual(await journal.usage(tenant, 0), { tasks: 3, inputTokens: 2, outputTokens: 4, costMicros: 30 })
    const later = (await journal.now()) + 1_000_000
    assert.deepEqual(await journal.usage(tenant, later), { tasks: 0, inputTokens: 0, outputTokens: 0, costMicros: 0 })
  })

  for (const state of ['failed', 'cancelled'] as const) {
    test(`a ${state} task is reopened from its last snapshot, with a new epoch and its steps`, async () => {
      const journal = current()
      const task = await owned(journal, newId('host'), { deadline: (await journal.now()) + 3_600_000 })
      await journal.deliver(signal(task.id, 'before'))
      const good = await apply(
        journal,
        commitOn(task, { snapshot: { good: true }, steps: { s: { ok: true, value: 1 } } }),
      )
      await apply(
        journal,
        commitOn(
          { ...task, ...basisOf(good) },
          {
            state,
            release: true,
            error: { code: 'step_failed', message: 'no' },
            events: [{ type: 'task.failed', error: { code: 'step_failed', message: 'no' } }],
          },
        ),
      )
      const wake = await journal.reopen(task.id)
      assert.equal(wake?.epoch, good.epoch + 1)
      const { task: row, mail, steps } = await loaded(journal, task.id)
      assert.deepEqual(
        [row.state, row.epoch, row.error, row.endedAt, row.ownerDeaths, row.snapshot, mail, steps],
        ['queued', good.epoch + 1, undefined, undefined, 0, { good: true }, [], { s: { ok: true, value: 1 } }],
      )
      assert.equal((await eventTypes(journal, task.id)).at(-1), 'task.retried')
      assert.ok((await journal.findOrphans({ unclaimedMs: 0, limit: 10_000 })).some(({ taskId }) => taskId === task.id))
      await apply(journal, commitOn(row, { claim: await leased(journal) }))
    })
  }

  test('only failed and cancelled tasks are reopened', async () => {
    const journal = current()
    assert.equal(await journal.reopen(newId('task')), undefined)
    const states: TaskState[] = ['running', 'waiting', 'completed', 'rejected']
    for (const state of states) {
      const task = await owned(journal, newId('host'))
      await apply(journal, commitOn(task, { state, release: state !== 'running' }))
      assert.equal(await journal.reopen(task.id), undefined, state)
    }
  })

  test('purge deletes what ended before a moment, with all that belongs to it, and nothing else', async () => {
    const journal = current()
    const tenant = newTenant()
    const key = { tenant, idempotencyKey: 'k', requestHash: 'h' }
    const ended = await owned(journal, newId('host'), key)
    await apply(journal, commitOn(ended, { state: 'completed', release: true, events: [{ type: 'task.completed' }] }))
    const waiting = await asleep(journal, { tenant })
    // The youngest: what it leaves behind would be found by whoever comes next, in its place or under its id.
    const failed = await owned(journal, newId('host'), { tenant })
    const steps = { s: { ok: true, value: 'x'.repeat(100_000) } } as const
    await apply(journal, commitOn(failed, { state: 'failed', release: true, snapshot: { n: 1 }, steps }))
    assert.equal(
      await journal
        .purge(ended.createdAt, 10_000)
        .then(() => journal.get(ended.id))
        .then((task) => task?.id),
      ended.id,
    )
    let deleted = 0
    const before = (await journal.now()) + 1
    for (let round = await journal.purge(before, 50); round > 0; round = await journal.purge(before, 50)) {
      assert.ok(round <= 50)
      deleted += round
    }
    assert.ok(deleted >= 2)
    const { task, mail, steps: left } = await loaded(journal, (await accepted(journal, { tenant, id: failed.id })).id)
    assert.deepEqual([task.snapshot, mail, left], [undefined, [], {}])
    assert.deepEqual(await eventTypes(journal, failed.id), ['task.accepted'])
    assert.equal(await journal.get(ended.id), undefined)
    assert.deepEqual(await journal.events(ended.id, 0, 10), [])
    assert.equal((await journal.get(waiting.id))?.state, 'waiting')
    assert.equal((await journal.accept({ ...ended, id: newId('task'), ...key, input: 1 })).created, true)
  })

  test('the clock of the store does not go backwards', async () => {
    const journal = current()
    let last = 0
    for (let round = 0; round < 20; round++) {
      const now = await journal.now()
      assert.ok(now >= last)
      last = now
    }
  })
}
