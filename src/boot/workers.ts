// The workers as agents and the gateway see them. A client is made when it is first used, and a worker that is being
// restarted is waited for: its supervisor has it back within a second, and an agent that took its offline path because
// of that second would give a poorer answer for nothing.
import { TroupeError } from '../contract/errors.ts'
import type { RetrievalPort } from '../gateway/index.ts'
import { absentServices } from '../host/services.ts'
import type { Inference, Retrieval } from '../sdk/context.ts'
import { span } from '../telemetry/index.ts'
import type { TlsFiles } from '../workers/grpc/tls.ts'
import type { ModelState } from '../workers/inference/client-control.ts'
import type { Classification, InferenceClient } from '../workers/inference/index.ts'
import type { Metadata, RetrievalClient, Scalar } from '../workers/retrieval/index.ts'
import type { Settings } from './settings.ts'
import { type WorkerAddress, workerAddress } from './worker-address.ts'

export interface Workers {
  inference: Inference
  retrieval(tenant: string): Retrieval
  /** For the gateway; undefined without a retrieval worker. */
  collections: RetrievalPort | undefined
  /** What the inference worker serves; undefined without one. */
  models: (() => Promise<ModelState[]>) | undefined
  close(): void
}

export function connectWorkers({ inferenceUrl, retrievalUrl, workerTls, workerSilence }: Settings): Workers {
  // Imported when first used: gRPC is a tenth of this process's start, and a start is what a crash costs.
  const inference = lazily(inferenceUrl, workerTls?.inference, async (where) =>
    (await import('../workers/inference/client.ts')).createInferenceClient({ ...where, ...workerSilence }),
  )
  const retrieval = lazily(retrievalUrl, workerTls?.retrieval, async (where) =>
    (await import('../workers/retrieval/client.ts')).createRetrievalClient({ ...where, ...workerSilence }),
  )
  return {
    inference: inference === undefined ? absentServices.inference : inferenceOf(inference),
    retrieval: retrieval === undefined ? absentServices.retrieval : retrievalOf(retrieval),
    collections: retrieval === undefined ? undefined : collectionsOf(retrieval),
    models: inference === undefined ? undefined : async () => (await inference.client()).models(),
    close() {
      inference?.close()
      retrieval?.close()
    },
  }
}

interface Lazy<Client> {
  client(): Promise<Client>
  close(): void
}

function lazily<Client extends { close(): void }>(
  url: string | undefined,
  tls: Partial<TlsFiles> | undefined,
  connect: (where: WorkerAddress) => Promise<Client>,
): Lazy<Client> | undefined {
  if (url === undefined) return undefined
  const where = workerAddress(url, tls)
  let client: Promise<Client> | undefined
  return {
    client: () => {
      // One that could not be made (a certificate that is being replaced) is tried anew by the next call.
      client ??= connect(where).catch((error: unknown) => {
        client = undefined
        throw error
      })
      return client
    },
    close: () => void client?.then((connected) => connected.close()).catch(() => {}),
  }
}

export function inferenceOf(
  lazy: Pick<Lazy<Pick<InferenceClient, 'classify' | 'embed' | 'metadata' | 'models'>>, 'client'>,
): Inference {
  const labels = new Map<string, string[]>()

  /** Probabilities come in the order of the model's labels, which a new version of it may change: then its answers tell. */
  async function labelsOf(model: string, found: Classification[]): Promise<string[]> {
    const known = labels.get(model)
    if (known !== undefined && found.every((one) => isNamedBy(known, one))) return known
    const { properties } = await (await lazy.client()).metadata(model)
    const read = JSON.parse(properties.labels ?? '[]') as string[]
    labels.set(model, read)
    return read
  }

  return {
    available: reachable(async () => (await lazy.client()).models()),
    async classify(model, texts) {
      const found = await traced('classify', model, async (call) => (await lazy.client()).classify(model, texts, call))
      const names = await labelsOf(model, found)
      return found.map(({ label, score, probabilities }) => ({
        label,
        confidence: score,
        scores: Object.fromEntries(names.map((name, index) => [name, probabilities[index] ?? 0])),
      }))
    },
    embed: (model, texts) =>
      traced('embeddings', model, async (call) => (await lazy.client()).embed(model, texts, call)),
  }
}

function isNamedBy(labels: string[], { label, score, probabilities }: Classification): boolean {
  return labels.length === probabilities.length && probabilities[labels.indexOf(label)] === score
}

