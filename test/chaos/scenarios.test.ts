// Every scenario of `npm run chaos`, short, one after another on one cluster: what an earlier one left broken would show
// in the later ones.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { missing, startNats, startPostgres, startRedis } from '../support/servers.ts'
import { type Cluster, type Servers, startCluster } from './cluster.ts'
import { runScenario } from './run-scenario.ts'
import { SCENARIOS } from './scenarios.ts'

const named = ['TROUPE_TEST_POSTGRES_URL', 'TROUPE_TEST_NATS_URL', 'TROUPE_TEST_REDIS_URL']
const skip =
  missing('postgres') ||
  missing('nats') ||
  missing('redis') ||
  (named.some((name) => process.env[name] !== undefined) && 'a server that the environment names may not be killed')

const SECONDS = 2
const PATIENCE_MS = 300_000

describe('whatever breaks, nothing accepted is lost and nothing happens twice', { skip }, () => {
  let cluster: Cluster
  let servers: Servers
  const folder = mkdtempSync(join(tmpdir(), 'troupe-chaos-'))
  const natsStore = mkdtempSync(join(tmpdir(), 'troupe-chaos-nats-'))

  before(async () => {
    const [postgres, nats, redis] = await Promise.all([
      startPostgres(),
      startNats({ storeDir: natsStore }),
      startRedis(),
    ])
    servers = { postgres, nats, redis }
    cluster = await startCluster(servers, { folder, natsStore, namespaces: true })
  })
  after(async () => {
    await cluster?.stop()
    await Promise.all(Object.values(servers ?? {}).map((server) => server.stop()))
    for (const used of [folder, natsStore]) rmSync(used, { recursive: true, force: true })
  })

  for (const [name, { what }] of Object.entries(SCENARIOS)) {
    if (name === 'peace') continue
    test(what, { timeout: PATIENCE_MS }, async (t) => {
      const result = await runScenario(cluster, name, 1, SECONDS)
      t.diagnostic(JSON.stringify(result))
      assert.equal(result.violations, 0, `${JSON.stringify(result)}\n${cluster.said.slice(-50).join('\n')}`)
      assert.ok(result.accepted > 0)
    })
  }
})
