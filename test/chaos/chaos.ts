// npm run chaos -- <scenario|all> [--seed N] [--seconds S]
//   chaos.ts          this file: one JSON line a scenario; exit 1 when anything that must be zero is not
//   scenarios.ts      what is done to the cluster
//   run-scenario.ts   load, harm, recovery, count
//   cluster.ts        one gateway and three hosts as processes
//   host-network.ts   how a host reaches its servers, and is cut off from them
//   namespace.ts      a network namespace with cables that can be pulled
//   load.ts           the client that writes every accepted id to disk
//   checker.ts        counts what must be zero
//   agents/           agents whose effects are logged; clock.mjs: a wall clock that jumps
//   one-life.ts, kill-at-each-commit.test.ts   one process killed at each commit, without a cluster
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startNats, startPostgres, startRedis } from '../support/servers.ts'
import { startCluster } from './cluster.ts'
import { runScenario } from './run-scenario.ts'
import { SCENARIOS } from './scenarios.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '20' },
    verbose: { type: 'boolean', default: false },
  },
})
const wanted = positionals[0] === undefined || positionals[0] === 'all' ? Object.keys(SCENARIOS) : positionals
const unknown = wanted.find((name) => SCENARIOS[name] === undefined)
if (unknown !== undefined) {
  console.error(`There is no scenario ${unknown}; there are all, ${Object.keys(SCENARIOS).join(', ')}.`)
  process.exit(2)
}

for (const name of wanted) {
  // Servers and cluster of its own: what one scenario breaks cannot excuse the next.
  const folder = mkdtempSync(join(tmpdir(), 'troupe-chaos-'))
  const natsStore = mkdtempSync(join(tmpdir(), 'troupe-chaos-nats-'))
  const servers = {
    postgres: await startPostgres(),
    nats: await startNats({ storeDir: natsStore }),
    ...(SCENARIOS[name]!.needsRedis ? { redis: await startRedis() } : {}),
  }
  const cluster = await startCluster(servers, { folder, natsStore, namespaces: true })
  try {
    const result = await runScenario(cluster, name, Number(values.seed), Number(values.seconds))
    console.log(JSON.stringify(result))
    if (result.violations > 0) process.exitCode = 1
    if (values.verbose) for (const line of cluster.said) console.error(line)
  } finally {
    await cluster.stop()
    for (const server of Object.values(servers)) await server.stop()
    for (const used of [folder, natsStore]) rmSync(used, { recursive: true, force: true })
  }
}
