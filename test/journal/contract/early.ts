// A task that is accepted and begun in one moment: its host heard of it before it was on disk.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../../../src/contract/ids.ts'
import type { ActorCommit, CommitOutcome, Journal, NewTask } from '../../../src/journal/journal.ts'
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
  mailOf,
  makeTask,
  signal,
} from './make.ts'

async function acceptedAndBegun(
  journal: Journal,
  changes: Partial<ActorCommit>,
  task: NewTask = makeTask(),
): Promise<{ id: string; created: boolean; outcome: CommitOutcome }> {
  const accepting = journal.accept(task)
  const beginning = journal.commit(commitOn({ id: task.id, epoch: 0, version: 0, lastEvent: 1 }, changes))
  const [{ created }, outcome] = await Promise.all([accepting, beginning])
  return { id: task.id, created, outcome }
}

export function earlyTests(current: Current): void {
  test('an accept and the first commit of its task, called in one turn, are applied in this order', async () => {
    const journal = current()
    assert.ok(journal.inOrder)
    const claim = await leased(journal)
    const { id, created, outcome } = await acceptedAndBegun(journal, {
      claim,
      snapshot: { at: 'a' },
      events: [{ type: 'task.started', host: claim.hostId }],
    })
    assert.ok(created && outcome.applied)
    assert.deepEqual(
      [outcome.epoch, outcome.version, outcome.lastEvent, outcome.mailPosition, outcome.runnable],
      [1, 1, 2, 0, false],
    )
    const { task } = await loaded(journal, id)
    assert.deepEqual(
      [task.state, task.owner, task.epoch, task.version, task.lastEvent, task.snapshot, task.startedAt],
      ['running', claim.hostId, 1, 1, 2, { at: 'a' }, outcome.at],
    )
    assert.deepEqual(await eventTypes(journal, id), ['task.accepted', 'task.started'])
    await apply(journal, commitOn(task, { state: 'completed', release: true, events: [{ type: 'task.completed' }] }))
    const runnable = (await journal.findOrphans({ unclaimedMs: 0, limit: 10_000 })).map(({ taskId }) => taskId)
    assert.ok(!runnable.includes(id))
  })

  test('the events of a first commit are read from any number on, in pages of any size, with those that follow', async () => {
    const journal = current()
    const claim = await leased(journal)
    for (const long of [false, true]) {
      const said = (from: number) =>
        Array.from({ length: 3 }, (_, index) => ({ type: 'tokens', text: `t${from + index}` }) as const)
      const events = long ? said(2).map((event) => ({ ...event, data: 'x'.repeat(1_000) })) : said(2)
      const { id, outcome } = await acceptedAndBegun(journal, { claim, events })
      assert.ok(outcome.applied)
      await apply(journal, commitOn({ id, ...basisOf(outcome) }, { events: said(5) }))
      for (let after = 0; after <= 8; after++) {
        for (const limit of [1, 2, 7]) {
          const page = await journal.events(id, after, limit)
          const numbers = page.map(({ number }) => number)
          const expected = Array.from({ length: 7 }, (_, index) => index + 1).filter((number) => number > after)
          assert.deepEqual(numbers, expected.slice(0, limit), `after ${after}, at most ${limit}`)
          for (const { number, body } of page) if (body.type === 'tokens') assert.equal(body.text, `t${number}`)
        }
      }
    }
  })

  test('a task that ends in its first commit is accepted and ended in one moment, its deadline forgotten', async () => {
    const journal = current()
    const deadline = (await journal.now()) - 1
    const { id, outcome } = await acceptedAndBegun(
      journal,
      {
        claim: await leased(journal),
        release: true,
        state: 'completed',
        output: { n: 1 },
        usage: { inputTokens: 1, outputTokens: 2, costMicros: 3 },
        events: [{ type: 'task.started', host: 'h' }, { type: 'task.completed' }],
      },
      makeTask({ deadline }),
    )
    assert.ok(outcome.applied)
    const { task } = await loaded(journal, id)
    assert.deepEqual(
      [task.state, task.owner, task.output, task.endedAt, task.deadline, task.usage?.outputTokens],
      ['completed', undefined, { n: 1 }, outcome.at, deadline, 2],
    )
    await journal.fireTimers(1_000)
    assert.deepEqual(await mailOf(journal, id), [])
    assert.deepEqual(await eventTypes(journal, id), ['task.accepted', 'task.started', 'task.completed'])
  })

  test('a first commit that waits leaves a task that sleeps; one that lets it go for a host leaves it runnable', async () => {
    const journal = current()
    const claim = await leased(journal)
    const asleep = await acceptedAndBegun(journal, {
      claim,
      release: true,
      state: 'waiting',
      waitingFor: { kind: 'message' },
    })
    const detail = 'nobody has greeter@9'
    const queued = await acceptedAndBegun(journal, {
      claim,
      release: true,
      state: 'queued',
      waitingFor: { kind: 'host', detail },
      events: [{ type: 'task.waiting', for: { kind: 'host', detail } }],
    })
    assert.equal(asleep.outcome.applied && asleep.outcome.runnable, false)
    assert.equal(queued.outcome.applied && queued.outcome.runnable, true)
    const runnable = (await journal.findOrphans({ unclaimedMs: 0, limit: 10_000 })).map(({ taskId }) => taskId)
    assert.deepEqual([asleep.id, queued.id].map((id) => runnable.includes(id)).join(), 'false,true')
    assert.deepEqual((await loaded(journal, queued.id)).task.waitingFor, { kind: 'host', detail })
    await journal.deliver(signal(asleep.id, 'wake'))
    assert.equal((await mailOf(journal, asleep.id)).length, 1)
  })

  test('a host without a lease begins nothing: the task is accepted, un-owned, and wants a host', async () => {
    const journal = current()
    const { id, created, outcome } = await acceptedAndBegun(journal, {
      claim: { hostId: newId('host') },
      snapshot: { zombie: true },
      state: 'completed',
      release: true,
      output: 'zombie',
      events: [{ type: 'task.completed' }],
    })
    assert.equal(created, true)
    assert.deepEqual(outcome, { applied: false, because: 'lease' })
    const { task } = await loaded(journal, id)
    assert.deepEqual(
      [task.state, task.epoch, task.version, task.lastEvent, task.snapshot, task.output, task.endedAt],
      ['queued', 0, 0, 1, undefined, undefined, undefined],
    )
    assert.deepEqual(await eventTypes(journal, id), ['task.accepted'])
    await apply(journal, commitOn(task, { claim: await leased(journal) }))
  })

  test('a first commit with children, mail, steps, timers and large values does all of it', async () => {
    const journal = current()
    const receiver = await asleep(journal)
    const task = makeTask()
    const child = makeTask({ parent: { taskId: task.id, stepId: 'ask' } })
    const large = 'x'.repeat(100_000)
    const { outcome } = await acceptedAndBegun(
      journal,
      {
        claim: await leased(journal),
        snapshot: { large },
        messages: [signal(receiver.id, 'hello')],
        children: [child],
        steps: { one: { ok: true, value: 1 }, two: { ok: true, value: 2 } },
        timersSet: [{ id: 'due', inMs: 0 }],
      },
      task,
    )
    assert.ok(outcome.applied)
    assert.deepEqual([outcome.woken.length, outcome.children.length], [1, 1])
    assert.equal((await mailOf(journal, receiver.id)).length, 1)
    assert.equal((await journal.get(child.id))?.state, 'queued')
    await journal.fireTimers(1_000)
    const begun = await loaded(journal, task.id)
    assert.deepEqual(begun.task.snapshot, { large })
    assert.deepEqual(Object.keys(begun.steps), ['one', 'two'])
    assert.deepEqual(
      begun.mail.map(({ body }) => body.kind),
      ['timer'],
    )
  })

  test('many tasks accepted and begun in one moment, some by hosts without a lease, are each judged alone', async () => {
    const journal = current()
    const living = await leased(journal)
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        acceptedAndBegun(journal, {
          claim: index % 3 === 0 ? { hostId: `${living.hostId}-dead` } : living,
          events: [{ type: 'task.started', host: 'h' }],
        }),
      ),
    )
    for (const [index, { id, created, outcome }] of outcomes.entries()) {
      assert.ok(created)
      assert.equal(outcome.applied, index % 3 !== 0)
      const { task } = await loaded(journal, id)
      assert.deepEqual(
        [task.epoch, task.lastEvent, task.owner],
        index % 3 === 0 ? [0, 1, undefined] : [1, 2, living.hostId],
      )
    }
  })

  test('an id that was accepted before is not begun by a second accept', async () => {
    const journal = current()
    const earlier = await accepted(journal, { input: 'earlier' })
    await apply(journal, commitOn(earlier, { claim: await leased(journal) }))
    const again = makeTask({ id: earlier.id, input: 'later' })
    const { created, outcome } = await acceptedAndBegun(
      journal,
      { claim: await leased(journal), events: [{ type: 'task.started', host: 'h' }] },
      again,
    )
    assert.deepEqual([created, outcome], [false, { applied: false, because: 'epoch' }])
    assert.deepEqual(await eventTypes(journal, earlier.id), ['task.accepted'])
    assert.equal((await loaded(journal, earlier.id)).task.input, 'earlier')
  })
}
