// A flight whose answer was lost: the database is asked again under the same number, and everything happened once.
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import type { EventBody } from '../../src/contract/events.ts'
import type { ActorCommit, Journal, TaskRow } from '../../src/journal/journal.ts'
import { openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { proxied, type TcpProxy } from '../support/tcp-proxy.ts'
import { accepted, apply, commitOn, eventTypes, leased, loaded, makeTask, owned } from './contract/make.ts'

const NOTED: EventBody[] = [{ type: 'task.retried' }]

/** What a commit may be, one of each way into the database. */
const COMMITS: Record<string, { change: Partial<ActorCommit>; company: boolean }> = {
  'a record': { change: { steps: { s: { ok: true, value: 1 } }, snapshot: { n: 1 } }, company: false },
  'a turn that goes to sleep': {
    change: { state: 'waiting', release: true, waitingFor: { kind: 'person' } },
    company: false,
  },
  'the end of a task': { change: { state: 'completed', release: true, output: { n: 1 } }, company: false },
  'a failure': {
    change: { state: 'failed', release: true, error: { code: 'step_failed', message: 'no' } },
    company: false,
  },
  'a record among others': { change: { steps: { s: { ok: true, value: 1 } } }, company: true },
  'an end among others': { change: { state: 'completed', release: true, output: { n: 1 } }, company: true },
}

describe('Answers of Postgres that get lost', { skip: missing('postgres') }, () => {
  let server: TestServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())

  async function through(t: TestContext): Promise<{ journal: Journal; proxy: TcpProxy; hostId: string }> {
    const { proxy, url } = await proxied(t, server.url)
    const journal = await openPostgresJournal({ url, lanes: 1 })
    t.after(() => journal.close())
    // The connection is made, so the next answer on it is the answer to the next commit.
    await accepted(journal)
    return { journal, proxy, hostId: (await leased(journal)).hostId }
  }

  async function connected(t: TestContext): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: server.url, options: '-c search_path=troupe' })
    await client.connect()
    t.after(() => client.end())
    return client
  }

  async function lockWaits(client: pg.Client, count: number): Promise<void> {
    for (let looks = 0; ; looks++) {
      assert.ok(looks < 10_000, `there were never ${count} waiting`)
      const { rows } = await client.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
      if (rows.length >= count) return
    }
  }

  async function onceOnly(journal: Journal, before: TaskRow, change: Partial<ActorCommit>): Promise<void> {
    const { task } = await loaded(journal, before.id)
    assert.deepEqual(
      [task.epoch, task.version, task.lastEvent, task.state],
      [before.epoch, before.version + 1, before.lastEvent + 1, change.state ?? 'running'],
    )
    assert.equal((await eventTypes(journal, before.id)).length, task.lastEvent)
  }

  for (const [name, { change, company }] of Object.entries(COMMITS)) {
    test(`${name}: lost once, it is found, and its caller hears what became of it`, async (t) => {
      const { journal, proxy, hostId } = await through(t)
      const task = await owned(journal, hostId)
      const lost = proxy.loseNextAnswer()
      const others = company ? Array.from({ length: 5 }, () => journal.accept(makeTask())) : []
      const outcome = await apply(journal, commitOn(task, { ...change, events: NOTED }))
      await Promise.all([...others, lost])
      assert.deepEqual([outcome.version, outcome.lastEvent], [task.version + 1, task.lastEvent + 1])
      await onceOnly(journal, task, change)
    })

    test(`${name}: asked for again while the first is still at work, it happens once`, async (t) => {
      const { journal, proxy, hostId } = await through(t)
      const task = await owned(journal, hostId)
      const [holds, looks] = [await connected(t), await connected(t)]
      await holds.query('BEGIN')
      await holds.query('SELECT 1 FROM tasks WHERE id = $1 FOR UPDATE', [task.id])
      const others = company ? Array.from({ length: 5 }, () => journal.accept(makeTask())) : []
      const committing = apply(journal, commitOn(task, { ...change, events: NOTED }))
      await lockWaits(looks, 1)
      // The connection is cut; Postgres does not notice while it waits for the row.
      proxy.partition()
      proxy.heal()
      await lockWaits(looks, 2)
      await holds.query('COMMIT')
      const outcome = await committing
      await Promise.all(others)
      assert.deepEqual([outcome.version, outcome.lastEvent], [task.version + 1, task.lastEvent + 1])
      await onceOnly(journal, task, change)
    })
  }

  test('a task accepted and begun at once: lost, it was still created and begun by this call', async (t) => {
    const { journal, proxy, hostId } = await through(t)
    for (const release of [false, true]) {
      const task = makeTask()
      const lost = proxy.loseNextAnswer()
      const [answer, outcome] = await Promise.all([
        journal.accept(task),
        journal.commit(
          commitOn(
            { id: task.id, epoch: 0, version: 0 },
            { claim: { hostId }, events: NOTED, release, state: release ? 'completed' : 'running' },
          ),
        ),
      ])
      await lost
      assert.equal(answer.created, true)
      assert.ok(outcome.applied)
      assert.deepEqual([outcome.epoch, outcome.version, outcome.lastEvent], [1, 1, 2])
      assert.deepEqual(await eventTypes(journal, task.id), ['task.accepted', 'task.retried'])
    }
  })

  test('a lane whose row was forgotten keeps its answers again from then on', async (t) => {
    const { journal, proxy, hostId } = await through(t)
    const task = await owned(journal, hostId)
    await (await connected(t)).query('DELETE FROM lanes')
    // In company: the function's answers are the ones that are kept.
    const noted = async (version: number) => {
      const commit = apply(journal, commitOn({ ...task, version }, { events: NOTED }))
      return (await Promise.all([commit, journal.accept(makeTask())]))[0]
    }
    const first = await noted(task.version)
    const second = await noted(first.version)
    const lost = proxy.loseNextAnswer()
    const third = await noted(second.version)
    await lost
    assert.deepEqual([first.version, second.version, third.version], [2, 3, 4])
    assert.equal((await loaded(journal, task.id)).task.lastEvent, 5)
  })

  test('asked again, a version is recognised by what stands in it, and another commit is refused', async (t) => {
    const { journal, hostId } = await through(t)
    const client = await connected(t)
    const task = await owned(journal, hostId)
    const steps = { s: { ok: true, value: 1 } } as const
    const { lastEvent } = await apply(journal, commitOn(task, { events: NOTED, steps }))
    const again = async (flush: number, events: string, outcomes: string | null) => {
      const { id, epoch, version } = task
      const records = JSON.stringify([{ n: 0, id, epoch, version, count: 1, events, outcomes }])
      const { rows } = await client.query(
        `SELECT apply_3($1, $2, true, NULL, NULL, NULL, NULL, NULL, 0, NULL, 0, $3, 1, NULL, NULL, NULL, NULL, NULL) AS answer`,
        ['asks-again', flush, records],
      )
      const { commits, refused } = JSON.parse(rows[0].answer)
      return { commits, refused }
    }
    const [events, outcomes] = [JSON.stringify(NOTED), JSON.stringify(steps)]
    const known = { commits: [0, task.epoch, task.version + 1, lastEvent, 0, 0], refused: null }
    assert.deepEqual(await again(1, events, outcomes), known)
    const refused = { commits: [], refused: [[0, 'epoch']] }
    assert.deepEqual(await again(2, '[{"type":"task.reopened"}]', outcomes), refused)
    assert.deepEqual(await again(3, events, '{"s":{"ok":true,"value":2}}'), refused)
    assert.deepEqual(await again(4, events, null), refused)
    assert.equal((await eventTypes(journal, task.id)).length, lastEvent)
  })
})
