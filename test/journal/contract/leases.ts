import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventBody } from '../../../src/contract/events.ts'
import { newId } from '../../../src/contract/ids.ts'
import type { Journal, TaskRow, Wake } from '../../../src/journal/journal.ts'
import {
  apply,
  asleep,
  basisOf,
  type Current,
  commitOn,
  eventTypes,
  leased,
  loaded,
  mailOf,
  owned,
  signal,
} from './make.ts'

const EVERYTHING = { unclaimedMs: 3_600_000, limit: 10_000 }

/** A host that owns a task and whose lease has ended. */
async function dead(journal: Journal, hostId: string): Promise<void> {
  await journal.keepLease({ hostId, info: {}, leaseMs: 60_000 })
  await journal.endLease(hostId)
}

async function takenOver(journal: Journal, task: TaskRow, wake: Wake | undefined, hostId: string): Promise<TaskRow> {
  const { version, lastEvent } = (await loaded(journal, task.id)).task
  assert.ok(wake)
  const claim = await leased(journal, hostId)
  const outcome = await apply(journal, commitOn({ id: task.id, epoch: wake.epoch, version, lastEvent }, { claim }))
  return { ...task, ...basisOf(outcome), owner: hostId }
}

/** Its owner dies, and the next one takes it. */
async function outlived(journal: Journal, task: TaskRow, forgottenMs?: number): Promise<TaskRow> {
  await journal.endLease(task.owner!)
  const wakes = await journal.findOrphans({ ...EVERYTHING, ...(forgottenMs === undefined ? {} : { forgottenMs }) })
  const wake = wakes.find(({ taskId }) => taskId === task.id)
  return { ...(await takenOver(journal, task, wake, newId('host'))), ownerDeaths: await deathsOf(journal, task) }
}

async function deathsOf(journal: Journal, { id }: TaskRow): Promise<number> {
  return (await loaded(journal, id)).task.ownerDeaths
}

async function said(journal: Journal, task: TaskRow, events: EventBody[]): Promise<TaskRow> {
  return { ...task, ...basisOf(await apply(journal, commitOn(task, { events }))) }
}

