// Hosts of an older version beside newer ones: a rolling upgrade.
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import { openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { accepted, apply, commitOn, eventTypes, leased, loaded, owned } from './contract/make.ts'

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

  test('a schema of the first version is brought up to date with what it holds', async (t) => {
    const { journal, client } = await open(t, 'first_version')
    const task = await accepted(journal)
    // What later versions added, undone.
    await client.query('DROP TABLE labels')
    const { rows } = await client.query(
      "SELECT oid::regprocedure AS name FROM pg_proc WHERE proname ~ '_[2-9]$' AND pronamespace = 'first_version'::regnamespace",
    )
    for (const { name } of rows) await client.query(`DROP FUNCTION ${name} CASCADE`)
    await client.query('DELETE FROM migrations WHERE number > 1')
    const { journal: newer } = await open(t, 'first_version')
    await apply(newer, commitOn(task, { claim: await leased(newer), events: [{ type: 'task.started', host: 'h' }] }))
    assert.deepEqual(await eventTypes(newer, task.id), ['task.accepted', 'task.started'])
    const labelled = await accepted(newer, { labels: { a: 'b' } })
    const { tasks } = await newer.list({ tenant: labelled.tenant, labels: ['a:b'], limit: 5 })
    assert.deepEqual(
      tasks.map(({ id }) => id),
      [labelled.id],
    )
  })

  test('a host of the first version goes on committing beside newer ones, behind the same fences', async (t) => {
    const { journal, client } = await open(t, 'both_versions')
    const { hostId } = await leased(journal)
    const task = await owned(journal, hostId)
    const asTheFirstVersionDid = async (flush: number, version: number) => {
      const commits = JSON.stringify([
        {
          ...{ n: 0, id: task.id, epoch: task.epoch, version, released: false, ended: false, wanted: true },
          ...{ state: 'running', mail_read: 0, count: 1, events: '[{"type":"task.retried"}]', resnap: false },
        },
      ])
      const outcomes = JSON.stringify([{ c: 0, task: task.id, step: `s${flush}`, outcome: '{"ok":true,"value":1}' }])
      const { rows } = await client.query('SELECT apply_1($1, $2, NULL, NULL, $3, NULL, $4, NULL, NULL) AS answer', [
        'old-lane',
        flush,
        commits,
        outcomes,
      ])
      return JSON.parse(rows[0].answer)
    }
    assert.deepEqual((await asTheFirstVersionDid(1, task.version)).commits, [[0, 1, 2, 3, 0, false]])
    const newer = await apply(journal, commitOn({ ...task, version: 2 }, { steps: { s2: { ok: true, value: 2 } } }))
    assert.equal(newer.version, 3)
    const stale = await asTheFirstVersionDid(2, 2)
    assert.deepEqual([stale.commits, stale.refused], [null, [[0, 'epoch']]])
    assert.deepEqual(Object.keys((await loaded(journal, task.id)).steps).sort(), ['s1', 's2'])
  })
})
