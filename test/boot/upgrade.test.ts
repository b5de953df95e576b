// A host under which a newer Troupe migrates the database, in a way that its own version would misread: what it calls is gone.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { newId } from '../../src/contract/ids.ts'
import { openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { ownerOf } from '../support/owner.ts'
import { missing, startNats, startPostgres, type TestServer } from '../support/servers.ts'
import { lives, ROOT, runTroupe, temporaryFolder } from './installation.ts'

describe('A host that is not of the newest version', { skip: missing('postgres') || missing('nats') }, () => {
  let postgres: TestServer
  let nats: TestServer
  before(async () => {
    ;[postgres, nats] = await Promise.all([startPostgres(), startNats()])
  })
  after(() => Promise.all([postgres?.stop(), nats?.stop()]))

  test('lets go of its tasks when the database is migrated under it, ends, and is refused when it is started again', {
    timeout: 120_000,
  }, async (t) => {
    const journal = await openPostgresJournal({ url: postgres.url })
    t.after(() => journal.close())
    const client = new pg.Client({ connectionString: postgres.url, options: '-c search_path=troupe' })
    await client.connect()
    t.after(() => client.end())
    const { rows } = await client.query<{ name: string }>(
      "SELECT proname AS name FROM pg_proc WHERE pronamespace = 'troupe'::regnamespace AND proname ~ '^(apply|find_orphans)_'",
    )
    assert.equal(rows.length, 2)
    const id = newId('task')
    await journal.accept({
      id,
      tenant: 'test',
      agent: 'chaos-ledger',
      agentVersion: '1.0.0',
      input: { ms: 600_000 },
      priority: 'normal',
      depth: 0,
    })
    const env = {
      TROUPE_DATA: temporaryFolder(),
      TROUPE_AGENTS: join(ROOT, 'test', 'chaos', 'agents'),
      TROUPE_POSTGRES_URL: postgres.url,
      TROUPE_NATS_URL: nats.url,
    }
    const running = runTroupe(['run', 'host'], { env })
    const { hostId, info } = await ownerOf(journal, id)
    t.after(() => lives(info.pid) && process.kill(info.pid, 'SIGKILL'))

    for (const { name } of rows) await client.query(`ALTER FUNCTION ${name} RENAME TO newer_${name}`)
    await client.query('INSERT INTO migrations (number) VALUES (1000)')
    const { code, err } = await running
    assert.equal(code, 1)
    assert.match(err, /^journal_newer: .* another Troupe has migrated the database/m)
    const again = await runTroupe(['run', 'host'], { env })
    assert.equal(again.code, 1)
    assert.match(again.err, /^journal_newer: .* version 1000/m)

    // What the newer version would find: a lease that has ended, and the task that was under it.
    for (const { name } of rows) await client.query(`ALTER FUNCTION newer_${name} RENAME TO ${name}`)
    assert.equal((await journal.hosts()).find((host) => host.hostId === hostId)?.alive, false)
    const found = await journal.findOrphans({ unclaimedMs: 0, limit: 10 })
    assert.deepEqual(
      found.map(({ taskId, owner }) => [taskId, owner]),
      [[id, undefined]],
    )
  })
})
