// Many waiting tasks: what they add to the memory of the process, and how fast they wake.
import { setImmediate as nextTick } from 'node:timers/promises'
import type { Journal } from '../src/journal/journal.ts'
import { type Measurement, quantile, round, THROUGHPUT_CONCURRENCY } from './measure.ts'
import { openTroupe, TENANT } from './systems/troupe.ts'

const WARM_UP = 50_000

export async function measureSleepers(
  store: 'sqlite' | 'postgres',
  n: number,
): Promise<Measurement & Record<string, unknown>> {
  const stage = await openTroupe(store)
  const { desk, journal } = stage
  // Warm up: compiled code, the heap that such a load needs and the store's full page cache belong to a process that has
  // worked and is idle now, not to the sleepers.
  const warm = await many(WARM_UP, () => submit())
  await settled(journal, warm.length)
  const warmEnded = stage.ended(warm.length)
  for (const id of warm) await desk.signal(TENANT, id, { type: 'wake' })
  await warmEnded
  const before = await restingMemory()

  const ids = await many(n, () => submit())
  await settled(journal, n)
  const asleep = await restingMemory()

  const commits = countCommits(journal)
  const ended = stage.ended(n)
  const latencies: number[] = []
  const started = performance.now()
  let next = 0
  await Promise.all(
    Array.from({ length: THROUGHPUT_CONCURRENCY }, async () => {
      while (next < ids.length) {
        const at = performance.now()
        await desk.signal(TENANT, ids[next++]!, { type: 'wake' })
        latencies.push(performance.now() - at)
      }
    }),
  )
  await ended
  const ms = performance.now() - started
  const result = {
    system: 'troupe',
    workload: 'sleepers',
    store,
    n,
    per_s: Math.round((n / ms) * 1000),
    p50_ms: round(quantile(latencies, 0.5)),
    p99_ms: round(quantile(latencies, 0.99)),
    rss_mb: asleep,
    added_rss_mb: asleep - before,
    commits_per_wake: round(commits() / n),
  }
  await stage.close()
  return result

  async function submit(): Promise<string> {
    return (await desk.submit({ tenant: TENANT, agent: 'sleeper', input: { n: 1 } })).task.id
  }
}

async function many<Value>(n: number, make: () => Promise<Value>): Promise<Value[]> {
  const values: Value[] = []
  for (let made = 0; made < n; made += THROUGHPUT_CONCURRENCY) {
    const batch = Math.min(THROUGHPUT_CONCURRENCY, n - made)
    values.push(...(await Promise.all(Array.from({ length: batch }, make))))
  }
  return values
}

/** All of them are asleep: nobody owns them and nothing is on its way. */
async function settled(journal: Journal, n: number): Promise<void> {
  for (;;) {
    const counts = await journal.counts()
    if (counts.some(({ state, tasks }) => state === 'waiting' && tasks >= n)) return
    await nextTick()
  }
}

async function restingMemory(): Promise<number> {
  const collect = (globalThis as { gc?: () => void }).gc
  for (let round = 0; round < 5; round++) {
    collect?.()
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return Math.round(process.memoryUsage.rss() / 1024 / 1024)
}

function countCommits(journal: Journal): () => number {
  let count = 0
  const commit = journal.commit.bind(journal)
  journal.commit = (what) => {
    count += 1
    return commit(what)
  }
  return () => count
}
