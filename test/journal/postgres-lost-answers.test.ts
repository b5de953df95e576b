// A flight whose answer was lost: the database is asked again under the same number, and everything happened once.
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import type { EventBody } from '../../src/contract/events.ts'
import type { ActorCommit, Journal, TaskRow } from '../../src/journal/journal.ts'
import { openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { proxied, type TcpProxy } from '../support/tcp-proxy.ts'
import {
  type Applied,
  accepted,
  apply,
  basisOf,
  commitOn,
  eventTypes,
  leased,
  loaded,
  makeTask,
  owned,
} from './contract/make.ts'

const NOTED: EventBody[] = [{ type: 'task.retried' }]

/** What a commit may be, one of each way into the database. */
const COMMITS: Record<string, { change: Partial<ActorCommit>; company: boolean; alone?: true }> = {
  'an entry of the log alone': { change: { steps: { s: { ok: true, value: 1 } } }, company: false, alone: true },
  'an entry of who knows its mail': {
    change: { steps: { s: { ok: true, value: 1 } }, mailKnown: 0 },
    company: false,
    alone: true,
  },
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
  'an entry among others': { change: { steps: { s: { ok: true, value: 1 } } }, company: true, alone: true },
  'a record among others': { change: { snapshot: { n: 1 } }, company: true },
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

  async function onceOnly(journal: Journal, outcome: Applied, before: TaskRow, change: Partial<ActorCommit>) {
    const { task, steps } = await loaded(journal, before.id)
    assert.deepEqual(
      [task.epoch, task.version, task.lastEvent, task.state],
      [before.epoch, outcome.version, outcome.lastEvent, change.state ?? 'running'],
    )
    if (task.state === 'running') assert.deepEqual(steps, change.steps ?? {})
    assert.equal((await eventTypes(journal, before.id)).length, task.lastEvent)
  }

  for (const [name, { change, company, alone }] of Object.entries(COMMITS)) {
    const grown = alone ? 0 : 1

    test(`${name}: lost once, it is found, and its caller hears what became of it`, async (t) => {
      const { journal, proxy, hostId } = await through(t)
      const task = await owned(journal, hostId)
      const lost = proxy.loseNextAnswer()
      const others = company ? Array.from({ length: 5 }, () => journal.accept(makeTask())) : []
      const outcome = await apply(journal, commitOn(task, { ...change, events: NOTED }))
      await Promise.all([...others, lost])
      assert.deepEqual([outcome.version, outcome.lastEvent], [task.version + grown, task.lastEvent + 1])
      await onceOnly(journal, outcome, task, change)
    })

    test(`${name}: asked for again while the first is still at work, it happens once`, async (t) => {
      const { journal, proxy, hostId } = await through(t)
      const task = await owned(journal, hostId)
      const [holds, looks] = [await connected(t), await connected(t)]
      await holds.query('BEGIN')
      // An entry waits for nothing but its number.
      if (alone) await holds.query("INSERT INTO log VALUES ($1, $2, 0, '[]')", [task.id, task.lastEvent + 1])
      else await holds.query('SELECT 1 FROM tasks WHERE id = $1 FOR UPDATE', [task.id])
      const others = company ? Array.from({ length: 5 }, () => journal.accept(makeTask())) : []
      const committing = apply(journal, commitOn(task, { ...change, events: NOTED }))
      await lockWaits(looks, 1)
      // The connection is cut; Postgres does not notice while it waits for the row.
      proxy.partition()
      proxy.heal()
      await lockWaits(looks, 2)
      await holds.query('ROLLBACK')
      const outcome = await committing
      await Promise.all(others)
      assert.deepEqual([outcome.version, outcome.lastEvent], [task.version + grown, task.lastEvent + 1])
      await onceOnly(journal, outcome, task, change)
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
            { id: task.id, epoch: 0, version: 0, lastEvent: 1 },
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
    const noted = async (n: number) => {
      const commit = apply(journal, commitOn(task, { events: NOTED, snapshot: { n } }))
      const [outcome] = await Promise.all([commit, journal.accept(makeTask())])
      Object.assign(task, basisOf(outcome))
      return outcome.version
    }
    const versions = [await noted(1), await noted(2)]
    const lost = proxy.loseNextAnswer()
    versions.push(await noted(3))
    await lost
    assert.deepEqual(versions, [2, 3, 4])
    assert.equal((await loaded(journal, task.id)).task.lastEvent, 5)
  })

  test('asked again, a number is recognised by what stands under it, and another commit is refused', async (t) => {
    const { journal, hostId } = await through(t)
    const client = await connected(t)
    const task = await owned(journal, hostId)
    const steps = { s: { ok: true, value: 1 } } as const
    const { lastEvent } = await apply(journal, commitOn(task, { events: NOTED, steps }))
    const again = async (flush: number, events: string, outcomes: string | null) => {
      const { id, epoch, version, lastEvent: last_event } = task
      const entries = JSON.stringify([{ n: 0, id, epoch, version, last_event, count: 1, events, outcomes }])
      const { rows } = await client.query(
        `SELECT apply_6(lane_id => 'asks-again', flush_number => $1, again => true, in_doubt => true, touched => NULL, claimants => NULL,
          holders => NULL, keys => NULL, news => NULL, news_count => 0, turns => NULL, turn_count => 0, records => NULL,
          record_count => 0, entries => $2, entry_count => 1, children => NULL, letters => NULL, apart => NULL,
          alarms => NULL, named => NULL, labelled => NULL) AS answer`,
        [flush, entries],
      )
      const { commits, refused } = JSON.parse(rows[0].answer)
      return { commits, refused }
    }
    const [events, outcomes] = [JSON.stringify(NOTED), JSON.stringify(steps)]
    const known = { commits: [0, task.epoch, task.version, lastEvent, 0, 0], refused: null }
    assert.deepEqual(await again(1, events, outcomes), known)
    const refused = { commits: [], refused: [[0, 'epoch']] }
    assert.deepEqual(await again(2, '[{"type":"task.reopened"}]', outcomes), refused)
    assert.deepEqual(await again(3, events, '{"s":{"ok":true,"value":2}}'), refused)
    assert.deepEqual(await again(4, events, null), refused)
    assert.equal((await eventTypes(journal, task.id)).length, lastEvent)
  })
})
