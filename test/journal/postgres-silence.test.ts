// A Postgres that says nothing: stopped, behind a network that swallows everything, or with one connection gone deaf.
// Every caller hears of it in bounded time, with a code, and everything works again when Postgres does.
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import { newId } from '../../src/contract/ids.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { openPostgresBlobs, openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { proxied } from '../support/tcp-proxy.ts'
import { accepted, apply, commitOn, eventTypes, leased, loaded, makeTask, owned, signal } from './contract/make.ts'

/** Also the time in which a busy machine answers whatever is asked before and after the silence. */
const PATIENCE_MS = 3_000
/** What a busy machine may add. Without patience TCP would hope on for minutes. */
const GRACE_MS = 7_000

describe('A Postgres that is silent', { skip: missing('postgres') }, () => {
  let server: TestServer
  before(async () => {
    server = await startPostgres()
    // The tables are made by one that has more patience.
    await (await openPostgresJournal({ url: server.url })).close()
  })
  after(() => server.stop())

  async function open(t: TestContext, url = server.url): Promise<Journal> {
    const journal = await openPostgresJournal({ url, patienceMs: PATIENCE_MS })
    t.after(() => journal.close())
    return journal
  }

  async function backends(): Promise<number[]> {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    const { rows } = await client.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'troupe'")
    await client.end()
    return rows.map(({ pid }) => pid)
  }

  /** Calls of every kind, many at once. */
  async function callsOfAllKinds(journal: Journal): Promise<() => Promise<unknown>[]> {
    const { hostId } = await leased(journal)
    const tasks = await Promise.all(Array.from({ length: 30 }, () => owned(journal, hostId)))
    return () => [
      ...tasks.map((task) => journal.commit(commitOn(task, { events: [{ type: 'task.retried' }] }))),
      ...tasks.map(({ id }) => journal.deliver(signal(id, 'hello'))),
      ...tasks.map(({ id }) => journal.load(id)),
      ...tasks.map(() => journal.accept(makeTask())),
      ...tasks.slice(0, 10).map(({ id }) => journal.events(id, 0, 10)),
      journal.list({ limit: 10 }),
      journal.findOrphans({ unclaimedMs: 3_600_000, limit: 10 }),
      journal.fireTimers(10),
      journal.keepLease({ hostId, info: {}, leaseMs: 3_000 }),
      journal.hosts(),
      journal.now(),
    ]
  }

  async function allRefusedInTime(calls: Promise<unknown>[]): Promise<void> {
    const began = performance.now()
    for (const result of await Promise.allSettled(calls)) {
      assert.equal(result.status === 'rejected' && result.reason.code, 'journal_unavailable')
    }
    const ms = performance.now() - began
    assert.ok(ms < PATIENCE_MS + GRACE_MS, `the last call was refused after ${Math.round(ms)} ms`)
  }

  async function worksAgain(journal: Journal, calls: () => Promise<unknown>[]): Promise<void> {
    await accepted(journal)
    await Promise.all(calls())
  }

  test('while it is stopped every call under way is refused in time, also the calls after it; then all works again', async (t) => {
    const { pid } = server
    if (pid === undefined) return t.skip('the server is not ours to stop')
    const journal = await open(t)
    const calls = await callsOfAllKinds(journal)
    const stopped = [pid, ...(await backends())]
    for (const each of stopped) process.kill(each, 'SIGSTOP')
    try {
      await allRefusedInTime(calls())
      await allRefusedInTime(calls())
    } finally {
      for (const each of stopped) process.kill(each, 'SIGCONT')
    }
    await worksAgain(journal, calls)
  })

  test('one connection that went deaf is given up, and the next call takes a new one; what it held is done once or not', async (t) => {
    if (server.pid === undefined) return t.skip('the server is not ours to stop')
    const journal = await open(t)
    const { hostId } = await leased(journal)
    const tasks = await Promise.all(Array.from({ length: 60 }, () => owned(journal, hostId)))
    const deaf = await backends()
    for (const each of deaf) process.kill(each, 'SIGSTOP')
    const change = { events: [{ type: 'task.retried' as const }] }
    try {
      await allRefusedInTime(tasks.map((task) => journal.commit(commitOn(task, change))))
      // The postmaster is awake: new connections work while the old ones are still deaf.
      const fresh = await accepted(journal)
      await apply(journal, commitOn(fresh, { ...change, claim: { hostId } }))
    } finally {
      for (const each of deaf) process.kill(each, 'SIGCONT')
    }
    for (const task of tasks) {
      const again = await journal.commit(commitOn(task, change))
      const { task: row } = await loaded(journal, task.id)
      assert.equal(row.lastEvent, task.lastEvent + 1, again.applied ? 'it had not been done' : 'it had been done')
      assert.equal((await eventTypes(journal, task.id)).length, 3)
    }
  })

  // Each has a network of its own, and they wait together.
  describe('while the server itself serves', { concurrency: true }, () => {
    test('behind a network that swallows everything calls are refused in time, on old connections and on new ones', async (t) => {
      const { proxy, url } = await proxied(t, server.url)
      const journal = await open(t, url)
      const calls = await callsOfAllKinds(journal)
      proxy.partition()
      await allRefusedInTime(calls())
      await allRefusedInTime(calls())
      proxy.heal()
      await worksAgain(journal, calls)
    })

    test('what is stored in pieces does not keep a connection that went silent', async (t) => {
      const { proxy, url } = await proxied(t, server.url)
      const blobs = await openPostgresBlobs({ url, patienceMs: PATIENCE_MS, space: 'documents', pool: 1 })
      t.after(() => blobs.close())
      const { sha256 } = await blobs.put(Buffer.from('before'))
      proxy.partition()
      await allRefusedInTime([blobs.put(Buffer.from('lost')), blobs.read(sha256)])
      proxy.heal()
      assert.equal(Buffer.from((await blobs.read(sha256))!).toString(), 'before')
      await blobs.put(Buffer.from('after'))
    })

    test('a journal is closed in bounded time though nobody answers', async (t) => {
      const { proxy, url } = await proxied(t, server.url)
      const journal = await openPostgresJournal({ url, patienceMs: PATIENCE_MS })
      await accepted(journal)
      proxy.partition()
      const calls = [journal.accept(makeTask()), journal.load(newId('task'))]
      const refused = allRefusedInTime(calls)
      const began = performance.now()
      await journal.close()
      assert.ok(performance.now() - began < 2 * PATIENCE_MS + GRACE_MS)
      await refused
    })

    test('a server without TLS, asked for TLS, is refused with a code and in time', async () => {
      const url = new URL(server.url)
      url.searchParams.set('sslmode', 'verify-full')
      const began = performance.now()
      await assert.rejects(
        openPostgresJournal({ url: url.href, patienceMs: PATIENCE_MS }),
        (error: { code?: string }) => ['journal_unavailable', 'configuration_invalid'].includes(String(error.code)),
      )
      assert.ok(performance.now() - began < PATIENCE_MS + GRACE_MS)
    })
  })
})
