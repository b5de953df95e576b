// The client's side of the upsert stream. What was sent and not answered is kept, and sent again when the stream
// breaks: the worker skips what it has stored already.
import type { ServiceError } from '@grpc/grpc-js'
import { TroupeError } from '../../contract/errors.ts'
import { fromGrpcError } from '../grpc/index.ts'
import { attemptAgain, type Retry } from './client-attempts.ts'
import { toMetadataMessage, type UpsertRequestMessage, type UpsertResponseMessage } from './messages.ts'
import type { Metadata } from './metadata.ts'

export interface UpsertDocument {
  documentId: string
  text: string
  title?: string
  metadata?: Metadata
}

export interface UpsertSummary {
  stored: number
  replaced: number
  unchanged: number
  /** Passages written. */
  passages: number
}

export interface UpsertStream {
  write(request: UpsertRequestMessage): boolean
  end(): unknown
  cancel(): void
  on(event: 'data', listener: (response: UpsertResponseMessage) => void): unknown
  on(event: 'error', listener: (error: ServiceError) => void): unknown
  on(event: 'end' | 'drain', listener: () => void): unknown
}

export interface Upsert {
  open(): UpsertStream
  retry: Retry
  tenant: string
  collection: string
  documents: Iterable<UpsertDocument> | AsyncIterable<UpsertDocument>
}

/** Documents under way; a source is not read further ahead than this. */
const MAX_UNANSWERED = 256

const COUNTED = { STORED: 'stored', REPLACED: 'replaced', UNCHANGED: 'unchanged' } as const

export async function upsertAll(upsert: Upsert): Promise<UpsertSummary> {
  const summary: UpsertSummary = { stored: 0, replaced: 0, unchanged: 0, passages: 0 }
  const source = requestsOf(upsert)
  const unanswered: UpsertRequestMessage[] = []
  let exhausted = false
  // Whatever the source throws, or is wrong with what it gave, is the caller's own and never a reason to try again.
  let sourceFailure: { error: unknown } | undefined
  let answered = 0
  let answeredBefore = 0

  /** One stream, until it ends or breaks. */
  async function once(): Promise<void> {
    const stream = upsert.open()
    const { signal, where } = upsert.retry
    const ended = Promise.withResolvers<void>()
    let broken: { error: unknown } | undefined
    let changed = Promise.withResolvers<void>()
    const wake = (): void => {
      changed.resolve()
      changed = Promise.withResolvers<void>()
    }
    stream.on('data', ({ outcome, passages }) => {
      // Left over from before the break: its document is sent again.
      if (broken !== undefined) return
      unanswered.shift()
      answered++
      summary.passages += passages
      if (outcome !== 'OUTCOME_UNSPECIFIED') summary[COUNTED[outcome]]++
      wake()
    })
    stream.on('error', (error) => {
      broken ??= { error: signal?.aborted ? signal.reason : fromGrpcError(error, where) }
      wake()
      ended.resolve()
    })
    stream.on('end', () => {
      // An error comes before the end: a stream that just ends says nothing of what it was not done with.
      if (!exhausted || unanswered.length > 0) {
        broken ??= {
          error: new TroupeError('worker_unavailable', `${where}: ended the upsert before its documents did`),
        }
      }
      wake()
      ended.resolve()
    })
    stream.on('drain', wake)
    const aborted = (): void => stream.cancel()
    signal?.addEventListener('abort', aborted, { once: true })

    async function send(): Promise<void> {
      for (const request of [...unanswered]) await write(request)
      while (!exhausted && broken === undefined) {
        if (unanswered.length >= MAX_UNANSWERED) {
          await changed.promise
          continue
        }
        const next = await source.next().catch((error: unknown) => {
          sourceFailure = { error }
          return { done: true, value: undefined } as const
        })
        if (next.done === true) exhausted = true
        else {
          unanswered.push(next.value)
          await write(next.value)
        }
      }
      stream.end()
    }
    async function write(request: UpsertRequestMessage): Promise<void> {
      if (broken !== undefined || stream.write(request)) return
      await changed.promise
    }

    try {
      await send()
      await ended.promise
    } finally {
      signal?.removeEventListener('abort', aborted)
    }
    if (broken !== undefined) throw broken.error
  }

  try {
    await attemptAgain(upsert.retry, once, () => {
      const progressed = answered > answeredBefore
      answeredBefore = answered
      return progressed
    })
  } finally {
    await source.return(undefined)
  }
  if (sourceFailure !== undefined) throw sourceFailure.error
  return summary
}

async function* requestsOf({ tenant, collection, documents }: Upsert): AsyncGenerator<UpsertRequestMessage> {
  for await (const { documentId, text, title = '', metadata = {} } of documents) {
    yield { tenant, collection, document: { id: documentId, text, title, metadata: toMetadataMessage(metadata) } }
  }
}
