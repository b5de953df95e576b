// A task that has Postgres for itself goes by statements of its own (lone.ts): what they must not do, and what they leave out.
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { z } from 'zod'
import { newId } from '../../src/contract/ids.ts'
import type { CommitOutcome, Journal, NewTask } from '../../src/journal/journal.ts'
import { openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { defineAgent } from '../../src/sdk/index.ts'
import { openTestStage } from '../actor/stage.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { apply, commitOn, eventTypes, loaded, makeTask } from './contract/make.ts'

describe('A task alone on Postgres', { skip: missing('postgres') }, () => {
  let server: TestServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())

  async function open(t: TestContext): Promise<Journal> {
    const journal = await openPostgresJournal({ url: server.url })
    t.after(() => journal.close())
    return journal
  }

  /** Accepted and begun in one flight, by nobody else’s. */
  async function begun(journal: Journal, task: NewTask, hostId: string): Promise<CommitOutcome> {
    const [, outcome] = await Promise.all([
      journal.accept(task),
      journal.commit(
        commitOn(
          { id: task.id, epoch: 0, version: 0, lastEvent: 1 },
          { claim: { hostId }, events: [{ type: 'task.started', host: hostId }] },
        ),
      ),
    ])
    return outcome
  }

  test('is not begun under a lease that never was, that ran out, or that was ended', async (t) => {
    const journal = await open(t)
    const [never, short, ended] = [newId('host'), newId('host'), newId('host')]
    await journal.keepLease({ hostId: short, info: {}, leaseMs: 1 })
    await journal.keepLease({ hostId: ended, info: {}, leaseMs: 60_000 })
    await journal.endLease(ended)
    for (const hostId of [never, short, ended]) {
      const task = makeTask()
      assert.deepEqual(await begun(journal, task, hostId), { applied: false, because: 'lease' })
      assert.equal((await loaded(journal, task.id)).task.state, 'queued')
    }
  })

  test('begun by a host that another process took for dead, it is taken over at once, and the host is fenced', async (t) => {
    const [journal, other] = [await open(t), await open(t)]
    const hostId = newId('host')
    await journal.keepLease({ hostId, info: {}, leaseMs: 60_000 })
    await other.endLease(hostId)
    const task = makeTask()
    const begin = await begun(journal, task, hostId)
    assert.ok(begin.applied)
    const orphans = await other.findOrphans({ unclaimedMs: 60_000, limit: 100 })
    assert.ok(orphans.some(({ taskId, owner }) => taskId === task.id && owner === undefined))
    const late = commitOn(
      { id: task.id, ...begin },
      {
        events: [{ type: 'step.completed', step: 'late', ms: 0 }],
        mailKnown: 0,
      },
    )
    assert.deepEqual(await journal.commit(late), { applied: false, because: 'epoch' })
    assert.deepEqual(await journal.keepLease({ hostId, info: {}, leaseMs: 60_000 }), { held: false })
    assert.deepEqual(await begun(journal, makeTask(), hostId), { applied: false, because: 'lease' })
  })

  test('its id used a second time, it is the first one, and what would begin it is refused', async (t) => {
    const journal = await open(t)
    const hostId = newId('host')
    await journal.keepLease({ hostId, info: {}, leaseMs: 60_000 })
    const task = makeTask()
    assert.equal((await begun(journal, task, hostId)).applied, true)
    assert.equal((await begun(journal, task, hostId)).applied, false)
    assert.equal((await journal.accept(task)).created, false)
    assert.deepEqual(await eventTypes(journal, task.id), ['task.accepted', 'task.started'])
    await apply(journal, commitOn((await loaded(journal, task.id)).task, { state: 'completed', release: true }))
  })

  test('it hears of a cancel whose nudge got lost, though it does nothing but record its steps', async (t) => {
    const busy = defineAgent({
      name: 'busy',
      version: '1.0.0',
      description: 'Records steps until it is stopped',
      input: z.object({}),
      output: z.object({}),
      run: async (ctx) => {
        for (let n = 0; ; n++) await ctx.step(`step ${n}`, () => n)
      },
    })
    const journal = await openPostgresJournal({ url: server.url })
    const stage = await openTestStage(t, [busy], journal)
    await stage.startHost()
    const task = await stage.submit('busy', {})
    await stage.until(task.id, ({ body }) => body.type === 'step.completed')
    // Into its mailbox, and not a word to its host.
    await journal.deliver({
      id: newId('msg'),
      to: task.id,
      tenant: task.tenant,
      from: 'test',
      body: { kind: 'cancel' },
    })
    assert.equal((await stage.end(task.id)).state, 'cancelled')
  })
})