export function leaseTests(current: Current): void {
  test('a lease begins, is renewed, and is seen with its label and the tasks of its host', async () => {
    const journal = current()
    const hostId = newId('host')
    assert.deepEqual(await journal.keepLease({ hostId, info: { label: 'a' }, leaseMs: 60_000 }), { held: true })
    await owned(journal, hostId)
    assert.deepEqual(await journal.keepLease({ hostId, info: { label: 'b' }, leaseMs: 60_000 }), { held: true })
    const row = (await journal.hosts()).find((host) => host.hostId === hostId)
    assert.deepEqual(row, { hostId, info: { label: 'b' }, alive: true, tasks: 1 })
  })

  test('a lease that ran out cannot be renewed: the host learns that it is not held', async () => {
    const journal = current()
    const hostId = newId('host')
    await journal.keepLease({ hostId, info: {}, leaseMs: 0 })
    assert.deepEqual(await journal.keepLease({ hostId, info: {}, leaseMs: 60_000 }), { held: false })
    assert.equal((await journal.hosts()).find((host) => host.hostId === hostId)!.alive, false)
  })

  test('an ended lease is not held any more', async () => {
    const journal = current()
    const hostId = newId('host')
    await dead(journal, hostId)
    assert.deepEqual(await journal.keepLease({ hostId, info: {}, leaseMs: 60_000 }), { held: false })
  })

  test('the tasks of a living host are nobody’s orphans', async () => {
    const journal = current()
    const hostId = newId('host')
    await journal.keepLease({ hostId, info: {}, leaseMs: 60_000 })
    const task = await owned(journal, hostId)
    const orphans = await journal.findOrphans({ unclaimedMs: 0, limit: 10_000 })
    assert.ok(!orphans.some(({ taskId }) => taskId === task.id))
  })

  test('what a host still adds while its tasks are taken over comes before that in the log, or is refused', async () => {
    const journal = current()
    const hostId = newId('host')
    const tasks = await Promise.all(Array.from({ length: 20 }, () => owned(journal, hostId)))
    const said: EventBody[] = [{ type: 'task.retried' }]
    /** Says something again and again until it is refused; how often it was not. */
    async function goOn(task: TaskRow, nth: number): Promise<number> {
      const known = nth % 2 === 0 ? {} : { mailKnown: 0 }
      for (let times = 0; ; times++) {
        const outcome = await journal.commit(commitOn(task, { events: said, ...known }))
        if (!outcome.applied) {
          assert.equal(outcome.because, 'epoch')
          return times
        }
        Object.assign(task, basisOf(outcome))
      }
    }
    const going = tasks.map(goOn)
    await journal.endLease(hostId)
    await journal.findOrphans(EVERYTHING)
    const times = await Promise.all(going)
    for (const [n, task] of tasks.entries()) {
      const added = Array.from({ length: times[n]! }, () => 'task.retried')
      const types = await eventTypes(journal, task.id)
      assert.deepEqual(types, ['task.accepted', 'task.started', ...added, 'task.owner_lost'])
      assert.equal((await loaded(journal, task.id)).task.lastEvent, types.length)
    }
  })

  test('the tasks of a dead host become un-owned with a new epoch, and its late commits change nothing', async () => {
    const journal = current()
    const hostId = newId('host')
    const task = await owned(journal, hostId)
    await dead(journal, hostId)
    const wake = (await journal.findOrphans(EVERYTHING)).find(({ taskId }) => taskId === task.id)
    assert.equal(wake?.epoch, task.epoch + 1)
    assert.equal(wake?.owner, undefined)
    const row = (await loaded(journal, task.id)).task
    assert.deepEqual([row.owner, row.epoch, row.ownerDeaths], [undefined, task.epoch + 1, 1])
    assert.deepEqual(await journal.commit(commitOn(task, { output: 'zombie' })), { applied: false, because: 'epoch' })
    assert.deepEqual((await journal.events(task.id, 2, 10)).at(-1)?.body, {
      type: 'task.owner_lost',
      host: hostId,
      deaths: 1,
    })
    await takenOver(journal, task, wake, newId('host'))
  })

  test('a host that lost a task cannot claim it again: its lease has ended, though it may not know', async () => {
    const journal = current()
    const hostId = newId('host')
    const task = await owned(journal, hostId)
    await dead(journal, hostId)
    await journal.findOrphans(EVERYTHING)
    const { task: now } = await loaded(journal, task.id)
    const again = await journal.commit(commitOn(now, { claim: { hostId } }))
    assert.deepEqual(again, { applied: false, because: 'lease' })
    assert.deepEqual((await loaded(journal, task.id)).task, now)
  })

  test('hosts that look for orphans at the same time find each orphan once', async () => {
    const journal = current()
    const hostId = newId('host')
    const tasks = await Promise.all(Array.from({ length: 20 }, () => owned(journal, hostId)))
    await dead(journal, hostId)
    const found = (await Promise.all([1, 2, 3].map(() => journal.findOrphans(EVERYTHING)))).flat()
    for (const { id } of tasks) {
      assert.equal(found.filter(({ taskId }) => taskId === id).length, 1)
      assert.equal((await loaded(journal, id)).task.ownerDeaths, 1)
    }
  })

  test('a runnable task that nobody claims is named again, but not at every look', async () => {
    const journal = current()
    const task = await asleep(journal)
    await journal.deliver(signal(task.id, 'wake'))
    const named = async (unclaimedMs: number) =>
      (await journal.findOrphans({ unclaimedMs, limit: 10_000 })).some(({ taskId }) => taskId === task.id)
    assert.equal(await named(3_600_000), false)
    assert.equal(await named(0), true)
    assert.equal(await named(3_600_000), false)
  })

  test('the third death of an owner fails the task as task_poisoned and tells its parent', async () => {
    const journal = current()
    const parent = await asleep(journal)
    const first = newId('host')
    let task = await owned(journal, first, {
      parent: { taskId: parent.id, stepId: 'ask' },
      deadline: (await journal.now()) + 3_600_000,
    })
    await journal.deliver(signal(task.id, 'unread'))
    let hostId = first
    for (let death = 1; death <= 2; death++) {
      await dead(journal, hostId)
      const wake = (await journal.findOrphans(EVERYTHING)).find(({ taskId }) => taskId === task.id)
      hostId = newId('host')
      task = await takenOver(journal, task, wake, hostId)
    }
    await dead(journal, hostId)
    const poisoned: unknown[] = []
    const onPoisoned = (one: { id: string }) => one.id === task.id && poisoned.push(one)
    const wakes = await journal.findOrphans({ ...EVERYTHING, onPoisoned })
    assert.deepEqual(poisoned, [{ id: task.id, tenant: task.tenant, agent: task.agent }])
    assert.ok(!wakes.some(({ taskId }) => taskId === task.id), 'a poisoned task is not offered')
    assert.ok(
      wakes.some(({ taskId }) => taskId === parent.id),
      'its parent is',
    )
    const row = (await loaded(journal, task.id)).task
    assert.deepEqual([row.state, row.error?.code, row.ownerDeaths], ['failed', 'task_poisoned', 3])
    assert.deepEqual((await eventTypes(journal, task.id)).slice(-2), ['task.owner_lost', 'task.failed'])
    assert.deepEqual(await mailOf(journal, task.id), [])
    const [reply] = await mailOf(journal, parent.id)
    assert.ok(reply?.kind === 'reply')
    assert.deepEqual([reply.stepId, reply.childId, reply.state, reply.outcome.ok], ['ask', task.id, 'failed', false])
  })

  const further: EventBody[] = [
    { type: 'progress', message: 'half \u0000 done' },
    { type: 'step.completed', step: 'one', ms: 1 },
  ]

  test('deaths of long ago are forgotten when the task has come further since, as often as that happens', async () => {
    const journal = current()
    let task = await owned(journal, newId('host'))
    for (let death = 1; death <= 5; death++) {
      task = await outlived(journal, task, 0)
      assert.equal(task.ownerDeaths, 1)
      task = await said(journal, task, further)
    }
    const deaths = (await journal.events(task.id, 0, 100)).flatMap(({ body }) =>
      body.type === 'task.owner_lost' ? [body.deaths] : [],
    )
    assert.deepEqual(deaths, [1, 1, 1, 1, 1])
  })

  test('deaths in quick succession count, however far the task comes between them', async () => {
    const journal = current()
    let task = await owned(journal, newId('host'))
    for (let death = 1; death <= 2; death++) {
      task = await said(journal, await outlived(journal, task), further)
      assert.equal(task.ownerDeaths, death)
    }
    await journal.endLease(task.owner!)
    await journal.findOrphans(EVERYTHING)
    assert.equal((await loaded(journal, task.id)).task.error?.code, 'task_poisoned')
  })

  test('deaths of a task that comes no further count, however long ago and whatever it reports', async () => {
    const journal = current()
    let task = await said(journal, await owned(journal, newId('host')), further)
    for (let death = 1; death <= 2; death++) {
      task = await outlived(journal, task, 0)
      assert.equal(task.ownerDeaths, death)
      const looksLike = { type: 'emitted', event: { type: 'step.completed' } } as const
      task = await said(journal, task, [{ type: 'step.started', step: 'two', src: 'two', invocation: 1 }, looksLike])
    }
    await journal.endLease(task.owner!)
    await journal.findOrphans({ ...EVERYTHING, forgottenMs: 0 })
    assert.deepEqual([await deathsOf(journal, task), (await loaded(journal, task.id)).task.state], [3, 'failed'])
  })
}
