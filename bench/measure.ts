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
  /** What one durable row costs the same server in the same minute; `bench.ts` prints it as a line of its own. */
  commit_ms?: number
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
  /** A bare commit on the server that does the work: what a latency that is told in commits is measured against. */
  commitOnce?(): Promise<void>
}

export const THROUGHPUT_CONCURRENCY = 64

/** Latencies of tasks and of bare commits are taken in turns of so many, so that both see the same machine. */
const TURN = 50

/** Throughput at 64 callers, latency at one; a tenth of each first, uncounted, to warm up. */
export async function measure(
  subject: Subject,
  n: number,
): Promise<Pick<Measurement, 'per_s' | 'p50_ms' | 'p99_ms' | 'rss_mb' | 'commit_ms' | 'cpu_us' | 'cpu_us_each'>> {
  await load(subject, Math.ceil(n / 10), THROUGHPUT_CONCURRENCY)
  const processes = subject.processes?.() ?? {}
  const before = processorTimes(processes)
  const many = await load(subject, n, THROUGHPUT_CONCURRENCY)
  const after = processorTimes(processes)
  const single = Math.max(200, Math.ceil(n / 20))
  await load(subject, Math.ceil(single / 10), 1)
  const { latencies, commits } = await latency(subject, single)
  return {
    per_s: Math.round((n / many.ms) * 1000),
    p50_ms: toMicroseconds(quantile(latencies, 0.5)),
    p99_ms: toMicroseconds(quantile(latencies, 0.99)),
    rss_mb: Math.round(process.memoryUsage.rss() / 1024 / 1024),
    ...(commits.length === 0 ? {} : { commit_ms: toMicroseconds(quantile(commits, 0.5)) }),
    ...perTask(before, after, n),
  }
}

/** One caller. A subject without commits of its own is simply asked `n` times. */
async function latency(subject: Subject, n: number): Promise<{ latencies: number[]; commits: number[] }> {
  const run = subject.commitOnce?.bind(subject)
  if (run === undefined) return { latencies: (await load(subject, n, 1)).latencies, commits: [] }
  const latencies: number[] = []
  const commits: number[] = []
  await load({ run }, TURN, 1)
  for (let left = n; left > 0; left -= TURN) {
    latencies.push(...(await load(subject, Math.min(TURN, left), 1)).latencies)
    commits.push(...(await load({ run }, TURN, 1)).latencies)
  }
  return { latencies, commits }
}

function perTask(before: Record<string, number>, after: Record<string, number>, n: number) {
  const each = Object.entries(after).map(([name, ms]) => ({ name, us: ((ms - (before[name] ?? 0)) * 1000) / n }))
  if (each.length === 0) return {}
  return {
    cpu_us: Math.round(each.reduce((sum, { us }) => sum + us, 0)),
    cpu_us_each: each.map(({ name, us }) => `${name} ${Math.round(us)}`).join(', '),
  }
}

async function load(
  subject: Pick<Subject, 'run'>,
  n: number,
  concurrency: number,
): Promise<{ ms: number; latencies: number[] }> {
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

/** Of milliseconds. A commit takes two tenths of one: rounded as other figures are, it would be wrong by 2 %. */
function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
