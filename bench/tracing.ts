// What traces cost: no-op tasks, embedded, SQLite with fsync, with every trace kept and sent to a collector in a process
// of its own, and without. Both take turns in one process on one database; only the ratio counts.
//   npm run bench -- tracing [--n 20000] [--json]
import { type ChildProcess, fork } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { observeIncarnations } from '../src/boot/incarnation.ts'
import { type Observe, unobserved } from '../src/host/observe.ts'
import { startExport } from '../src/telemetry/index.ts'
import { quantile, round, THROUGHPUT_CONCURRENCY } from './measure.ts'
import { openTroupe, type Stage } from './systems/troupe.ts'

const ROUNDS = 7

if (process.argv[2] === 'collect') collect()

interface Round {
  per_s: number
  cpu_us: number
}

export async function run({ n = 20_000, json }: { n?: number; json: boolean }): Promise<void> {
  const collector = fork(import.meta.filename, ['collect'])
  const { url } = await said<{ url: string }>(collector)
  const traced = observeIncarnations({ journalSystem: 'sqlite', lastEvents: async () => [] })
  let observe: Observe = unobserved
  const stage = await openTroupe('sqlite', (task) => observe(task))
  const without: Round[] = []
  const sampled: Round[] = []
  const told = { spans: 0, dropped: 0 }

  async function withTraces(): Promise<Round> {
    observe = traced
    const exporting = await startExport({ service: 'bench', url })
    // The last batch is on its way when the last task ends: its sending belongs to the cost.
    const figures = await load(stage, n, () => exporting.stop())
    const { ended, dropped } = exporting.counts()
    told.spans += ended
    told.dropped += dropped
    observe = unobserved
    return figures
  }

  await load(stage, n)
  await withTraces()
  told.spans = 0
  for (let index = 0; index < ROUNDS; index++) {
    // Who goes first has the shorter log, so they change places.
    if (index % 2 === 0) without.push(await load(stage, n))
    sampled.push(await withTraces())
    if (index % 2 === 1) without.push(await load(stage, n))
  }
  await stage.close()
  collector.send('stop')
  const { bytes } = await said<{ bytes: number }>(collector)
  const median = (rounds: Round[], figure: keyof Round) =>
    quantile(
      rounds.map((one) => one[figure]),
      0.5,
    )
  const figures = {
    workload: 'tracing',
    n,
    rounds: ROUNDS,
    without_per_s: Math.round(median(without, 'per_s')),
    with_per_s: Math.round(median(sampled, 'per_s')),
    ratio: round(median(sampled, 'per_s') / median(without, 'per_s')),
    without_cpu_us: round(median(without, 'cpu_us')),
    with_cpu_us: round(median(sampled, 'cpu_us')),
    cpu_ratio: round(median(sampled, 'cpu_us') / median(without, 'cpu_us')),
    spans_a_task: round(told.spans / (ROUNDS * n)),
    dropped: told.dropped,
    bytes_a_span: Math.round(bytes / (told.spans + n)),
  }
  if (json) console.log(JSON.stringify(figures))
  else console.table([figures])
}

/** Throughput and this process's CPU time for each task, both with what comes afterwards. */
async function load(stage: Stage, n: number, afterwards: () => Promise<void> = async () => {}): Promise<Round> {
  globalThis.gc?.()
  let begun = 0
  const cpu = process.cpuUsage()
  const started = performance.now()
  const caller = async () => {
    while (begun < n) {
      begun += 1
      await stage.submitAndWait('noop')
    }
  }
  await Promise.all(Array.from({ length: THROUGHPUT_CONCURRENCY }, caller))
  await afterwards()
  const ms = performance.now() - started
  const { user, system } = process.cpuUsage(cpu)
  return { per_s: (n / ms) * 1_000, cpu_us: (user + system) / n }
}

function collect(): void {
  let bytes = 0
  const server = createServer((request, response) => {
    request.on('data', (piece: Buffer) => {
      bytes += piece.length
    })
    request.on('end', () => response.writeHead(200).end())
  }).listen(0, '127.0.0.1', () => {
    process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces` })
  })
  process.once('message', () => {
    process.send!({ bytes }, () => {
      server.close()
      server.closeAllConnections()
      process.disconnect()
    })
  })
}

function said<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve) => child.once('message', (message) => resolve(message as Message)))
}
