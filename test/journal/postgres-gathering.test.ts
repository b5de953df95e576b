// How commits share transactions on Postgres: what leaves together, what waits, and what never overtakes.
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import type { Journal } from '../../src/journal/journal.ts'
import { openPostgresJournal, type PostgresOptions } from '../../src/journal/postgres/index.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { proxied } from '../support/tcp-proxy.ts'
import { accepted, apply, asleep, commitOn, leased, loaded, makeTask, owned, signal } from './contract/make.ts'

describe('Gathering commits for Postgres', { skip: missing('postgres') }, () => {
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

  async function through(t: TestContext) {
    const { proxy, url } = await proxied(t, server.url)
    return { journal: await open(t, { url }), proxy }
  }

  async function connected(t: TestContext): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: server.url, options: '-c search_path=troupe' })
    await client.connect()
    t.after(() => client.end())
    return client
  }

  const numbers = (to: string, count: number) =>
    Array.from({ length: count }, (_, index) => signal(to, `${index}`, `m${index}`))

  async function order(journal: Journal, taskId: string): Promise<number[]> {
    return (await loaded(journal, taskId)).mail.map(({ id }) => Number(id.slice(1)))
  }

  test('messages that nobody waited for reach a mailbox in the order they were sent, among hundreds of other calls', async (t) => {
    const journal = await open(t)
    const receivers = await Promise.all([1, 2, 3].map(() => asleep(journal)))
    const sent = numbers('', 200).flatMap((message) => receivers.map(({ id }) => ({ ...message, to: id })))
    await Promise.all(sent.map((message) => Promise.all([journal.deliver(message), journal.accept(makeTask())])))
    for (const { id } of receivers) {
      assert.deepEqual(
        await order(journal, id),
        Array.from({ length: 200 }, (_, index) => index),
      )
    }
  })

  test('and they do when answers are lost on the way', async (t) => {
    const { journal, proxy } = await through(t)
    const receiver = await asleep(journal)
    for (let start = 0; start < 90; start += 30) {
      const lost = proxy.loseNextAnswer()
      const sent = numbers(receiver.id, start + 30).slice(start)
      const others = Array.from({ length: 60 }, () => journal.accept(makeTask()))
      const deliveries = await Promise.all(sent.map((message) => journal.deliver(message)))
      await Promise.all([...others, lost])
      assert.ok(deliveries.every((delivery) => delivery.delivered && !delivery.duplicate))
    }
    assert.deepEqual(
      await order(journal, receiver.id),
      Array.from({ length: 90 }, (_, index) => index),
    )
  })

  test('a commit that waits for a locked task holds up nothing that leaves after it', async (t) => {
    const journal = await open(t)
    const { hostId } = await leased(journal)
    const stuck = await owned(journal, hostId)
    const client = await connected(t)
    await client.query('BEGIN')
    await client.query('SELECT 1 FROM tasks WHERE id = $1 FOR UPDATE', [stuck.id])
    let waited = true
    const waiting = apply(journal, commitOn(stuck, { state: 'completed', release: true })).finally(() => {
      waited = false
    })
    // The flight has left when Postgres says that somebody waits for a lock.
    const asks = await connected(t)
    for (let looks = 0; ; looks++) {
      assert.ok(looks < 10_000, 'the flight never came to the locked task')
      const { rows } = await asks.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
      if (rows.length > 0) break
    }
    await Promise.all(Array.from({ length: 50 }, () => accepted(journal)))
    assert.equal(waited, true, 'the second flight came back first')
    await client.query('COMMIT')
    await waiting
  })

  test('calls on a task that a flight carries wait for it, and are applied after it', async (t) => {
    const journal = await open(t)
    const { hostId } = await leased(journal)
    const task = await owned(journal, hostId)
    const outcomes = await Promise.all([
      journal.commit(commitOn(task, { events: [{ type: 'task.retried' }] })),
      ...Array.from({ length: 40 }, () => journal.accept(makeTask())),
      journal.commit(commitOn({ ...task, lastEvent: task.lastEvent + 1 }, { state: 'completed', release: true })),
    ])
    assert.equal(outcomes.filter((outcome) => 'applied' in outcome && outcome.applied).length, 2)
    assert.equal((await loaded(journal, task.id)).task.state, 'completed')
  })

  test('closing writes what was queued, in however many flights', async (t) => {
    const journal = await openPostgresJournal({ url: server.url })
    const tasks = Array.from({ length: 600 }, () => makeTask())
    const answers = tasks.map((task) => journal.accept(task))
    // The calls above reach the queue within this turn.
    await new Promise(setImmediate)
    await journal.close()
    await Promise.all(answers)
    const again = await open(t)
    for (const { id } of tasks) assert.equal((await again.get(id))?.id, id)
  })
})
