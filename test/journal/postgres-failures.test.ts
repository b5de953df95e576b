// What can happen between a host and Postgres: a lost answer, a restart, an outage, other hosts.
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import { newId } from '../../src/contract/ids.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { openPostgresJournal, type PostgresOptions } from '../../src/journal/postgres/index.ts'
import { eventually } from '../support/eventually.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { proxied } from '../support/tcp-proxy.ts'
import {
  accepted,
  apply,
  asleep,
  commitOn,
  eventTypes,
  leased,
  loaded,
  mailOf,
  makeTask,
  newTenant,
  owned,
  signal,
} from './contract/make.ts'

describe('Postgres far away', { skip: missing('postgres') }, () => {
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

  async function ask(sql: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: server.url, options: '-c search_path=troupe' })
    await client.connect()
    const { rows } = await client.query(sql)
    await client.end()
    return rows
  }

  async function through(t: TestContext) {
    const { proxy, url } = await proxied(t, server.url)
    const journal = await open(t, { url, lanes: 1 })
    // The connection is made, so the next answer on it is the answer to the next commit.
    await accepted(journal)
    return { journal, proxy }
  }

  test('a commit whose answer was lost is looked up, not repeated: it is applied once and its outcome is told', async (t) => {
    const { journal, proxy } = await through(t)
    const receiver = await asleep(journal)
    const task = await accepted(journal)
    const lost = proxy.loseNextAnswer()
    const commit = commitOn(task, {
      claim: await leased(journal),
      events: [{ type: 'task.started', host: 'h' }],
      messages: [signal(receiver.id, 'once')],
      children: [makeTask({ parent: { taskId: task.id, stepId: 's' } })],
    })
    const outcome = await apply(journal, commit)
    await lost
    assert.deepEqual([outcome.epoch, outcome.version, outcome.lastEvent], [1, 1, 2])
    assert.deepEqual(
      outcome.woken.map(({ taskId }) => taskId),
      [receiver.id],
    )
    assert.deepEqual(await eventTypes(journal, task.id), ['task.accepted', 'task.started'])
    assert.equal((await mailOf(journal, receiver.id)).length, 1)
  })

  test('an accept whose answer was lost still says that it created the task', async (t) => {
    const { journal, proxy } = await through(t)
    const lost = proxy.loseNextAnswer()
    const { created } = await journal.accept(makeTask({ idempotencyKey: newId('key') }))
    await lost
    assert.equal(created, true)
  })

  test('a read whose answer was lost is asked again', async (t) => {
    const { journal, proxy } = await through(t)
    const task = await accepted(journal)
    const lost = proxy.loseNextAnswer()
    assert.equal((await journal.get(task.id))?.id, task.id)
    await lost
  })

  test('hosts that start at the same time migrate once', async (t) => {
    const schema = `s${newId('key').slice(4, 14)}`
    const journals = await Promise.all([1, 2, 3].map(() => open(t, { schema })))
    const { id } = await accepted(journals[0]!)
    assert.equal((await journals[2]!.get(id))?.id, id)
  })

  test('a schema of a newer Troupe is refused as journal_newer', async () => {
    const schema = `s${newId('key').slice(4, 14)}`
    await (await openPostgresJournal({ url: server.url, schema })).close()
    await ask(`INSERT INTO ${schema}.migrations (number) VALUES (999)`)
    await assert.rejects(openPostgresJournal({ url: server.url, schema }), { code: 'journal_newer' })
  })

  test('a schema name that is not one is refused as configuration_invalid', async () => {
    await assert.rejects(openPostgresJournal({ url: server.url, schema: 'a; DROP' }), { code: 'configuration_invalid' })
  })

  test('an address or a database that cannot be right is refused as configuration_invalid, at once', async () => {
    const nowhere = new URL(server.url)
    nowhere.pathname = '/no_such_database'
    for (const url of ['localhost:5432', 'http://localhost', nowhere.href]) {
      await assert.rejects(openPostgresJournal({ url }), { code: 'configuration_invalid' })
    }
  })

  test('hosts that race for the same tasks: each task is claimed once, each message applied once', async (t) => {
    const journals = await Promise.all([1, 2, 3].map(() => open(t)))
    const tasks = await Promise.all(Array.from({ length: 100 }, () => accepted(journals[0]!)))
    const claims = await Promise.all(journals.map((journal) => leased(journal)))
    const outcomes = await Promise.all(
      journals.flatMap((journal, host) =>
        tasks.map((task, index) =>
          journal.commit(
            commitOn(task, {
              claim: claims[host]!,
              messages: [signal(tasks[(index * 7 + 1) % tasks.length]!.id, 'hi', `from-${task.id}`)],
            }),
          ),
        ),
      ),
    )
    assert.equal(outcomes.filter(({ applied }) => applied).length, tasks.length)
    for (const { id } of tasks) {
      const { mail, task } = await loaded(journals[1]!, id)
      assert.equal(mail.length, 1)
      assert.deepEqual([task.epoch, task.version, task.mailPosition], [1, 1, 1])
    }
  })

  test('an idempotency key that hosts use at the same time makes one task', async (t) => {
    const journals = await Promise.all([1, 2, 3].map(() => open(t)))
    for (let round = 0; round < 20; round++) {
      const key = { tenant: newTenant(), idempotencyKey: 'k', requestHash: 'h' }
      const answers = await Promise.all(journals.map((journal) => journal.accept(makeTask(key))))
      assert.equal(answers.filter(({ created }) => created).length, 1)
      assert.equal(new Set(answers.map(({ task }) => task.id)).size, 1)
    }
  })

  test('no verb of the hot path reads rows that it does not touch, though its plan was made on empty tables', async (t) => {
    const schema = `s${newId('key').slice(4, 14)}`
    const journal = await openPostgresJournal({ url: server.url, schema })
    const receiver = await asleep(journal)
    const rounds = 300
    for (let round = 0; round < rounds; round++) {
      const task = await owned(journal, 'h')
      const recorded = await apply(journal, commitOn(task, { steps: { r: { ok: true, value: 0 } } }))
      await apply(
        journal,
        commitOn(
          { ...task, version: recorded.version },
          {
            steps: { s: { ok: true, value: 1 } },
            timersSet: [{ id: 't', inMs: 3_600_000 }],
            messages: [signal(receiver.id, 'hi')],
          },
        ),
      )
    }
    await journal.close()
    let row: Record<string, unknown> | undefined
    // Each connection writes what it counted when it ends, a moment after it was closed.
    await eventually('the connections have told what they read', async () => {
      const open = await ask("SELECT 1 FROM pg_stat_activity WHERE application_name = 'troupe'")
      ;[row] = await ask(
        `SELECT sum(seq_tup_read + idx_tup_fetch) AS read FROM pg_stat_user_tables WHERE schemaname = '${schema}'`,
      )
      return open.length === 0
    })
    assert.ok(Number(row!.read) > rounds, `${row!.read}: nothing was counted`)
    assert.ok(Number(row!.read) < rounds * 25, `${row!.read} rows were read in ${rounds} rounds`)
    t.diagnostic(`${Number(row!.read) / rounds} rows read per round of accept, claim, commit`)
  })

  test('killing Postgres under load loses nothing that was promised, and the calls under way go through', async (t) => {
    if (server.pid === undefined) return t.skip('the server is not ours to restart')
    const journal = await open(t, { patienceMs: 20_000 })
    const promised: string[] = []
    let running = true
    const work = async () => {
      while (running) {
        const task = await owned(journal, 'h')
        const outcome = await apply(journal, commitOn(task, { state: 'completed', release: true, output: task.id }))
        assert.equal(outcome.version, 2)
        promised.push(task.id)
      }
    }
    const workers = Promise.all(Array.from({ length: 16 }, work))
    await server.restart('kill')
    const seen = promised.length
    while (promised.length < seen + 100) await journal.now()
    running = false
    await workers
    for (const id of promised) {
      const { task } = await loaded(journal, id)
      assert.deepEqual([task.state, task.output, task.version], ['completed', id, 2])
    }
  })

  test('while Postgres is down every call fails as journal_unavailable in bounded time, and works again after', async (t) => {
    if (server.pid === undefined) return t.skip('the server is not ours to stop')
    const journal = await open(t, { patienceMs: 300 })
    const task = await owned(journal, 'h')
    await server.down()
    const began = performance.now()
    for (const call of [
      () => accepted(journal),
      () => journal.commit(commitOn(task)),
      () => journal.get(task.id),
      () => journal.keepLease({ hostId: 'h', info: {}, leaseMs: 3_000 }),
      () => journal.now(),
    ]) {
      await assert.rejects(call, { code: 'journal_unavailable' })
    }
    assert.ok(performance.now() - began < 5 * 1_500)
    await server.restart()
    await apply(journal, commitOn(task))
  })

  test('a Postgres that hangs is noticed: a lease within its own time, a commit within patience; what hung is not done twice', async (t) => {
    const { pid } = server
    if (pid === undefined) return t.skip('the server is not ours to stop')
    const journal = await open(t, { patienceMs: 1_000, lanes: 1 })
    const lease = { hostId: newId('host'), info: {}, leaseMs: 900 }
    await journal.keepLease(lease)
    const task = await owned(journal, lease.hostId)
    const [{ pids }] = (await ask(
      `SELECT json_agg(pid) AS pids FROM pg_stat_activity WHERE application_name = 'troupe'`,
    )) as [{ pids: number[] }]
    for (const process_ of [pid, ...pids]) process.kill(process_, 'SIGSTOP')
    const began = performance.now()
    await assert.rejects(journal.keepLease(lease), { code: 'journal_unavailable' })
    assert.ok(performance.now() - began < lease.leaseMs, 'in time for the host to stop its actors')
    const hung = journal.commit(commitOn(task, { events: [{ type: 'task.retried' }] }))
    await assert.rejects(hung, { code: 'journal_unavailable' })
    for (const process_ of [pid, ...pids]) process.kill(process_, 'SIGCONT')
    // The hung commit may have been applied after all; asked for again it is refused then, and never done twice.
    await journal.commit(commitOn(task, { events: [{ type: 'task.retried' }] }))
    assert.deepEqual(await eventTypes(journal, task.id), ['task.accepted', 'task.started', 'task.retried'])
  })

  test('a flood while Postgres is down is refused as overloaded, not kept in memory', async (t) => {
    if (server.pid === undefined) return t.skip('the server is not ours to stop')
    const journal = await open(t, { patienceMs: 300, lanes: 1 })
    await server.down()
    const calls = Array.from({ length: 21_000 }, () => journal.accept(makeTask()))
    const codes = new Set<string>()
    for (const result of await Promise.allSettled(calls)) {
      if (result.status === 'rejected') codes.add(result.reason.code)
    }
    assert.deepEqual([...codes].sort(), ['journal_unavailable', 'overloaded'])
    await server.restart()
    await accepted(journal)
  })
})
