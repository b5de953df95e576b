import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventBody } from '../../../src/contract/events.ts'
import { newId } from '../../../src/contract/ids.ts'
import type { ActorCommit } from '../../../src/journal/journal.ts'
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
  newTenant,
  owned,
  signal,
} from './make.ts'

export function fencingTests(current: Current): void {
  test('a claim and its first transition are one commit: epoch and version grow, the host owns the task', async () => {
    const journal = current()
    const task = await accepted(journal)
    const { hostId } = await leased(journal)
    const outcome = await apply(
      journal,
      commitOn(task, { claim: { hostId }, snapshot: { at: 'a' }, events: [{ type: 'task.started', host: hostId }] }),
    )
    assert.deepEqual([outcome.epoch, outcome.version, outcome.lastEvent], [1, 1, 2])
    const row = (await loaded(journal, task.id)).task
    assert.equal(row.owner, hostId)
    assert.equal(row.state, 'running')
    assert.deepEqual(row.snapshot, { at: 'a' })
    assert.equal(row.startedAt, outcome.at)
  })

  test('two hosts race to claim: exactly one wins, and the other learns that the epoch is not its own', async () => {
    const journal = current()
    const claims = await Promise.all([1, 2, 3].map(() => leased(journal)))
    for (let round = 0; round < 20; round++) {
      const task = await accepted(journal)
      const outcomes = await Promise.all(claims.map((claim) => journal.commit(commitOn(task, { claim }))))
      assert.equal(outcomes.filter(({ applied }) => applied).length, 1)
      for (const outcome of outcomes) if (!outcome.applied) assert.equal(outcome.because, 'epoch')
    }
  })

  test('a commit with an old epoch or an old version changes nothing at all', async () => {
    const journal = current()
    const other = await asleep(journal)
    const task = await owned(journal, newId('host'))
    const before = await loaded(journal, task.id)
    const child = makeTask({ parent: { taskId: task.id, stepId: 's' } })
    const everything = {
      state: 'completed',
      release: true,
      snapshot: { zombie: true },
      events: [{ type: 'task.completed' }],
      steps: { s: { ok: true, value: 1 } },
      timersSet: [{ id: 't', inMs: 0 }],
      messages: [signal(other.id, 'from-a-zombie')],
      children: [child],
      output: 'zombie',
      usage: { inputTokens: 1, outputTokens: 1, costMicros: 1 },
    } as const
    for (const stale of [
      { ...task, epoch: task.epoch - 1 },
      { ...task, version: task.version - 1 },
      { ...task, epoch: task.epoch + 1 },
    ]) {
      const outcome = await journal.commit(
        commitOn(stale, {
          ...everything,
          events: [...everything.events],
          timersSet: [...everything.timersSet],
          messages: [...everything.messages],
          children: [...everything.children],
        }),
      )
      assert.deepEqual(outcome, { applied: false, because: 'epoch' })
    }
    assert.deepEqual(await loaded(journal, task.id), before)
    assert.deepEqual(await mailOf(journal, other.id), [])
    assert.equal(await journal.get(child.id), undefined)
    await journal.fireTimers(1000)
    assert.deepEqual(await mailOf(journal, task.id), [])
    assert.deepEqual(await eventTypes(journal, task.id), ['task.accepted', 'task.started'])
  })

  test('who released a task cannot commit to it any more, though nobody else took it', async () => {
    const journal = current()
    const task = await asleep(journal)
    const outcome = await journal.commit(commitOn(task, { events: [{ type: 'task.completed' }] }))
    assert.deepEqual(outcome, { applied: false, because: 'epoch' })
  })

  test('an owned task cannot be claimed', async () => {
    const journal = current()
    const task = await owned(journal, newId('host'))
    const outcome = await journal.commit(commitOn(task, { claim: await leased(journal) }))
    assert.deepEqual(outcome, { applied: false, because: 'epoch' })
  })

  test('a host whose lease has ended, or never began, claims nothing: not even in the moment in which others may', async () => {
    const journal = current()
    const living = await leased(journal)
    const ended = await leased(journal)
    await journal.endLease(ended.hostId)
    const ranOut = { hostId: newId('host') }
    await journal.keepLease({ ...ranOut, info: {}, leaseMs: 0 })
    const stranger = { hostId: newId('host') }
    const task = await accepted(journal)
    const claims = [ended, ranOut, stranger, living].map((claim) =>
      journal.commit(commitOn(task, { claim, events: [{ type: 'task.started', host: claim.hostId }] })),
    )
    const [one, two, three, four] = await Promise.all(claims)
    for (const refused of [one, two, three]) assert.deepEqual(refused, { applied: false, because: 'lease' })
    assert.equal(four?.applied, true)
    assert.deepEqual(await eventTypes(journal, task.id), ['task.accepted', 'task.started'])
    assert.equal((await loaded(journal, task.id)).task.owner, living.hostId)
  })

  test('what a host claimed under its lease it may go on with after the lease, until somebody takes it over', async () => {
    const journal = current()
    const { hostId } = await leased(journal)
    const task = await owned(journal, hostId)
    await journal.endLease(hostId)
    await apply(journal, commitOn(task, { state: 'completed', release: true }))
  })

  test('an unknown task and an ended task refuse commits and say which they are', async () => {
    const journal = current()
    const unknown = await journal.commit(commitOn({ id: newId('task'), epoch: 0, version: 0, lastEvent: 1 }))
    assert.deepEqual(unknown, { applied: false, because: 'unknown_task' })
    const task = await owned(journal, newId('host'))
    const ended = await apply(journal, commitOn(task, { state: 'completed', release: true }))
    const outcome = await journal.commit(commitOn({ ...task, ...basisOf(ended) }))
    assert.deepEqual(outcome, { applied: false, because: 'ended' })
  })

  test('a refused commit does not spoil the commits made in the same moment', async () => {
    const journal = current()
    const tasks = await Promise.all(Array.from({ length: 10 }, () => owned(journal, newId('host'))))
    const outcomes = await Promise.all(
      tasks.map((task, index) =>
        journal.commit(
          commitOn({ ...task, version: task.version - (index % 2) }, { state: 'completed', release: true }),
        ),
      ),
    )
    assert.deepEqual(
      outcomes.map(({ applied }) => applied),
      tasks.map((_, index) => index % 2 === 0),
    )
  })

  const logged: EventBody[] = [{ type: 'step.completed', step: 'read', ms: 1 }]
  for (const [name, first, second] of [
    ['neither commit logs anything', [], []],
    ['both commits log', logged, logged],
    ['only the first commit logs', logged, []],
    ['only the second commit logs', [], logged],
  ] as const) {
    test(`the outcome of a step is recorded once; the first one stays (${name})`, async () => {
      const journal = current()
      const task = await owned(journal, newId('host'))
      const one = await apply(journal, commitOn(task, { steps: { read: { ok: true, value: 1 } }, events: [...first] }))
      const think = { ok: false, error: { code: 'step_failed', message: 'no' } } as const
      await apply(
        journal,
        commitOn({ ...task, ...basisOf(one) }, { steps: { read: { ok: true, value: 2 }, think }, events: [...second] }),
      )
      assert.deepEqual((await loaded(journal, task.id)).steps, { read: { ok: true, value: 1 }, think })
    })
  }

  test('outcomes of every size, with and without events, are there until the task completes, and then are not', async () => {
    const journal = current()
    const task = await owned(journal, newId('host'))
    const outcome = (size: number) => ({ ok: true, value: '"\\\u0000\u2028é😀'.repeat(size) }) as const
    const steps = { 'small "é"': outcome(1), 'large \\ one': outcome(500), 'in the blob store': outcome(20_000) }
    const commit = async (changes: Partial<ActorCommit>) =>
      Object.assign(task, basisOf(await apply(journal, commitOn(task, { events: logged, ...changes }))))
    for (const [step, recorded] of Object.entries(steps)) await commit({ steps: { [step]: recorded } })
    const both = { 'one of two': outcome(2), 'two of two': outcome(3) }
    await commit({ steps: both })
    assert.deepEqual((await loaded(journal, task.id)).steps, { ...steps, ...both })
    await commit({ state: 'completed', release: true })
    assert.deepEqual((await loaded(journal, task.id)).steps, {})
    assert.equal((await eventTypes(journal, task.id)).length, 7)
  })

  test('what only adds to the log is seen at once, and is what the next commit is made from', async () => {
    const journal = current()
    const tenant = newTenant()
    const before = await owned(journal, newId('host'), { tenant })
    const task = { ...before }
    for (const [events, known] of [
      [logged, {}],
      [[...logged, ...logged], { mailKnown: 0 }],
    ] as const) {
      const steps = { [events.length]: { ok: true, value: 1 } } as const
      const outcome = await apply(journal, commitOn(task, { events: [...events], steps, ...known }))
      Object.assign(task, basisOf(outcome), { updatedAt: outcome.at })
    }
    assert.equal(task.lastEvent, before.lastEvent + 3)
    const { task: row, steps } = await loaded(journal, task.id)
    const [listed] = (await journal.list({ tenant, limit: 10 })).tasks
    const got = await journal.get(task.id, tenant)
    for (const seen of [row, listed, got]) {
      assert.deepEqual([seen?.lastEvent, seen?.updatedAt, seen?.state], [task.lastEvent, task.updatedAt, 'running'])
    }
    assert.deepEqual([row.epoch, row.version], [task.epoch, task.version])
    const [head] = await journal.heads([task.id])
    assert.deepEqual({ ...head }, { id: task.id, lastEvent: task.lastEvent, state: 'running' })
    assert.deepEqual(Object.keys(steps), ['1', '2'])
    const ends = { state: 'completed', release: true } as const
    for (const changes of [{}, { mailKnown: 0 }, { snapshot: { n: 1 } }, ends]) {
      const late = await journal.commit(commitOn({ ...before, version: task.version }, { events: logged, ...changes }))
      assert.deepEqual(late, { applied: false, because: 'epoch' }, JSON.stringify(changes))
    }
    const ended = await apply(journal, commitOn(task, { ...ends, events: [{ type: 'task.completed' }] }))
    assert.equal(ended.lastEvent, task.lastEvent + 1)
    assert.equal((await eventTypes(journal, task.id)).length, ended.lastEvent)
  })

  test('a task that runs again after it waited says so, whatever the commit adds', async () => {
    const journal = current()
    for (const waits of [{ state: 'input-required', waitingFor: { kind: 'person' } }, { state: 'waiting' }] as const) {
      const task = await owned(journal, newId('host'))
      const waiting = await apply(journal, commitOn(task, { ...waits, events: logged }))
      const resumed = await apply(journal, commitOn({ ...task, ...basisOf(waiting) }, { events: logged }))
      const row = (await loaded(journal, task.id)).task
      assert.deepEqual([row.state, row.waitingFor, row.lastEvent], ['running', undefined, resumed.lastEvent])
    }
  })

  test('what a commit leaves out stays: snapshot, output, usage; what it waits for does not', async () => {
    const journal = current()
    const task = await owned(journal, newId('host'))
    const usage = { inputTokens: 3, outputTokens: 4, costMicros: 5 }
    const one = await apply(journal, commitOn(task, { snapshot: { n: 1 }, usage, waitingFor: { kind: 'person' } }))
    await apply(journal, commitOn({ ...task, ...basisOf(one) }))
    const row = (await loaded(journal, task.id)).task
    assert.deepEqual([row.snapshot, row.usage, row.waitingFor], [{ n: 1 }, usage, undefined])
  })

  test('a completed task keeps its output and log; its snapshot and steps are gone', async () => {
    const journal = current()
    const task = await owned(journal, newId('host'))
    const one = await apply(journal, commitOn(task, { snapshot: { n: 1 }, steps: { s: { ok: true, value: 1 } } }))
    await apply(
      journal,
      commitOn(
        { ...task, ...basisOf(one) },
        { state: 'completed', release: true, output: { done: true }, events: [{ type: 'task.completed' }] },
      ),
    )
    const { task: row, steps, mail } = await loaded(journal, task.id)
    assert.equal(row.state, 'completed')
    assert.equal(row.owner, undefined)
    assert.deepEqual(row.output, { done: true })
    assert.equal(row.endedAt, row.updatedAt)
    assert.equal(row.snapshot, undefined)
    assert.deepEqual([steps, mail], [{}, []])
    assert.deepEqual(await eventTypes(journal, task.id), ['task.accepted', 'task.started', 'task.completed'])
  })

  test('a running task that is released wants a host at once; a waiting one sleeps', async () => {
    const journal = current()
    const drained = await owned(journal, newId('host'))
    assert.equal((await apply(journal, commitOn(drained, { release: true, state: 'running' }))).runnable, true)
    const waiting = await owned(journal, newId('host'))
    const outcome = await apply(
      journal,
      commitOn(waiting, { release: true, state: 'waiting', waitingFor: { kind: 'person' } }),
    )
    assert.equal(outcome.runnable, false)
    const wanted = (await journal.findOrphans({ unclaimedMs: 0, limit: 10_000 })).map(({ taskId }) => taskId)
    assert.ok(wanted.includes(drained.id))
    assert.ok(!wanted.includes(waiting.id))
  })
}
