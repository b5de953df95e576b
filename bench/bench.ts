// npm run bench -- <workload> [--store sqlite|postgres] [--topology embedded|cluster] [--n N] [--json]
//   bench.ts      this file: which systems a workload compares; each runs in a process of its own, one after the other
//   system.ts     one system in one process
//   measure.ts    the load generator
//   processor-time.ts  what each of several processes spends on a task
//   systems/      Troupe and its peers
//   sleepers.ts, transitions.ts, recover.ts, recover-workers.ts  what only Troupe has
//   the others    a workload each of one room: inference, retrieval, training, documents, insights, anomaly, gateway,
//                 tracing, platform-events
//
// One JSON line a system: {system, workload, store, n, per_s, p50_ms, p99_ms, rss_mb}. Throughput is measured with 64
// callers, latency with one. On Postgres a line `bare-commit` tells what one inserted row costs there. Only ratios within one run count.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Measurement } from './measure.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    store: { type: 'string', default: 'sqlite' },
    n: { type: 'string' },
    json: { type: 'boolean', default: false },
    topology: { type: 'string', default: 'embedded' },
  },
})
const workload = positionals[0] ?? 'noop'

/** Workloads with a file of their own: it exports `run(options)` and prints its lines itself. */
const OWN_FILES = [
  'inference',
  'retrieval',
  'training',
  'documents',
  'insights',
  'anomaly',
  'gateway',
  'recover',
  'tracing',
  'platform-events',
]

const SYSTEMS: Record<string, string[]> = {
  noop: ['troupe', 'bullmq-everysec', 'bullmq-always', 'postgres-queue'],
  'three-steps': ['troupe', 'bullmq-everysec', 'bullmq-always', 'postgres-queue'],
  ask: ['troupe'],
  sleepers: ['troupe'],
  transitions: ['troupe'],
}

/**
 * Gateway and two hosts as processes; the peer's producer and workers as processes too. `noop` only. Like against like:
 * submissions and ends over connections that stay, a message for each task. `-http` is the same with a request for each.
 */
const CLUSTER_SYSTEMS = ['troupe-cluster', 'troupe-cluster-http', 'bullmq-processes']

if (OWN_FILES.includes(workload)) {
  const file = (await import(`./${workload}.ts`)) as { run(options: { n?: number; json: boolean }): Promise<void> }
  await file.run({ json: values.json, ...(values.n === undefined ? {} : { n: Number(values.n) }) })
} else if (SYSTEMS[workload] === undefined) {
  console.error(`There is no workload ${workload}; there are ${[...Object.keys(SYSTEMS), ...OWN_FILES].join(', ')}.`)
  process.exitCode = 2
} else {
  const lines: Partial<Measurement>[] = []
  const systems = values.topology === 'cluster' ? CLUSTER_SYSTEMS : SYSTEMS[workload]
  for (const system of systems) {
    const arguments_ = [
      '--expose-gc',
      join(import.meta.dirname, 'system.ts'),
      system,
      workload,
      values.store,
      values.n ?? '',
    ]
    const { stdout, status } = spawnSync(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] })
    if (status !== 0) process.exitCode = 1
    else {
      const { commit_ms, ...line } = JSON.parse(stdout.toString()) as Measurement
      lines.push(line)
      if (commit_ms !== undefined) lines.push({ system: 'bare-commit', store: line.store, commit_ms })
      if (values.json) for (const said of lines.splice(0)) console.log(JSON.stringify(said))
    }
  }
  if (!values.json) console.table(lines)
}
