// A database of an earlier version, and hosts of that version beside newer ones.
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import type { StepOutcome } from '../../src/journal/journal.ts'
import { openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { apply, basisOf, commitOn, eventTypes, leased, loaded, owned } from './contract/make.ts'

/** What hosts of earlier versions call. */
const FORMER = ['apply_2', 'apply_3', 'find_orphans_1', 'find_orphans_4']

describe('An upgrade of the journal on Postgres', { skip: missing('postgres') }, () => {
  let server: TestServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())

  async function open(t: TestContext, schema: string) {
    const journal = await openPostgresJournal({ url: server.url, schema })
    t.after(() => journal.close())
    const client = new pg.Client({ connectionString: server.url, options: `-c search_path=${schema}` })
    await client.connect()
    t.after(() => client.end())
    return { journal, client }
  }

  /** What the third version changed and the later ones added, undone. */
  async function backToTheSecond(client: pg.Client): Promise<void> {
    const { rows } = await client.query(
      "SELECT oid::regprocedure AS name FROM pg_proc WHERE proname ~ '_[4-9]$' AND pronamespace = current_schema()::regnamespace",
    )
    for (const { name } of rows) await client.query(`DROP FUNCTION ${name} CASCADE`)
    await client.query(`
      DROP TABLE labels, erased;
      ALTER TABLE log DROP COLUMN outcomes;
      ALTER TABLE tasks DROP COLUMN plain, DROP COLUMN first_events;
      ALTER TABLE outcomes DROP COLUMN number;
      ALTER TABLE outcomes RENAME TO steps;
      CREATE INDEX tasks_by_age ON tasks USING brin (created_at);
      ${FORMER.map((name) => `CREATE FUNCTION ${name}() RETURNS text LANGUAGE sql AS 'SELECT NULL';`).join('')}
      DELETE FROM migrations WHERE number > 2;
    `)
  }

  test('outcomes that the second version recorded are there after the upgrade, and go when their task completes', async (t) => {
    const { journal, client } = await open(t, 'second_version')
    const { hostId } = await leased(journal)
    const task = await owned(journal, hostId)
    await backToTheSecond(client)
    await client.query('INSERT INTO steps (task, step, outcome) VALUES ($1, $2, $3)', [
      task.id,
      'before',
      '{"ok":true,"value":"\\u0000 é"}',
    ])
    await client.query("INSERT INTO timers (task, id, due_at) VALUES ($1, 'late', 9e15)", [task.id])
    const { journal: newer } = await open(t, 'second_version')
    const after: StepOutcome = { ok: true, value: 2 }
    const steps = { before: after, after }
    const noted = await apply(
      newer,
      commitOn(task, { steps, events: [{ type: 'step.completed', step: 'after', ms: 1 }] }),
    )
    assert.deepEqual((await loaded(newer, task.id)).steps, { before: { ok: true, value: '\u0000 é' }, after })
    await apply(newer, commitOn({ ...task, ...basisOf(noted) }, { state: 'completed', release: true }))
    assert.deepEqual((await loaded(newer, task.id)).steps, {})
    for (const table of ['outcomes', 'timers']) {
      assert.equal((await client.query(`SELECT 1 FROM ${table} WHERE task = $1`, [task.id])).rowCount, 0, table)
    }
    assert.deepEqual(await eventTypes(newer, task.id), ['task.accepted', 'task.started', 'step.completed'])
  })

  test('a host of an earlier version fails instead of working on what it would take for the whole of a task', async (t) => {
    const { client } = await open(t, 'earlier_host')
    await backToTheSecond(client)
    await open(t, 'earlier_host')
    await assert.rejects(client.query("SELECT outcome FROM steps WHERE task = 't'"), { code: '42P01' })
    for (const name of FORMER) await assert.rejects(client.query(`SELECT ${name}()`), { code: '42883' })
  })
})
