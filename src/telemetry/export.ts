// Sends ended spans to a collector (Jaeger, or any that takes OTLP over HTTP), in batches and beside the work: nobody
// waits for it. While the collector is away, slow or refusing, so much is kept and no more; what does not fit is
// counted and dropped. It is told once that it began and once that it is over.
import type { Attributes } from '@opentelemetry/api'
import { requestHead, writeOverSpan, writeSpan } from './otlp.ts'
import { Writer } from './protobuf.ts'
import { type SpanSink, startRecording } from './recording.ts'
import { createSender } from './sender.ts'

export interface ExportOptions {
  /** The role of this process: `troupe-gateway`, `troupe-host` … */
  service: string
  /** The whole address: `http://jaeger:4318/v1/traces`. */
  url: string
  headers?: Record<string, string>
  gzip?: boolean
  /** Of the traces that begin here, from 0 to 1; a trace is kept whole or not at all. Default 1. */
  share?: number
  /** What began elsewhere is kept when it is kept there. Default true. */
  followsParent?: boolean
  /** More about this process, for every span. */
  resource?: Attributes
  /** How long an ended span waits for company. Default 1 s. */
  delayMs?: number
  /** How long a collector may take to answer. Default 10 s. */
  timeoutMs?: number
  /** Encoded spans that wait for the collector. Default 16 MiB, about 60,000 spans. */
  maxWaitingBytes?: number
  /** Collector away, collector back. Never more often than once for each change. */
  onTrouble?(message: string): void
}

export interface Exporting {
  /** Sends what has ended so far; ends by itself when the collector does not answer. */
  stop(): Promise<void>
  counts(): ExportCounts
}

export interface ExportCounts {
  ended: number
  sent: number
  dropped: number
  waitingBytes: number
}

/** A request of this size is sent without waiting for more. */
const BATCH_BYTES = 512 * 1024
/** Whoever stops the process waits no longer than this for a collector. */
const LAST_WORDS_MS = 1_000

interface Batch {
  head: Buffer
  spans: Buffer
  count: number
}

export async function startExport(options: ExportOptions): Promise<Exporting> {
  const { delayMs = 1_000, maxWaitingBytes = 16 * 1024 * 1024, onTrouble = () => {} } = options
  const { service, share = 1, followsParent = true } = options
  const resource = {
    'service.name': service,
    'service.namespace': 'troupe',
    'process.pid': process.pid,
    'telemetry.sdk.name': 'opentelemetry',
    'telemetry.sdk.language': 'nodejs',
    ...options.resource,
  }
  const counts = { ended: 0, sent: 0, dropped: 0 }
  const writer = new Writer()
  const batches: Batch[] = []
  let written = 0
  let sealedBytes = 0
  let sending: Promise<void> | undefined
  const sender = createSender({
    ...options,
    onTrouble,
    onBack: () => onTrouble(`The collector takes traces again; ${counts.dropped} spans were dropped so far.`),
  })

  /** False: there is no room for another span. */
  function begun(): boolean {
    counts.ended += 1
    if (sealedBytes + writer.length < maxWaitingBytes) return true
    counts.dropped += 1
    return false
  }

  function done(): void {
    written += 1
    if (writer.length >= BATCH_BYTES) seal()
  }

  const sink: SpanSink = {
    ended(span) {
      if (!begun()) return
      writeSpan(writer, span)
      done()
    },
    told(description, over) {
      if (!begun()) return
      writeOverSpan(writer, description, over)
      done()
    },
  }

  function seal(): void {
    if (written === 0) return
    const spans = writer.take()
    batches.push({ head: requestHead(resource, 'troupe', spans.length), spans, count: written })
    written = 0
    sealedBytes += spans.length
    sending ??= sendAll().finally(() => {
      sending = undefined
    })
  }

  async function sendAll(): Promise<void> {
    for (;;) {
      const batch = batches[0]
      if (batch === undefined) return
      const taken = await sender.send([batch.head, batch.spans])
      batches.shift()
      sealedBytes -= batch.spans.length
      counts[taken ? 'sent' : 'dropped'] += batch.count
      // Of one that was refused the rest may still be on its way.
      if (taken) writer.giveBack(batch.spans)
    }
  }

  const ticking = setInterval(seal, delayMs)
  ticking.unref()
  const recording = await startRecording({ sink, share, followsParent })

  return {
    async stop() {
      clearInterval(ticking)
      await recording.stop()
      seal()
      sender.hurry(LAST_WORDS_MS)
      await sending
      sender.close()
    },
    counts: () => ({ ...counts, waitingBytes: sealedBytes + writer.length }),
  }
}
