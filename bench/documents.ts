// npm run bench -- documents [--n 300] [--json]
// Documents a minute through the parts of the embedded core as it is wired: desk, journal with fsync, host, document
// store, the document-analyzer agent with all its steps, and the inference worker in a process of its own that tells
// their types. Mixed office files of 2 MB, no OCR. `cpu_ms` is what this process spends on one document, whoever else
// uses the machine; resident memory is noted ten times, after a warm-up: a leak shows as a line that climbs.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hostOf, openParts } from '../src/boot/parts.ts'
import { readSettings } from '../src/boot/settings.ts'
import { createDesk, type Desk } from '../src/desk/desk.ts'
import { createDocuments } from '../src/gateway/index.ts'
import { closeDocumentPools } from '../tools/document-pool.ts'
import { makeCorpus } from './documents-corpus.ts'
import { quantile, round } from './measure.ts'

const CALLERS = 4
const TENANT = 'bench'
const AGENT = 'document-analyzer'
const REPOSITORY = join(import.meta.dirname, '..')

export async function run({ n = 300, json }: { n?: number; json: boolean }): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-documents-'))
  const env = { ...process.env, TROUPE_MODELS: join(REPOSITORY, 'models'), TROUPE_LOG: 'silent' }
  const worker = fork(join(REPOSITORY, 'src', 'boot', 'inference.ts'), { env })
  try {
    const TROUPE_INFERENCE_URL = `127.0.0.1:${await portOf(worker)}`
    const parts = await openParts(readSettings({ TROUPE_DATA: folder, TROUPE_INFERENCE_URL }), 'bench')
    const { journal, bus, blobs, gatewayStore: store } = parts.stores
    const documents = createDocuments({ blobs, store, bus, maxBytes: 256 * 1024 * 1024 })
    const corpus = await makeCorpus()
    const ids: string[] = []
    for (const { name, bytes } of corpus) {
      ids.push((await documents.put({ tenant: TENANT, name, createdBy: 'bench', content: bytes })).id)
    }
    const megabytes = corpus.reduce((sum, file) => sum + file.bytes.length, 0) / corpus.length / 1e6
    const host = hostOf(parts, 'bench')
    await host.start()
    const desk = createDesk({ journal, bus, agents: parts.agents })
    const result = await load(desk, ids, n)
    await host.stop()
    await parts.close()
    const line = { workload: 'documents', n, average_mb: round(megabytes), ...result }
    console.log(json ? JSON.stringify(line) : line)
  } finally {
    worker.kill()
    await closeDocumentPools()
    await rm(folder, { recursive: true, force: true })
  }
}

async function portOf(worker: ChildProcess): Promise<number> {
  const [message] = await once(worker, 'message', { signal: AbortSignal.timeout(30_000) })
  return (message as { facts: { port: number } }).facts.port
}

async function load(desk: Desk, ids: string[], n: number) {
  const latencies: number[] = []
  const memory: number[] = []
  let begun = 0
  const analyse = async (id: string) => {
    const { task } = await desk.submit({ tenant: TENANT, agent: AGENT, input: { document: { id }, ocr: false } })
    for await (const _ of desk.follow(TENANT, task.id, 0, AbortSignal.timeout(120_000))) {
      // Only the end counts.
    }
    const { state, error, output } = await desk.get(TENANT, task.id)
    if (state !== 'completed') throw new Error(`${task.id} is ${state}: ${error?.message}`)
    const { type } = output as { type?: { confidence: number } }
    if (type === undefined || type.confidence === 0) throw new Error(`${task.id} was not classified`)
  }
  // Twice: memory grows while caches fill and V8 finds its size.
  for (let round = 0; round < 2; round++) await Promise.all(ids.map(analyse))
  const started = performance.now()
  const cpu = process.cpuUsage()
  const caller = async () => {
    while (begun < n) {
      const turn = begun++
      if (turn % Math.ceil(n / 10) === 0) memory.push(Math.round(process.memoryUsage.rss() / 1024 / 1024))
      const at = performance.now()
      await analyse(ids[turn % ids.length]!)
      latencies.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  const minutes = (performance.now() - started) / 60_000
  const { user, system } = process.cpuUsage(cpu)
  memory.push(Math.round(process.memoryUsage.rss() / 1024 / 1024))
  return {
    per_minute: Math.round(n / minutes),
    cpu_ms: Math.round((user + system) / 1_000 / n),
    p50_ms: round(quantile(latencies, 0.5)),
    p99_ms: round(quantile(latencies, 0.99)),
    rss_mb: memory,
  }
}
