import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../../../src/contract/ids.ts'
import type { Journal } from '../../../src/journal/journal.ts'
import {
  accepted,
  apply,
  asleep,
  basisOf,
  type Current,
  commitOn,
  leased,
  loaded,
  mailOf,
  makeTask,
  newTenant,
  owned,
  signal,
} from './make.ts'

export function mailTests(current: Current): void {
  test('messages keep their order and get positions 1, 2, 3 …', async () => {
    const journal = current()
    const task = await owned(journal, newId('host'))
    await Promise.all(['a', 'b', 'c'].map((name) => journal.deliver(signal(task.id, name))))
    await journal.deliver(signal(task.id, 'd'))
    const { mail, task: row } = await loaded(journal, task.id)
    assert.deepEqual(
      mail.map(({ position, body }) => [position, body.kind === 'event' && body.event.type]),
      [
        [1, 'a'],
        [2, 'b'],
        [3, 'c'],
        [4, 'd'],
      ],
    )
    assert.equal(row.mailPosition, 4)
  })

  test('the same message id twice is one message, in one moment, later, and after it was read', async () => {
    const journal = current()
    const task = await owned(journal, newId('host'))
    const message = signal(task.id, 'a')
    const at_once = await Promise.all([journal.deliver(message), journal.deliver(message)])
    assert.deepEqual(
      at_once.map((delivery) => delivery.delivered && delivery.duplicate),
      [false, true],
    )
    const read = await apply(journal, commitOn(task, { mailRead: 1 }))
    const later = await journal.deliver(message)
    assert.ok(later.delivered && later.duplicate)
    assert.equal(read.mailPosition, 1)
    assert.deepEqual(await mailOf(journal, task.id), [])
  })

  test('a duplicate does not take a position from the message after it', async () => {
    const journal = current()
    const task = await asleep(journal)
    const message = signal(task.id, 'a')
    await Promise.all([journal.deliver(message), journal.deliver(message), journal.deliver(signal(task.id, 'b'))])
    const { mail } = await loaded(journal, task.id)
    assert.deepEqual(
      mail.map(({ position }) => position),
      [1, 2],
    )
  })

  test('mail for a sleeping task makes it runnable and names it with its epoch, for any host', async () => {
    const journal = current()
    const task = await asleep(journal)
    const delivery = await journal.deliver(signal(task.id, 'wake'))
    assert.ok(delivery.delivered && !delivery.duplicate)
    const { id: taskId, tenant, agent, agentVersion, priority, epoch } = task
    assert.deepEqual(delivery.wake, { taskId, tenant, agent, agentVersion, priority, epoch })
    const orphans = await journal.findOrphans({ unclaimedMs: 0, limit: 10_000 })
    assert.ok(orphans.some((wake) => wake.taskId === task.id))
  })

  test('mail for an owned task names its owner', async () => {
    const journal = current()
    const hostId = newId('host')
    const task = await owned(journal, hostId)
    const delivery = await journal.deliver(signal(task.id, 'hello'))
    assert.equal(delivery.delivered && delivery.wake.owner, hostId)
  })

  test('a commit that knows the mail of a moment ago may miss what came since; the next one is told', async () => {
    const journal = current()
    const task = await owned(journal, newId('host'))
    await journal.deliver(signal(task.id, 'a'))
    const missed = await apply(journal, commitOn(task, { events: [{ type: 'task.retried' }], mailKnown: 0 }))
    const told = await apply(journal, commitOn({ ...task, ...basisOf(missed) }, { events: [{ type: 'task.retried' }] }))
    assert.equal(told.mailPosition, 1)
  })

  test('a task released with unread mail stays runnable; with all mail read it sleeps', async () => {
    const journal = current()
    for (const mailRead of [0, 1]) {
      const task = await owned(journal, newId('host'))
      await journal.deliver(signal(task.id, 'a'))
      const outcome = await apply(
        journal,
        commitOn(task, { release: true, state: 'waiting', waitingFor: { kind: 'message' }, mailRead }),
      )
      assert.equal(outcome.runnable, mailRead === 0)
      assert.equal(outcome.mailPosition, 1)
      const unread = await mailOf(journal, task.id)
      assert.equal(unread.length, 1 - mailRead)
    }
  })

  test('a release that races with a delivery never leaves unread mail asleep', async () => {
    const journal = current()
    for (let round = 0; round < 30; round++) {
      const task = await owned(journal, newId('host'))
      const [outcome, delivery] = await Promise.all([
        apply(journal, commitOn(task, { release: true, state: 'waiting', waitingFor: { kind: 'message' } })),
        journal.deliver(signal(task.id, 'a')),
      ])
      const offered = outcome.runnable || (delivery.delivered && delivery.wake.owner === undefined)
      assert.ok(offered, 'somebody was told to offer the task')
      assert.ok((await journal.findOrphans({ unclaimedMs: 0, limit: 10_000 })).some((wake) => wake.taskId === task.id))
    }
  })

  test('an unknown task, another tenant’s task and an ended task take no mail, and say why', async () => {
    const journal = current()
    const because = async (message: Parameters<Journal['deliver']>[0]) => {
      const delivery = await journal.deliver(message)
      return delivery.delivered ? 'delivered' : delivery.because
    }
    assert.equal(await because(signal(newId('task'), 'a')), 'unknown_task')
    const tenant = newTenant()
    const task = await owned(journal, newId('host'), { tenant })
    assert.equal(await because({ ...signal(task.id, 'a'), tenant: newTenant() }), 'unknown_task')
    assert.equal(await because({ ...signal(task.id, 'a'), tenant }), 'delivered')
    await apply(journal, commitOn(task, { state: 'cancelled', release: true }))
    assert.equal(await because(signal(task.id, 'a')), 'ended')
    assert.deepEqual(await mailOf(journal, task.id), [])
  })

  test('the messages of a commit arrive with it, and their receivers are named', async () => {
    const journal = current()
    const receiver = await asleep(journal)
    const sender = await owned(journal, newId('host'))
    const outcome = await apply(
      journal,
      commitOn(sender, {
        messages: [signal(receiver.id, 'one'), signal(receiver.id, 'two'), signal(newId('task'), 'lost')],
      }),
    )
    assert.deepEqual(
      outcome.woken.map(({ taskId }) => taskId),
      [receiver.id, receiver.id],
    )
    assert.deepEqual(await mailOf(journal, receiver.id), [
      { kind: 'event', event: { type: 'one' } },
      { kind: 'event', event: { type: 'two' } },
    ])
  })

  test('a child’s reply reaches its parent in the commit that ends the child', async () => {
    const journal = current()
    const parent = await asleep(journal)
    const child = await owned(journal, newId('host'), { parent: { taskId: parent.id, stepId: 'ask' } })
    const reply = {
      id: `reply:${child.id}`,
      to: parent.id,
      from: child.id,
      body: {
        kind: 'reply',
        stepId: 'ask',
        invocation: 1,
        childId: child.id,
        outcome: { ok: true, value: 42 },
        state: 'completed',
      },
    } as const
    const outcome = await apply(
      journal,
      commitOn(child, { state: 'completed', release: true, output: 42, messages: [reply] }),
    )
    assert.deepEqual(
      outcome.woken.map(({ taskId }) => taskId),
      [parent.id],
    )
    assert.deepEqual(await mailOf(journal, parent.id), [reply.body])
  })

  test('commits that message each other at the same time all go through', async () => {
    const journal = current()
    const tasks = await Promise.all(Array.from({ length: 12 }, () => owned(journal, newId('host'))))
    await Promise.all(
      tasks.map((task, index) =>
        apply(
          journal,
          commitOn(task, { messages: tasks.filter((_, to) => to !== index).map(({ id }) => signal(id, 'hi')) }),
        ),
      ),
    )
    for (const task of tasks) assert.equal((await loaded(journal, task.id)).mail.length, tasks.length - 1)
  })

  test('a due timer becomes mail once; a cleared one never; the next one is told', async () => {
    const journal = current()
    const task = await asleep(journal)
    const claimed = await apply(
      journal,
      commitOn(task, {
        claim: await leased(journal),
        timersSet: [
          { id: 'due', inMs: 0 },
          { id: 'cleared', inMs: 0 },
          { id: 'later', inMs: 3_600_000 },
        ],
      }),
    )
    await apply(
      journal,
      commitOn(
        { ...task, ...basisOf(claimed) },
        { timersCleared: ['cleared'], release: true, state: 'waiting', waitingFor: { kind: 'timer' } },
      ),
    )
    const rounds = await Promise.all([journal.fireTimers(1000), journal.fireTimers(1000)])
    const fired = rounds.flatMap(({ woken }) => woken).filter(({ taskId }) => taskId === task.id)
    assert.equal(fired.length, 1)
    assert.deepEqual(await mailOf(journal, task.id), [{ kind: 'timer', timerId: 'due' }])
    const { nextDueInMs } = await journal.fireTimers(1000)
    assert.ok(nextDueInMs !== undefined && nextDueInMs > 0 && nextDueInMs <= 3_600_000, `${nextDueInMs}`)
  })

  test('a timer set again under its old id fires again', async () => {
    const journal = current()
    let task = await owned(journal, newId('host'))
    for (let round = 1; round <= 3; round++) {
      const outcome = await apply(journal, commitOn(task, { timersSet: [{ id: 'again', inMs: 0 }] }))
      task = { ...task, ...basisOf(outcome) }
      await journal.fireTimers(1000)
      assert.equal((await loaded(journal, task.id)).mail.length, round)
    }
  })

  test('a deadline given at accept becomes a deadline message', async () => {
    const journal = current()
    const task = await accepted(journal, { deadline: (await journal.now()) - 1 })
    await journal.fireTimers(1000)
    assert.deepEqual(await mailOf(journal, task.id), [{ kind: 'deadline' }])
  })

  test('the end of a task clears its timers and its mail, so that a retry does not meet them', async () => {
    const journal = current()
    const before = await owned(journal, newId('host'))
    const outcome = await apply(journal, commitOn(before, { timersSet: [{ id: 'set before', inMs: 0 }] }))
    await journal.deliver(signal(before.id, 'unread'))
    await apply(
      journal,
      commitOn(
        { ...before, ...basisOf(outcome) },
        { state: 'failed', release: true, timersSet: [{ id: 'set with the end', inMs: 0 }] },
      ),
    )
    assert.deepEqual(await mailOf(journal, before.id), [])
    await journal.reopen(before.id)
    await journal.fireTimers(1000)
    assert.deepEqual(await mailOf(journal, before.id), [])
  })

  test('a task may message itself and its new child in the commit that makes the child', async () => {
    const journal = current()
    const task = await owned(journal, newId('host'))
    const child = makeTask({ parent: { taskId: task.id, stepId: 's' } })
    const outcome = await apply(
      journal,
      commitOn(task, {
        children: [child],
        messages: [signal(task.id, 'self'), signal(child.id, 'hello')],
        release: true,
        state: 'waiting',
        waitingFor: { kind: 'child' },
      }),
    )
    assert.equal(outcome.runnable, true)
    assert.equal(outcome.mailPosition, 1)
    assert.equal((await mailOf(journal, task.id)).length, 1)
    assert.equal((await mailOf(journal, child.id)).length, 1)
  })

  test('a full mailbox refuses events, but never a cancel', async () => {
    const journal = current()
    const task = await asleep(journal)
    for (let sent = 0; sent < 10_000; sent += 500) {
      await Promise.all(Array.from({ length: 500 }, () => journal.deliver(signal(task.id, 'x'))))
    }
    assert.deepEqual(await journal.deliver(signal(task.id, 'x')), { delivered: false, because: 'mailbox_full' })
    const cancel = await journal.deliver({ id: newId('msg'), to: task.id, from: 'tester', body: { kind: 'cancel' } })
    assert.equal(cancel.delivered, true)
  })
}
