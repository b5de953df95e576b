// What meets in one transaction of the SQLite journal: calls made in one turn of the event loop.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { newId } from '../../src/contract/ids.ts'
import type { ActorCommit, Journal, NewTask } from '../../src/journal/journal.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { accepted, apply, commitOn, eventTypes, leased, loaded, mailOf, makeTask, signal } from './contract/make.ts'

async function opened(t: TestContext): Promise<Journal> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-journal-'))
  const journal = await openSqliteJournal({ folder, clock: () => 1_000_000 })
  t.after(async () => {
    await journal.close()
    rmSync(folder, { recursive: true })
  })
  return journal
}

const FIRST_TURNS: Record<string, Partial<ActorCommit>> = {
  runs: { events: [{ type: 'task.started', host: 'h' }], steps: { a: { ok: true, value: 1 } }, snapshot: { n: 1 } },
  sleeps: {
    release: true,
    state: 'waiting',
    waitingFor: { kind: 'timer' },
    timersSet: [{ id: 't', inMs: 60_000 }],
    usage: { inputTokens: 1, outputTokens: 2, costMicros: 3 },
  },
  ends: { release: true, state: 'completed', output: { done: true }, events: [{ type: 'task.completed' }] },
  fails: {
    release: true,
    state: 'failed',
    error: { code: 'step_failed', message: 'it broke' },
    steps: { a: { ok: true, value: 1 } },
  },
}

for (const [name, turn] of Object.entries(FIRST_TURNS)) {
  test(`a task that is accepted and ${name} in one transaction is what it would be after two`, async (t) => {
    const journal = await opened(t)
    const claim = await leased(journal)
    const inTwo = makeTask()
    await apply(journal, commitOn((await journal.accept(inTwo)).task, { ...turn, claim }))
    const inOne = { ...makeTask(), id: `${inTwo.id}x` }
    const [answer, outcome] = await Promise.all([journal.accept(inOne), firstCommit(journal, inOne, turn, claim)])
    assert.equal(answer.created, true)
    assert.ok(outcome.applied)
    const expected = await loaded(journal, inTwo.id)
    assert.deepEqual(await loaded(journal, inOne.id), { ...expected, task: { ...expected.task, id: inOne.id } })
    assert.deepEqual(await eventTypes(journal, inOne.id), await eventTypes(journal, inTwo.id))
    assert.deepEqual(await counts(journal), [{ agent: 'greeter', state: turn.state ?? 'running', tasks: 2 }])
    const { alive, tasks } = (await journal.hosts())[0]!
    assert.deepEqual({ alive, tasks }, { alive: true, tasks: name === 'runs' ? 2 : 0 })
  })
}

