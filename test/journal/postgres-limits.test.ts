// What an administrator does to Postgres, or this process to itself, is no defect: it passes.
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import { newId } from '../../src/contract/ids.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { openPostgresJournal, type PostgresOptions } from '../../src/journal/postgres/index.ts'
import { eventually } from '../support/eventually.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { accepted, makeTask } from './contract/make.ts'

describe('A Postgres under limits', { skip: missing('postgres') }, () => {
  let server: TestServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())

  async function open(t: TestContext, options: Partial<PostgresOptions> = {}): Promise<Journal> {
    const journal = await openPostgresJournal({ url: server.url, ...options })
    t.after(() => journal.close())
    return journal
  }

  /** What an administrator changes for all, until the test ends or changes it back. */
  async function administrator(t: TestContext, parameter: string) {
    const client = new pg.Client({
      connectionString: server.url,
      options: '-c statement_timeout=0 -c search_path=troupe',
    })
    await client.connect()
    const reset = async () => {
      await client.query(`ALTER SYSTEM RESET ${parameter}`)
      await client.query('SELECT pg_reload_conf()')
    }
    t.after(async () => {
      await reset()
      await client.end()
    })
    const set = async (value: string) => {
      await client.query(`ALTER SYSTEM SET ${parameter} = '${value}'`)
      await client.query('SELECT pg_reload_conf()')
    }
    return { client, set, reset }
  }

  const refusal = async (journal: Journal): Promise<string | undefined> => {
    const answer = journal.accept(makeTask()).then(() => undefined)
    return await answer.catch((error: { code?: string }) => error.code)
  }

  test('a Postgres that became a standby is unavailable, no defect, and written to again when it is none', async (t) => {
    const journal = await open(t, { patienceMs: 300, lanes: 1 })
    const admin = await administrator(t, 'default_transaction_read_only')
    await admin.set('on')
    const codes = new Set<string>()
    await eventually('it is refused', async () => {
      const code = await refusal(journal)
      if (code !== undefined) codes.add(code)
      return code !== undefined
    })
    assert.deepEqual([...codes], ['journal_unavailable'])
    await admin.reset()
    await eventually('it is accepted', async () => (await refusal(journal)) === undefined)
  })

  test('a statement that an administrator’s limit stops is asked again, and is unavailable only after patience', async (t) => {
    const journal = await open(t, { patienceMs: 2_000, lanes: 1 })
    await accepted(journal)
    const admin = await administrator(t, 'statement_timeout')
    await admin.set('50ms')
    await admin.client.query('BEGIN')
    await admin.client.query('LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE')
    assert.equal(await refusal(journal), 'journal_unavailable')
    const waiting = refusal(journal)
    await admin.client.query('ROLLBACK')
    assert.equal(await waiting, undefined)
  })

  test('an answer that arrived while the process stood still is an answer, though the time for it is over', async (t) => {
    const patienceMs = 1_000
    const journal = await open(t, { patienceMs, lanes: 1 })
    const lease = { hostId: newId('host'), info: {}, leaseMs: 60_000 }
    await journal.keepLease(lease)
    await accepted(journal)
    for (const ask of [() => accepted(journal), () => journal.keepLease(lease)]) {
      const asked = ask()
      // The statement leaves within this turn; then nothing turns for longer than it may take.
      await new Promise(setImmediate)
      const until = performance.now() + patienceMs + 200
      while (performance.now() < until);
      await asked
    }
  })
})
