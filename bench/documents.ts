// npm run bench -- documents [--n 300] [--json]
// Documents a minute through the whole of the embedded Troupe: desk, journal with fsync, host, the document-analyzer
// agent with all its steps, documents on disk. Mixed office files of about 2 MB, no OCR, no workers. The resident
// memory is noted at each quarter: a leak shows as a line that climbs.
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import analyzer from '../agents/document-analyzer/index.ts'
import { createInProcessBus } from '../src/bus/in-process.ts'
import { createDesk, type Desk } from '../src/desk/desk.ts'
import { createHost } from '../src/host/host.ts'
import { unobserved } from '../src/host/observe.ts'
import { absentServices, contextMaker } from '../src/host/services.ts'
import { openSqliteJournal } from '../src/journal/sqlite/index.ts'
import { AgentRegistry } from '../src/plugins/registry.ts'
import type { DocumentInfo, Documents } from '../src/sdk/index.ts'
import { closeDocumentPools } from '../tools/document-pool.ts'
import { makeCorpus } from './documents-corpus.ts'
import { quantile, round } from './measure.ts'

const CALLERS = 4
const TENANT = 'bench'

export async function run({ n = 300, json }: { n?: number; json: boolean }): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-documents-'))
  try {
    const corpus = await makeCorpus()
    const documents = documentsOnDisk(folder)
    const ids: string[] = []
    for (const { name, bytes } of corpus) ids.push((await documents.put({ name, mime: '', content: bytes })).id)
    const megabytes = corpus.reduce((sum, file) => sum + file.bytes.length, 0) / corpus.length / 1e6
    const journal = await openSqliteJournal({ folder })
    const bus = createInProcessBus()
    const agents = new AgentRegistry([analyzer])
    const makeContext = contextMaker({ ...absentServices, documents: () => documents })
    const host = createHost({
      journal,
      bus,
      agents,
      makeContext,
      observe: unobserved,
      onTrouble: console.error,
    })
    await host.start()
    const desk = createDesk({ journal, bus, agents })
    const result = await load(desk, ids, n)
    await host.stop()
    await bus.close()
    await journal.close()
    const line = { workload: 'documents', n, average_mb: round(megabytes), ...result }
    console.log(json ? JSON.stringify(line) : line)
  } finally {
    await closeDocumentPools()
    await rm(folder, { recursive: true, force: true })
  }
}

async function load(desk: Desk, ids: string[], n: number) {
  const latencies: number[] = []
  const memory: number[] = []
  let begun = 0
  const analyse = async (id: string) => {
    const input = { document: { id }, ocr: false }
    const { task } = await desk.submit({ tenant: TENANT, agent: analyzer.name, input })
    for await (const _ of desk.follow(TENANT, task.id, 0, AbortSignal.timeout(120_000))) {
      // Only the end counts.
    }
    const { state, error } = await desk.get(TENANT, task.id)
    if (state !== 'completed') throw new Error(`${task.id} is ${state}: ${error?.message}`)
  }
  await Promise.all(ids.map(analyse))
  const started = performance.now()
  const caller = async () => {
    while (begun < n) {
      const turn = begun++
      if (turn % Math.ceil(n / 4) === 0) memory.push(Math.round(process.memoryUsage.rss() / 1024 / 1024))
      const at = performance.now()
      await analyse(ids[turn % ids.length]!)
      latencies.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  const minutes = (performance.now() - started) / 60_000
  memory.push(Math.round(process.memoryUsage.rss() / 1024 / 1024))
  return {
    per_minute: Math.round(n / minutes),
    p50_ms: round(quantile(latencies, 0.5)),
    p99_ms: round(quantile(latencies, 0.99)),
    rss_mb: memory,
  }
}

/** Content by its hash, so that a text extracted twice is stored once. */
function documentsOnDisk(folder: string): Documents {
  const infos = new Map<string, DocumentInfo>()
  return {
    async info(id) {
      return infos.get(id)!
    },
    async read(id) {
      return await readFile(join(folder, id))
    },
    async put({ name, mime, content }) {
      const sha256 = createHash('sha256').update(content).digest('hex')
      const info = { id: `doc_${sha256.slice(0, 26)}`, name, mime, bytes: content.length, sha256 }
      await writeFile(join(folder, info.id), content)
      infos.set(info.id, info)
      return info
    },
  }
}