test('tasks accepted together are what each would be alone, also with one among them that there was before', async (t) => {
  const journal = await opened(t)
  const before = await accepted(journal, { input: 'before' })
  const parent = { taskId: before.id, stepId: 's' }
  const kinds: Partial<NewTask>[] = [
    { labels: { team: 'data' }, metadata: { note: 'x' } },
    { parent, depth: 1, budget: { tokens: 5 } },
    { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    {},
  ]
  const tasks = Array.from({ length: 20 }, (_, place) => makeTask(kinds[place % kinds.length]))
  const again = makeTask({ id: before.id, input: 'again' })
  const [repeated, ...answers] = await Promise.all([again, ...tasks].map((task) => journal.accept(task)))
  assert.deepEqual(repeated, { task: before, created: false })
  for (const [place, task] of tasks.entries()) {
    const { created, task: answer } = answers[place]!
    assert.equal(created, true)
    assert.deepEqual((await loaded(journal, task.id)).task, answer)
    const alone = await accepted(journal, { ...task, id: newId('task') })
    assert.deepEqual(answer, { ...alone, id: task.id })
  }
  const labelled = await journal.list({ tenant: 'acme', labels: ['team:data'], limit: 50 })
  assert.equal(labelled.tasks.length, 10)
  assert.deepEqual(await counts(journal), [{ agent: 'greeter', state: 'queued', tasks: 41 }])
})

async function counts(journal: Journal) {
  return (await journal.counts()).map((count) => ({ ...count }))
}

function firstCommit(journal: Journal, { id }: NewTask, turn: Partial<ActorCommit>, claim: { hostId: string }) {
  return journal.commit(commitOn({ id, epoch: 0, version: 0, lastEvent: 1 }, { ...turn, claim }))
}

test('a task accepted twice in one transaction is one task', async (t) => {
  const journal = await opened(t)
  const task = makeTask()
  const answers = await Promise.all([
    journal.accept(task),
    journal.accept({ ...task, input: 'another' }),
    journal.accept({ ...task, idempotencyKey: 'k' }),
  ])
  assert.deepEqual(
    answers.map(({ created }) => created),
    [true, false, false],
  )
  for (const answer of answers) assert.deepEqual(answer.task.input, task.input)
  assert.deepEqual(await counts(journal), [{ agent: 'greeter', state: 'queued', tasks: 1 }])
})

test('mail for a task accepted in the same transaction reaches it', async (t) => {
  const journal = await opened(t)
  const task = makeTask()
  const [, delivery] = await Promise.all([journal.accept(task), journal.deliver(signal(task.id, 'hello'))])
  assert.equal(delivery.delivered, true)
  assert.deepEqual(await mailOf(journal, task.id), [{ kind: 'event', event: { type: 'hello' } }])
})

test('a first turn whose task turns out to be an earlier one is judged by that one', async (t) => {
  const journal = await opened(t)
  const claim = await leased(journal)
  const task = makeTask()
  await apply(journal, commitOn((await journal.accept(task)).task, { claim, events: [{ type: 'task.retried' }] }))
  const [again, outcome] = await Promise.all([
    journal.accept(task),
    firstCommit(journal, task, { events: [{ type: 'task.completed' }] }, claim),
  ])
  assert.equal(again.created, false)
  assert.equal(again.task.version, 1)
  assert.deepEqual(outcome, { applied: false, because: 'epoch' })
  assert.deepEqual(await eventTypes(journal, task.id), ['task.accepted', 'task.retried'])
})

test('a first turn that is refused leaves its task queued, for any host', async (t) => {
  const journal = await opened(t)
  const task = makeTask()
  const [answer, outcome] = await Promise.all([
    journal.accept(task),
    firstCommit(journal, task, {}, { hostId: 'host-without-a-lease' }),
  ])
  assert.equal(answer.created, true)
  assert.deepEqual(outcome, { applied: false, because: 'lease' })
  assert.equal((await journal.get(task.id))?.state, 'queued')
  const wakes = await journal.findOrphans({ unclaimedMs: 0, limit: 10 })
  assert.deepEqual(
    wakes.map(({ taskId }) => taskId),
    [task.id],
  )
})

test('several commits of one task in one transaction each build on the one before', async (t) => {
  const journal = await opened(t)
  const claim = await leased(journal)
  const task = await accepted(journal)
  const at = (version: number, changes: Partial<ActorCommit> = {}) =>
    journal.commit(
      commitOn({ id: task.id, epoch: version === 0 ? 0 : 1, version, lastEvent: Math.max(1, version) }, changes),
    )
  const step = (n: number) => ({
    events: [{ type: 'task.retried' as const }],
    steps: { [n]: { ok: true as const, value: n } },
  })
  const outcomes = await Promise.all([at(0, { claim }), at(1, step(1)), at(1, step(9)), at(2, step(2))])
  assert.deepEqual(
    outcomes.map(({ applied }) => applied),
    [true, true, false, true],
  )
  const { task: row, steps } = await loaded(journal, task.id)
  assert.deepEqual([row.epoch, row.version, row.lastEvent], [1, 3, 3])
  assert.deepEqual(Object.keys(steps), ['1', '2'])
})
