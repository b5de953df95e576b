// Where Postgres keeps what belongs to a task, looked up in its tables: that nothing is left behind, and a copy is whole.
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import { newId } from '../../src/contract/ids.ts'
import type { ActorCommit, Journal } from '../../src/journal/journal.ts'
import { copyIn, copyOut, type TableCopy } from '../../src/journal/postgres/copy.ts'
import { openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { accepted, apply, basisOf, commitOn, eventTypes, failed, leased, loaded, owned } from './contract/make.ts'

const SMALL = { ok: true, value: 1 } as const
const LARGE = { ok: true, value: 'x'.repeat(2_000) } as const
const IN_BLOB = { ok: true, value: 'x'.repeat(100_000) } as const
const NOTED: ActorCommit['events'] = [{ type: 'step.completed', step: 's', ms: 1 }]
const BELONGINGS = ['log', 'outcomes', 'mail', 'timers', 'value_references']

describe('What belongs to a task on Postgres', { skip: missing('postgres') }, () => {
  let server: TestServer
  let other: TestServer
  before(async () => {
    ;[server, other] = await Promise.all([startPostgres(), startPostgres()])
  })
  after(() => Promise.all([server.stop(), other.stop()]))

  async function open(t: TestContext, url = server.url): Promise<{ journal: Journal; client: pg.Client }> {
    const journal = await openPostgresJournal({ url })
    t.after(() => journal.close())
    const client = new pg.Client({ connectionString: url, options: '-c search_path=troupe' })
    await client.connect()
    t.after(() => client.end())
    return { journal, client }
  }

  async function rowsOf(client: pg.Client, taskId: string): Promise<Record<string, number>> {
    const found: Record<string, number> = {}
    for (const table of BELONGINGS) {
      const { rows } = await client.query(`SELECT count(*)::integer AS rows FROM ${table} WHERE task = $1`, [taskId])
      if (rows[0].rows > 0) found[table] = rows[0].rows
    }
    return found
  }

  /** With everything a task may have. */
  async function rich(journal: Journal) {
    const task = await owned(journal, newId('host'))
    const changes: Partial<ActorCommit>[] = [
      { steps: { small: SMALL }, events: NOTED },
      { steps: { large: LARGE }, events: NOTED },
      { steps: { unlogged: SMALL } },
      { steps: { blob: IN_BLOB }, events: NOTED, timersSet: [{ id: 't', inMs: 600_000 }] },
    ]
    for (const change of changes) Object.assign(task, basisOf(await apply(journal, commitOn(task, change))))
    return task
  }

  for (const company of [false, true]) {
    const name = company ? 'among others' : 'alone'
    const together = async <T>(journal: Journal, call: () => Promise<T>): Promise<T> => {
      const others = company ? [accepted(journal), accepted(journal)] : []
      const [answer] = await Promise.all([call(), ...others])
      return answer
    }

    test(`an outcome that its log row holds has no row of its own (${name})`, async (t) => {
      const { journal, client } = await open(t)
      const task = await owned(journal, newId('host'))
      await together(journal, () => apply(journal, commitOn(task, { steps: { small: SMALL }, events: NOTED })))
      assert.deepEqual(await rowsOf(client, task.id), { log: 2 })
      assert.deepEqual((await loaded(journal, task.id)).steps, { small: SMALL })
    })

    test(`a task that completes leaves its log and nothing else (${name})`, async (t) => {
      const { journal, client } = await open(t)
      const task = await rich(journal)
      assert.deepEqual(await rowsOf(client, task.id), { log: 4, outcomes: 2, timers: 1, value_references: 1 })
      assert.deepEqual(Object.keys((await loaded(journal, task.id)).steps).sort(), [
        'blob',
        'large',
        'small',
        'unlogged',
      ])
      const end = commitOn(task, { state: 'completed', release: true, events: [{ type: 'task.completed' }] })
      await together(journal, () => apply(journal, end))
      assert.deepEqual(await rowsOf(client, task.id), { log: 5 })
    })
  }

  test('a task that is purged leaves nothing', async (t) => {
    const { journal, client } = await open(t)
    const task = await rich(journal)
    await failed(journal, task)
    assert.equal((await rowsOf(client, task.id)).outcomes, 2)
    const before = (await journal.now()) + 1
    while ((await journal.purge(before, 500)) > 0);
    assert.deepEqual(await rowsOf(client, task.id), {})
    assert.equal(await journal.get(task.id), undefined)
  })

  test('what a late owner adds to the log of a task that was erased is purged', async (t) => {
    const { journal, client } = await open(t)
    const task = await rich(journal)
    await failed(journal, task)
    assert.equal((await journal.erase(task.tenant, [task.id])).erased, 1)
    assert.deepEqual(await rowsOf(client, task.id), {})
    await client.query("INSERT INTO troupe.log (task, first_number, at, bodies) VALUES ($1, 99, 0, '[]')", [task.id])
    await journal.purge(0, 1)
    assert.deepEqual(await rowsOf(client, task.id), {})
    const { rows } = await client.query('SELECT 1 FROM troupe.erased WHERE task = $1', [task.id])
    assert.equal(rows.length, 1, 'kept for the sums')
    await journal.purge((await journal.now()) + 1, 1)
    assert.equal((await client.query('SELECT 1 FROM troupe.erased WHERE task = $1', [task.id])).rowCount, 0)
  })

  test('a copy of the tables holds every outcome and every event', async (t) => {
    const { journal } = await open(t)
    const task = await rich(journal)
    const { hostId } = await leased(journal)
    const early = await begunAtOnce(journal, hostId)
    const tables: (TableCopy & { lines: string[] })[] = []
    const skipped = ['troupe.lanes', 'troupe.migrations']
    await copyOut(server.url, { schemas: ['troupe'], skipped }, async (table, lines) => {
      const kept: string[] = []
      for await (const line of lines) kept.push(line)
      tables.push({ ...table, lines: kept })
    })
    const { journal: restored } = await open(t, other.url)
    await copyIn(other.url, tables, async function* ({ lines }) {
      yield* lines
    })
    assert.deepEqual(await loaded(restored, task.id), await loaded(journal, task.id))
    assert.deepEqual(await eventTypes(restored, early.id), ['task.accepted', 'task.started'])
  })
})

async function begunAtOnce(journal: Journal, hostId: string): Promise<{ id: string }> {
  const id = newId('task')
  const task = {
    tenant: 'acme',
    agent: 'greeter',
    agentVersion: '1.0.0',
    input: {},
    priority: 'normal',
    depth: 0,
  } as const
  const begin = commitOn(
    { id, epoch: 0, version: 0, lastEvent: 1 },
    { claim: { hostId }, events: [{ type: 'task.started', host: hostId }] },
  )
  await Promise.all([journal.accept({ id, ...task }), apply(journal, begin)])
  return { id }
}
