// npm run bench -- retrieval [--n passages to search among, 100000] [--json]
//
//   ingest   10,000 documents with embeddings through the client, then the same again
//   search   hybrid search among n passages at one caller; recall of the vector part against an exact scan made here
//   quality  nDCG@10 on public data beside the checkout, by words, by vectors and hybrid, on both stores
//
// Inference worker, retrieval worker and load are three processes, as in production; the models are TROUPE_MODELS or
// models/. The shared store is PGlite here, so only its quality is measured, not its speed.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../src/training/random.ts'
import { createInferenceClient, type InferenceClient } from '../src/workers/inference/index.ts'
import { createRetrievalClient, type RetrievalClient, type UpsertDocument } from '../src/workers/retrieval/index.ts'
import { startPglite } from '../test/workers/retrieval/pglite.ts'
import { quantile, round } from './measure.ts'
import { loadTask, meanGain } from './retrieval-quality.ts'

const CALL = { tenant: 'bench' }
const INGESTED = 10_000
const QUERIES = 200
const RECALL_QUERIES = 50
const EMBEDDER = 'embedder'

export async function run({ n = 100_000, json }: { n?: number; json: boolean }): Promise<void> {
  const lines: object[] = []
  const print = (line: object): void => {
    lines.push(line)
    if (json) console.log(JSON.stringify(line))
  }
  await using inference = await startInference()
  {
    await using retrieval = await startRetrieval(inference.address)
    print(await measureIngest(retrieval.client))
    print(await measureSearch(retrieval.client, inference.client, n))
    for (const line of await measureQuality('sqlite', retrieval.client)) print(line)
  }
  const postgres = await startPglite()
  {
    await using retrieval = await startRetrieval(inference.address, { TROUPE_POSTGRES_URL: postgres.url })
    for (const line of await measureQuality('postgres', retrieval.client)) print(line)
  }
  await postgres.stop()
  if (!json) for (const line of lines) console.log(line)
}

async function measureIngest(client: RetrievalClient): Promise<object> {
  const documents = Array.from(generate(INGESTED, 1))
  const started = performance.now()
  await client.upsert('ingested', documents, CALL)
  const first = performance.now() - started
  const again = performance.now()
  const { unchanged } = await client.upsert('ingested', documents, CALL)
  const { passages, embedded } = await client.collection('ingested', CALL)
  return {
    workload: 'retrieval/ingest',
    n: INGESTED,
    seconds: round(first / 1_000),
    per_s: Math.round((INGESTED / first) * 1_000),
    embedded,
    passages,
    again_seconds: round((performance.now() - again) / 1_000),
    unchanged,
  }
}

async function measureSearch(client: RetrievalClient, inference: InferenceClient, n: number): Promise<object> {
  const collection = 'searched'
  const vectors = new Map<string, Float32Array>()
  async function* documents(): AsyncGenerator<UpsertDocument> {
    let batch: UpsertDocument[] = []
    for (const document of generate(n, 2)) {
      batch.push(document)
      if (batch.length < 256 && vectors.size + batch.length < n) continue
      // For the exact scan: the same texts, embedded here.
      const embedded = await inference.embed(
        EMBEDDER,
        batch.map(({ text }) => text),
      )
      batch.forEach(({ documentId }, place) => {
        vectors.set(documentId, embedded[place]!)
      })
      yield* batch
      batch = []
    }
  }
  await client.upsert(collection, documents(), { ...CALL, deadline: Date.now() + 3_600_000 })

  const queries = Array.from(generate(QUERIES, 3), ({ text }) => text.split(' ').slice(0, 10).join(' '))
  for (const query of queries.slice(0, 20)) await client.search(collection, query, CALL)
  const times: number[] = []
  for (const query of queries) {
    const at = performance.now()
    await client.search(collection, query, CALL)
    times.push(performance.now() - at)
  }
  const asked = queries.slice(0, RECALL_QUERIES)
  const askedVectors = await inference.embed(EMBEDDER, asked)
  let found = 0
  for (const [place, query] of asked.entries()) {
    const exact = nearestOf(vectors, askedVectors[place]!, 10)
    const { passages } = await client.search(collection, query, { ...CALL, mode: 'vector', k: 10 })
    found += passages.filter(({ documentId }) => exact.has(documentId)).length
  }
  return {
    workload: 'retrieval/search',
    n: (await client.collection(collection, CALL)).passages,
    p50_ms: round(quantile(times, 0.5)),
    p95_ms: round(quantile(times, 0.95)),
    recall_at_10: round(found / (10 * RECALL_QUERIES)),
  }
}

