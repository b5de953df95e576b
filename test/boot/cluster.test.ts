// `troupe up` as a cluster on one machine: gateway, three hosts and the workers as processes over Postgres and NATS.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { jetstreamManager, RetentionPolicy } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import pg from 'pg'
import { openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { eventually } from '../support/eventually.ts'
import { ownerOf } from '../support/owner.ts'
import { freePort } from '../support/server-process.ts'
import { missing, startNats, startPostgres, type TestServer } from '../support/servers.ts'
import { type Installation, ROOT, runTroupe, startInstallation, temporaryFolder } from './installation.ts'

const skip = missing('postgres') || missing('nats')
const CHAOS_AGENTS = join(ROOT, 'test', 'chaos', 'agents')

interface Node {
  id: string
  state: string
  restarts: number
  facts?: { pid: number; host?: string }
  children?: Node[]
}

describe('troupe up with Postgres and NATS', { skip }, () => {
  let postgres: TestServer
  let nats: TestServer
  let troupe: Installation
  const folder = temporaryFolder()

  before(async () => {
    ;[postgres, nats] = await Promise.all([startPostgres(), startNats()])
    troupe = await startInstallation({
      args: ['--postgres', postgres.url, '--nats', nats.url, '--hosts', '3'],
      env: { TROUPE_AGENTS: CHAOS_AGENTS, CHAOS_FOLDER: folder },
    })
  })
  after(async () => {
    assert.equal(await troupe?.stop(), 0)
    await Promise.all([postgres?.stop(), nats?.stop()])
  })

  const hosts = async (): Promise<Node[]> => {
    const { tree } = (await troupe.call('GET', '/v1/supervision')) as { tree: Node }
    return tree.children!.find(({ id }) => id === 'hosts')!.children!
  }

  async function submit(count: number, ms: number): Promise<string[]> {
    const body = { agent: 'chaos-ledger', input: { ms } }
    return await Promise.all(
      Array.from({ length: count }, async () => (await troupe.call('POST', '/v1/tasks', body)).id),
    )
  }

  async function ended(id: string): Promise<string> {
    let state = ''
    await eventually(`${id} ends`, async () => {
      state = (await troupe.call('GET', `/v1/tasks/${id}`)).state
      return state !== 'queued' && state !== 'running'
    })
    return state
  }

  test('the tree shows workers, hosts and gateway, all running', async () => {
    const { tree } = (await troupe.call('GET', '/v1/supervision')) as { tree: Node }
    assert.deepEqual(
      tree.children!.map(({ id, state }) => [id, state]),
      [
        ['inference', 'running'],
        ['retrieval', 'running'],
        ['hosts', 'running'],
        ['gateway', 'running'],
      ],
    )
    assert.deepEqual(
      (await hosts()).map(({ id, state }) => [id, state]),
      [
        ['host-1', 'running'],
        ['host-2', 'running'],
        ['host-3', 'running'],
      ],
    )
  })

  test('an idle cluster of three hosts asks Postgres for less than 20 transactions a second', async (t) => {
    const client = new pg.Client({ connectionString: postgres.url })
    await client.connect()
    const count = async () => {
      await client.query('SELECT pg_stat_clear_snapshot()')
      const { rows } = await client.query(
        'SELECT xact_commit + xact_rollback AS done FROM pg_stat_database WHERE datname = current_database()',
      )
      return Number(rows[0].done)
    }
    // Postgres counts late: what belongs to the start of the cluster shows in the first windows.
    let perSecond = Number.POSITIVE_INFINITY
    for (let window = 0; window < 4 && perSecond >= 20; window++) {
      const before = await count()
      await new Promise((resolve) => setTimeout(resolve, 4_000))
      perSecond = ((await count()) - before) / 4
    }
    await client.end()
    t.diagnostic(`${perSecond} transactions a second`)
    assert.ok(perSecond < 20, `${perSecond} a second`)
  })

  test('a killed host is followed at once: its tasks go on elsewhere long before its lease would end', async (t) => {
    const journal = await openPostgresJournal({ url: postgres.url })
    t.after(() => journal.close())
    const ids = await submit(30, 2_000)
    // What comes together may all be given to one host: whoever runs the first task is killed.
    const { hostId, info } = await ownerOf(journal, ids[0]!)
    // Stopped first, it cannot renew what is given to it now: a lease that would end in an hour.
    process.kill(info.pid, 'SIGSTOP')
    await journal.keepLease({ hostId, info: { ...info }, leaseMs: 3_600_000 })
    const killedAt = Date.now()
    process.kill(info.pid, 'SIGKILL')
    assert.deepEqual(new Set(await Promise.all(ids.map(ended))), new Set(['completed']))
    const taken: number[] = []
    for (const id of ids) {
      const { events } = await troupe.call('GET', `/v1/tasks/${id}/events`)
      const lost = events.findIndex((event: { type: string }) => event.type === 'task.owner_lost')
      const resumed = events.slice(lost + 1).find((event: { type: string }) => event.type === 'task.resumed')
      if (lost >= 0) taken.push(Date.parse(resumed.at) - killedAt)
    }
    t.diagnostic(`${taken.length} tasks taken over after ${Math.min(...taken)} to ${Math.max(...taken)} ms`)
    assert.ok(taken.length > 0, 'the victim ran something')
    await troupe.saying(new RegExp(`${info.label} serves again`))
  })

  test('all hosts restarted one after another under load: no task fails, nothing is charged', async () => {
    let stopped = false
    const ids: string[] = []
    const load = (async () => {
      while (!stopped) ids.push(...(await submit(5, 50)))
    })()
    for (const id of ['host-1', 'host-2', 'host-3']) {
      const { restarting } = await troupe.call('POST', `/v1/supervision/troupe%2Fhosts%2F${id}/restart`)
      assert.ok(restarting !== undefined)
      await troupe.saying(new RegExp(`hosts/${id} was restarted on order`))
    }
    stopped = true
    await load
    const states = await Promise.all(ids.map(ended))
    assert.deepEqual(new Set(states), new Set(['completed']))
    for (const id of ids) {
      const { events } = await troupe.call('GET', `/v1/tasks/${id}/events`)
      assert.ok(!events.some((event: { type: string }) => ['task.crashed', 'task.owner_lost'].includes(event.type)))
    }
  })
})

describe('a cluster that cannot be is refused at start, in one clear line, within five seconds', { skip }, () => {
  let postgres: TestServer
  let nats: TestServer

  before(async () => {
    ;[postgres, nats] = await Promise.all([startPostgres(), startNats()])
  })
  after(() => Promise.all([postgres?.stop(), nats?.stop()]))

  async function refused(env: Record<string, string>, line: RegExp, secret = 'no secret'): Promise<void> {
    const begun = performance.now()
    const settings = { TROUPE_DATA: temporaryFolder(), TROUPE_AGENTS: CHAOS_AGENTS, ...env }
    const { code, err } = await runTroupe(['run', 'host'], { env: settings })
    assert.notEqual(code, 0)
    assert.match(err, line)
    assert.ok(!err.includes(secret))
    assert.ok(performance.now() - begun < 5_000 + STARTUP_MS, `${Math.round(performance.now() - begun)} ms`)
  }

  test('only one of the two addresses', () =>
    refused({ TROUPE_NATS_URL: 'nats://127.0.0.1:4222' }, /^configuration_invalid: .*TROUPE_POSTGRES_URL/m))

  test('neither', () => refused({}, /^configuration_invalid: A host process belongs to a cluster/m))

  test('no Postgres at the address', async () =>
    refused(
      { TROUPE_POSTGRES_URL: `postgres://postgres@127.0.0.1:${await freePort()}/x`, TROUPE_NATS_URL: nats.url },
      /^journal_unavailable: .+/m,
    ))

  test('a database that does not exist', () =>
    refused(
      { TROUPE_POSTGRES_URL: postgres.url.replace(/postgres$/, 'nowhere'), TROUPE_NATS_URL: nats.url },
      /^configuration_invalid: .*nowhere/m,
    ))

  test('something that is silent where Postgres should be', async (t) => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    t.after(() => silent.close())
    const { port } = silent.address() as { port: number }
    await refused(
      { TROUPE_POSTGRES_URL: `postgres://postgres@127.0.0.1:${port}/x`, TROUPE_NATS_URL: nats.url },
      /^journal_unavailable: .+/m,
    )
  })

  test('no NATS at the address', async () =>
    refused(
      { TROUPE_POSTGRES_URL: postgres.url, TROUPE_NATS_URL: `nats://127.0.0.1:${await freePort()}` },
      /^bus_unavailable: NATS at .* cannot be reached/m,
    ))

  test('a NATS server without JetStream', async () => {
    const plain = await startNats({ jetstream: false })
    await refused({ TROUPE_POSTGRES_URL: postgres.url, TROUPE_NATS_URL: plain.url }, /^bus_unavailable: .*JetStream/m)
    await plain.stop()
  })

  test('wrong credentials for NATS', async () => {
    const guarded = await startNats({ config: 'authorization { user: "ada", password: "right" }' })
    const url = guarded.url.replace('nats://', 'nats://ada:wrong@')
    await refused({ TROUPE_POSTGRES_URL: postgres.url, TROUPE_NATS_URL: url }, /^configuration_invalid: .*credentials/m)
    await guarded.stop()
  })

  test('wrong credentials for Postgres, without telling the password', async () => {
    const guarded = await startPostgres()
    const owner = new pg.Client({ connectionString: guarded.url })
    await owner.connect()
    await owner.query("CREATE ROLE ada LOGIN PASSWORD 'right'")
    const { rows } = await owner.query("SELECT current_setting('hba_file') AS file")
    await owner.query(`COPY (SELECT 'host all all 127.0.0.1/32 scram-sha-256') TO '${rows[0].file}'`)
    await owner.query('SELECT pg_reload_conf()')
    await owner.end()
    const url = guarded.url.replace('postgres@', 'ada:wrong-secret@')
    await refused(
      { TROUPE_POSTGRES_URL: url, TROUPE_NATS_URL: nats.url },
      /^configuration_invalid: .*(credentials|password)/m,
      'wrong-secret',
    )
    await guarded.stop()
  })

  test('a stream of ours that somebody else configured so that it cannot be changed', async () => {
    const foreign = await startNats()
    const connection = await connect({ servers: foreign.url })
    const manager = await jetstreamManager(connection)
    await manager.streams.add({
      name: 'TROUPE_OFFERS',
      subjects: ['troupe.offers.>'],
      retention: RetentionPolicy.Limits,
    })
    await connection.close()
    await refused(
      { TROUPE_POSTGRES_URL: postgres.url, TROUPE_NATS_URL: foreign.url },
      /^configuration_invalid: .*TROUPE_OFFERS/m,
    )
    await foreign.stop()
  })
})

/** What Node needs before it reads a setting, on a machine that is busy with much else. Unbounded, it would try for ever. */
const STARTUP_MS = 25_000
