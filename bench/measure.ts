// The closed-loop load generator and the one line that every measurement becomes.

import { processorTimes } from './processor-time.ts'

export interface Measurement {
  system: string
  workload: string
  store: string
  n: number
  per_s: number
  p50_ms: number
  p99_ms: number
  rss_mb: number
  /** Processor time a task, in microseconds: of all processes together, and of each. Where they are several. */
  cpu_us?: number
  cpu_us_each?: string
}

/** A system under test: `run` submits one task and resolves when it has ended. */
export interface Subject {
  run(): Promise<void>
  close(): Promise<void>
  /** The processes that share the work. */
  processes?(): Record<string, number | undefined>
}

export const THROUGHPUT_CONCURRENCY = 64

/** Throughput at 64 callers, latency at one; a tenth of each first, uncounted, to warm up. */
export async function measure(
  subject: Subject,
  n: number,
): Promise<Pick<Measurement, 'per_s' | 'p50_ms' | 'p99_ms' | 'rss_mb' | 'cpu_us' | 'cpu_us_each'>> {
  await load(subject, Math.ceil(n / 10), THROUGHPUT_CONCURRENCY)
  const processes = subject.processes?.() ?? {}
  const before = processorTimes(processes)
  const many = await load(subject, n, THROUGHPUT_CONCURRENCY)
  const after = processorTimes(processes)
  const single = Math.max(200, Math.ceil(n / 20))
  await load(subject, Math.ceil(single / 10), 1)
  const one = await load(subject, single, 1)
  return {
    per_s: Math.round((n / many.ms) * 1000),
    p50_ms: round(quantile(one.latencies, 0.5)),
    p99_ms: round(quantile(one.latencies, 0.99)),
    rss_mb: Math.round(process.memoryUsage.rss() / 1024 / 1024),
    ...perTask(before, after, n),
  }
}

function perTask(before: Record<string, number>, after: Record<string, number>, n: number) {
  const each = Object.entries(after).map(([name, ms]) => ({ name, us: ((ms - (before[name] ?? 0)) * 1000) / n }))
  if (each.length === 0) return {}
  return {
    cpu_us: Math.round(each.reduce((sum, { us }) => sum + us, 0)),
    cpu_us_each: each.map(({ name, us }) => `${name} ${Math.round(us)}`).join(', '),
  }
}

async function load(subject: Subject, n: number, concurrency: number): Promise<{ ms: number; latencies: number[] }> {
  const latencies: number[] = []
  let begun = 0
  const started = performance.now()
  const caller = async () => {
    while (begun < n) {
      begun += 1
      const at = performance.now()
      await subject.run()
      latencies.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, caller))
  return { ms: performance.now() - started, latencies }
}

export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

export function round(value: number): number {
  return Math.round(value * 100) / 100
}