async function measureQuality(store: string, client: RetrievalClient): Promise<object[]> {
  const lines: object[] = []
  for (const task of [
    loadTask('pubmedqa'),
    ...['en', 'de', 'es', 'zh', 'ar'].map((language) => loadTask('xquad_r', language)),
  ]) {
    if (task === undefined) continue
    await client.upsert(task.name, task.documents, CALL)
    const line: Record<string, unknown> = { workload: 'retrieval/quality', store, data: task.name }
    for (const mode of ['lexical', 'vector', 'hybrid'] as const) {
      line[`${mode}_ndcg`] = Math.round((await meanGain(client, task.name, task, { ...CALL, mode })) * 10_000) / 10_000
    }
    lines.push(line)
  }
  return lines
}

function nearestOf(vectors: ReadonlyMap<string, Float32Array>, asked: Float32Array, count: number): Set<string> {
  const scored = Array.from(vectors, ([id, vector]) => {
    let sum = 0
    for (let place = 0; place < vector.length; place++) sum += vector[place]! * asked[place]!
    return { id, sum }
  })
  scored.sort((a, b) => b.sum - a.sum)
  return new Set(scored.slice(0, count).map(({ id }) => id))
}

/** About 120 words each, as rare and as common as in a language (Zipf), around topics, so that some texts are alike. */
function* generate(count: number, seed: number): Generator<UpsertDocument> {
  const random = seededRandom(seed)
  const words = 50_000
  const topics = 500
  const word = (): number => Math.floor(words ** random.next()) - 1
  for (let number = 0; number < count; number++) {
    const topic = random.below(topics)
    const text = Array.from({ length: 120 }, () => {
      const drawn = word()
      return spell(random.next() < 0.3 ? (drawn % 200) * topics + topic + words : drawn)
    })
    yield { documentId: `d${number}`, text: `${text.join(' ')}.` }
  }
}

const SYLLABLES = ['ka', 'lo', 'mi', 'ru', 'te', 'va', 'so', 'ne', 'pi', 'du', 'fa', 'gu', 'he', 'jo', 'zi', 'be']
function spell(number: number): string {
  let text = ''
  for (let rest = number + 17; rest > 0; rest = Math.floor(rest / 16)) text += SYLLABLES[rest % 16]
  return text
}

interface Inference extends AsyncDisposable {
  address: string
  client: InferenceClient
}

async function startInference(): Promise<Inference> {
  const models = process.env.TROUPE_MODELS ?? join(import.meta.dirname, '..', 'models')
  const { address, stop } = await startProcess('inference', {
    TROUPE_MODELS: models,
    TROUPE_INFERENCE_PROVIDERS: 'cpu',
  })
  const client = createInferenceClient({ address })
  return {
    address,
    client,
    async [Symbol.asyncDispose]() {
      client.close()
      await stop()
    },
  }
}

async function startRetrieval(
  inferenceUrl: string,
  environment: Record<string, string> = {},
): Promise<AsyncDisposable & { client: RetrievalClient }> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'))
  const { address, stop } = await startProcess('retrieval', {
    TROUPE_DATA: folder,
    TROUPE_INFERENCE_URL: inferenceUrl,
    ...environment,
  })
  const client = createRetrievalClient({ address })
  return {
    client,
    async [Symbol.asyncDispose]() {
      client.close()
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function startProcess(
  name: 'inference' | 'retrieval',
  environment: Record<string, string>,
): Promise<{ address: string; stop(): Promise<void> }> {
  const child: ChildProcess = fork(join(import.meta.dirname, '..', 'src', 'boot', `${name}.ts`), {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [message] = (await once(child, 'message')) as [{ port?: number; facts?: { port?: number } }]
  return {
    address: `127.0.0.1:${message.facts?.port ?? message.port}`,
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}
