// npm run bench -- recover [--n kills]: what a caller notices of a host's death. Three hosts and a gateway as processes
// over NATS and Postgres; one host with tasks in flight is killed again and again. Measured on Postgres' clock: from
// the kill until each of its tasks runs elsewhere; and until the killed process serves again. Then hosts vanish: they
// live on, cut off from all servers, and nobody is told, as when a machine loses its power or its network. Before that, the
// same for the workers of an embedded installation (recover-workers.ts).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Cluster, startCluster } from '../test/chaos/cluster.ts'
import { startNats, startPostgres } from '../test/support/servers.ts'
import { quantile } from './measure.ts'
import { workersServingAgain } from './recover-workers.ts'

/** Each task takes three steps of this length; the kill comes in the middle. */
const STEP_MS = 700
const TASKS = 30

export async function run({ n = 10, json }: { n?: number; json: boolean }): Promise<void> {
  const workers = await workersServingAgain(n)
  const folder = mkdtempSync(join(tmpdir(), 'troupe-recover-'))
  const [postgres, nats] = await Promise.all([startPostgres(), startNats()])
  const cluster = await startCluster({ postgres, nats }, { folder, natsStore: folder })
  try {
    const taken: number[] = []
    const serving: number[] = []
    for (let kill = 0; kill < n; kill++) {
      const seen = await killOne(cluster, kill)
      taken.push(...seen.takenMs)
      serving.push(seen.servingMs)
    }
    const vanished: number[] = []
    for (let turn = 0; turn < Math.ceil(n / 3); turn++) vanished.push(...(await vanishOne(cluster, turn)))
    const line = {
      workload: 'recover',
      topology: 'cluster',
      kills: n,
      tasks_in_flight: taken.length,
      take_over_p50_ms: quantile(taken, 0.5),
      take_over_p95_ms: quantile(taken, 0.95),
      take_over_max_ms: quantile(taken, 1),
      vanished_take_over_p50_ms: quantile(vanished, 0.5),
      vanished_take_over_p95_ms: quantile(vanished, 0.95),
      vanished_take_over_max_ms: quantile(vanished, 1),
      serving_again_p50_ms: quantile(serving, 0.5),
      serving_again_p95_ms: quantile(serving, 0.95),
      workers_serving_again_p50_ms: Math.round(quantile(workers, 0.5)),
      workers_serving_again_p95_ms: Math.round(quantile(workers, 0.95)),
    }
    if (json) console.log(JSON.stringify(line))
    else console.table([line])
  } finally {
    await cluster.stop()
    await Promise.all([postgres.stop(), nats.stop()])
    rmSync(folder, { recursive: true, force: true })
  }
}

async function killOne(cluster: Cluster, kill: number): Promise<{ takenMs: number[]; servingMs: number }> {
  const victim = cluster.hosts[kill % cluster.hosts.length]!
  const before = cluster.events.length
  const { since: killedAt, takenMs } = await takenOver(cluster, () => victim.kill('SIGKILL'))
  for (;;) {
    const again = cluster.events
      .slice(before)
      .find(({ type, path }) => type === 'child_started' && path.endsWith(victim.name))
    if (again !== undefined) return { takenMs, servingMs: again.at - killedAt }
    await wait(10)
  }
}

async function vanishOne(cluster: Cluster, turn: number): Promise<number[]> {
  const { postgres, nats } = cluster.hosts[turn % cluster.hosts.length]!
  const { takenMs } = await takenOver(cluster, () => {
    for (const proxy of [postgres, nats]) proxy.partition()
  })
  for (const proxy of [postgres, nats]) proxy.heal()
  // The cut-off process fences itself and is started again.
  await cluster.whole()
  return takenMs
}

/** From the harm until each task that lost its owner runs elsewhere. */
async function takenOver(cluster: Cluster, harm: () => void): Promise<{ since: number; takenMs: number[] }> {
  await cluster.whole()
  const ids = await Promise.all(Array.from({ length: TASKS }, () => submit(cluster)))
  await untilRunning(cluster, ids)
  const since = await cluster.journal.now()
  harm()
  const takenMs: number[] = []
  for (const id of ids) {
    const events = await untilEnded(cluster, id)
    const lost = events.findIndex(({ body }) => body.type === 'task.owner_lost')
    const resumed = lost < 0 ? undefined : events.slice(lost + 1).find(({ body }) => RUNS.has(body.type))
    if (resumed !== undefined) takenMs.push(resumed.at - since)
  }
  return { since, takenMs }
}

const RUNS = new Set(['task.started', 'task.resumed'])

async function submit({ url, key }: Cluster): Promise<string> {
  const response = await fetch(`${url}/v1/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ agent: 'chaos-ledger', input: { ms: STEP_MS } }),
  })
  if (!response.ok) throw new Error(await response.text())
  return ((await response.json()) as { id: string }).id
}

async function untilRunning({ journal }: Cluster, ids: string[]): Promise<void> {
  for (const id of ids) while ((await journal.get(id))?.state === 'queued') await wait(10)
}

async function untilEnded({ journal }: Cluster, id: string) {
  for (;;) {
    const events = await journal.events(id, 0, 100)
    if (events.at(-1)?.body.type === 'task.completed') return events
    await wait(20)
  }
}