function retrievalOf(lazy: Lazy<RetrievalClient>): (tenant: string) => Retrieval {
  const available = reachable(async () => (await lazy.client()).collections({ tenant: 'default' }))
  const port = collectionsOf(lazy)
  return (tenant) => ({
    available,
    upsert: (collection, documents) => port.upsert(tenant, collection, documents),
    search: (collection, query, { limit = 10, mode = 'hybrid', filter } = {}) =>
      port.search(tenant, collection, query, { limit, mode, ...(filter === undefined ? {} : { filter }) }),
    remove: (collection, documentIds) => port.remove(tenant, collection, documentIds),
  })
}

function collectionsOf(lazy: Lazy<RetrievalClient>): RetrievalPort {
  return {
    async upsert(tenant, collection, documents) {
      const { passages } = await traced('upsert', collection, async (call) =>
        (await lazy.client()).upsert(collection, documents, { tenant, ...call }),
      )
      return { passages }
    },
    async search(tenant, collection, query, { limit, mode, filter }) {
      const wanted = { tenant, k: limit, mode, ...(filter === undefined ? {} : { filter }) }
      const { passages } = await traced('retrieval', collection, async (call) =>
        (await lazy.client()).search(collection, query, { ...wanted, ...call }),
      )
      return passages.map(({ documentId, passageId, text, start, end, score, metadata, highlights }) => ({
        documentId,
        passageId,
        text,
        start,
        end,
        score,
        metadata: plain(metadata),
        highlights,
      }))
    },
    async remove(tenant, collection, documentIds) {
      await (await lazy.client()).delete(collection, documentIds, { tenant })
    },
    async removeCollection(tenant, collection) {
      return await (await lazy.client()).deleteCollection(collection, { tenant })
    },
    async collections(tenant) {
      const all = await (await lazy.client()).collections({ tenant })
      return all.map(({ name, documents, passages }) => ({ name, documents, passages }))
    },
    async textOf({ name, mime, content }) {
      const signal = AbortSignal.timeout(EXTRACTION_MS)
      const { extractText } = await import('@troupe/tools/extract-text')
      const { text } = await extractText.call({ bytes: content, name, mime }, { signal })
      if (text.trim() === '') throw new TroupeError('document_unreadable', `${name} holds no text.`)
      return text
    },
  }
}

/** A client span around a call; the worker continues the trace from the traceparent it is given. */
function traced<Result>(
  operation: string,
  what: string,
  call: (options: { traceparent?: string }) => Promise<Result>,
): Promise<Result> {
  const subject = operation === 'retrieval' || operation === 'upsert' ? 'gen_ai.data_source.id' : 'gen_ai.request.model'
  const attributes = { 'gen_ai.operation.name': operation, [subject]: what, 'rpc.system': 'grpc' }
  return span(`${operation} ${what}`, { kind: 'client', attributes }, (traceparent) =>
    call(traceparent === undefined ? {} : { traceparent }),
  )
}

/** Lists become texts: an agent's fact is one value. */
function plain(metadata: Metadata): Record<string, Scalar> {
  const facts = Object.entries(metadata).map(([key, value]) => [key, Array.isArray(value) ? value.join(', ') : value])
  return Object.fromEntries(facts) as Record<string, Scalar>
}

/** A request waits for it; a longer one belongs into a task. */
const EXTRACTION_MS = 60_000

/** One that is not there refuses at once. All looks together take longer than a supervisor needs to restart it. */
const LOOKS = 20
const AGAIN_MS = 100
/**
 * One that is silent may be busy, or this process is: who took it for one that is not there would leave work undone for
 * good. Longer than a supervisor lets a process hang.
 */
const SILENT_MS = 30_000
/** An answer is believed for so long: a task asks before each of its steps. */
const BELIEVED_MS = 1_000

function reachable(ask: () => Promise<unknown>): () => Promise<boolean> {
  let looking: Promise<boolean> | undefined
  let believedUntil = 0

  async function look(): Promise<boolean> {
    for (let looks = 1; ; looks++) {
      const answer = await answerOf(ask)
      if (answer !== 'refused' || looks === LOOKS) return answer === 'given'
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    }
  }

  return () => {
    if (looking === undefined || performance.now() > believedUntil) {
      believedUntil = Number.POSITIVE_INFINITY
      looking = look().finally(() => {
        believedUntil = performance.now() + BELIEVED_MS
      })
    }
    return looking
  }
}

async function answerOf(ask: () => Promise<unknown>): Promise<'given' | 'refused' | 'none'> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'none'>((resolve) => {
    timer = setTimeout(resolve, SILENT_MS, 'none')
  })
  const answered = ask().then(
    () => 'given' as const,
    // That it will not do what it is asked is an answer too.
    (error: unknown) => (error instanceof TroupeError && error.code !== 'worker_unavailable' ? 'given' : 'refused'),
  )
  try {
    return await Promise.race([answered, late])
  } finally {
    clearTimeout(timer)
  }
}
