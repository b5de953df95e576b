// The OpenTelemetry Node SDK makes the spans; those that ended go to a sink (export.ts). What an agent's author or a
// library begins with `@opentelemetry/api` becomes part of the same trace.
//
// Only its batch processor and exporter are not used: a span costs 6.7 µs of processor time with them and 2 µs with the
// sink, and ten thousand tasks a second have twenty thousand spans (npm run bench -- tracing).
import {
  type Attributes,
  type Context,
  context,
  type HrTime,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type SpanOptions,
  type SpanStatus,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { tracing } from '@opentelemetry/sdk-node'
import { newSpanId, newTraceId } from './identity.ts'
import type { EndedSpan } from './otlp.ts'

export interface SpanSink {
  ended(span: EndedSpan): void
}

export interface RecordingOptions {
  sink: SpanSink
  /** Of the traces that begin here, from 0 to 1. */
  share: number
  /** A trace that began elsewhere is kept when it is kept there. False: `share` decides about all. */
  followsParent: boolean
}

export interface StartOptions extends SpanOptions {
  /** Only for a span that other processes must be able to name. */
  spanId?: string | undefined
}

export interface Recording {
  begin(name: string, options: StartOptions, parent: SpanContext | undefined): Span
  stop(): Promise<void>
}

/** An attribute is for finding a span, not for keeping what it worked on. */
const LIMITS = { attributeValueLengthLimit: 8_192, attributeCountLimit: 128, eventCountLimit: 128, linkCountLimit: 128 }

let current: Recording | undefined

/** Undefined while nothing is recorded in this process. */
export function recording(): Recording | undefined {
  return current
}

/** The SDK takes a third of a second to load: only who exports waits for it. */
export async function startRecording({ sink, share, followsParent }: RecordingOptions): Promise<Recording> {
  const sdkNode = await import('@opentelemetry/sdk-node')
  const { AlwaysOnSampler, ParentBasedSampler, TraceIdRatioBasedSampler } = sdkNode.tracing
  const root = share >= 1 ? new AlwaysOnSampler() : new TraceIdRatioBasedSampler(share)
  const ids = new ChosenIds()
  const sdk = new sdkNode.NodeSDK({
    autoDetectResources: false,
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
    idGenerator: ids,
    sampler: followsParent ? new ParentBasedSampler({ root }) : root,
    spanLimits: LIMITS,
    spanProcessors: [processorOf(sink)],
  })
  sdk.start()
  const tracer: Tracer = trace.getTracer('troupe')
  current = {
    begin(name, { spanId, ...options }, parent) {
      ids.next = spanId
      const around: Context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
      return tracer.startSpan(name, options, around)
    },
    async stop() {
      current = undefined
      await sdk.shutdown()
      for (const api of [trace, context, propagation]) api.disable()
    },
  }
  return current
}

/** The SDK asks for an id at once when a span begins, so the wish for one reaches no other span. */
class ChosenIds implements tracing.IdGenerator {
  next: string | undefined

  generateTraceId = newTraceId

  generateSpanId = (): string => {
    const chosen = this.next
    this.next = undefined
    return chosen ?? newSpanId()
  }
}

function processorOf(sink: SpanSink): tracing.SpanProcessor {
  return {
    onStart() {},
    onEnd: (span) => sink.ended(new Ended(span)),
    forceFlush: async () => {},
    shutdown: async () => {},
  }
}

/** The SDK's span as otlp.ts writes it. */
class Ended implements EndedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
  readonly parentId: string | undefined
  readonly parentIsRemote: boolean
  readonly name: string
  readonly kind: number
  readonly startedAt: number
  readonly endedAt: number
  readonly attributes: Attributes
  readonly events: EndedSpan['events']
  readonly links: Link[]
  readonly status: SpanStatus

  constructor(span: tracing.ReadableSpan) {
    const { traceId, spanId, traceFlags } = span.spanContext()
    this.traceId = traceId
    this.spanId = spanId
    this.traceFlags = traceFlags
    this.parentId = span.parentSpanContext?.spanId
    this.parentIsRemote = span.parentSpanContext?.isRemote === true
    this.name = span.name
    this.kind = span.kind
    this.startedAt = milliseconds(span.startTime)
    this.endedAt = milliseconds(span.endTime)
    this.attributes = span.attributes
    this.events = span.events.map(({ name, time, attributes = {} }) => ({ name, at: milliseconds(time), attributes }))
    this.links = span.links
    this.status = span.status
  }
}

function milliseconds([seconds, nanoseconds]: HrTime): number {
  return seconds * 1_000 + nanoseconds / 1e6
}
