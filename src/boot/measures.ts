// What a process of Troupe counts of itself, for Prometheus.
//   measures.ts            this file: the process itself; what is asked for at each scrape
//   measured-host.ts       tasks and steps, where a host lets itself be watched
//   measured-journal.ts    submissions, commits and the lease, at the journal's port
//   measured-tree.ts       the supervision tree, where there is one
//   measured-telemetry.ts  spans, where a collector is set
//   metrics-endpoint.ts    where a process without doors is scraped and probed
//
// Names end in their unit, which is seconds or bytes; what only grows ends in `_total`. Labels have few values: agents,
// states, error codes, models; never a tenant or an id. docs/guides/monitoring.md lists them; a test keeps both equal.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { watchEventLoop } from '../host/event-loop.ts'
import { Metrics } from '../workers/grpc/metrics.ts'

export interface Measures {
  readonly metrics: Metrics
  /** Runs before each scrape: for what is looked up rather than counted. What it throws costs its own values only. */
  atScrape(look: () => void | Promise<void>): void
  text(): Promise<string>
  stop(): void
}

const VERSION: string = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')).version
const LOOP_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10]

/** `role`: `core`, `gateway`, `host`, `inference` or `retrieval`. */
export function createMeasures(role: string): Measures {
  const metrics = new Metrics()
  const looks: (() => void | Promise<void>)[] = []
  metrics.gauge('troupe_process_info', 'Always 1: which process this is')(
    { role, version: VERSION, node: process.version },
    1,
  )
  const loopDelay = metrics.histogram('troupe_event_loop_delay_seconds', 'How late timers run', LOOP_SECONDS)
  const none = {}
  const loop = watchEventLoop((lateMs) => loopDelay(none, lateMs / 1_000))
  looks.push(processLook(metrics))

  return {
    metrics,
    atScrape: (look) => void looks.push(look),
    async text() {
      await Promise.allSettled(looks.map(async (look) => await look()))
      return metrics.text()
    },
    stop: () => loop.stop(),
  }
}

/** Under the names that Prometheus' own clients use, so that everybody's dashboards know them. */
function processLook(metrics: Metrics): () => void {
  const cpu = metrics.counter('process_cpu_seconds_total', 'Processor time, user and system')
  const resident = metrics.gauge('process_resident_memory_bytes', 'Resident memory')
  const heap = metrics.gauge('nodejs_heap_size_used_bytes', 'Heap in use')
  const started = metrics.gauge('process_start_time_seconds', 'When the process began, since the epoch')
  started({}, Math.round(performance.timeOrigin) / 1_000)
  let counted = 0
  return () => {
    const { user, system } = process.cpuUsage()
    const seconds = (user + system) / 1e6
    cpu({}, seconds - counted)
    counted = seconds
    const { rss, heapUsed } = process.memoryUsage()
    resident({}, rss)
    heap({}, heapUsed)
  }
}
