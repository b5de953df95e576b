// The OpenTelemetry Node SDK makes the spans; those that ended go to a sink (export.ts). What an agent's author or a
// library begins with `@opentelemetry/api` becomes part of the same trace.
//
// Only its batch processor and exporter are not used: a span costs 6.7 µs of processor time with them and 2 µs with the
// sink (npm run bench -- tracing). A span that is over when it is told is not even made (ADR 28).
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type SpanOptions,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { tracing } from '@opentelemetry/sdk-node'
import { newSpanId, newTraceId } from './identity.ts'
import type { EndedSpan, OverSpan, SpanDescription } from './otlp.ts'
import { tellAll } from './together.ts'

export interface SpanSink {
  ended(span: EndedSpan): void
  told(description: SpanDescription, over: OverSpan): void
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

/** Without a parent its trace begins with it. */
export type Told = Omit<OverSpan, 'traceId'>

export interface Recording {
  begin(name: string, options: StartOptions, parent: SpanContext | undefined): Span
  /** A span that is over: the SDK's sampler decides, and nothing else of the SDK is asked (ADR 28). */
  tell(description: SpanDescription, over: Told): void
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
  const { AlwaysOnSampler, ParentBasedSampler, SamplingDecision, TraceIdRatioBasedSampler } = sdkNode.tracing
  const root = share >= 1 ? new AlwaysOnSampler() : new TraceIdRatioBasedSampler(share)
  const ids = new ChosenIds()
  const sampler = followsParent ? new ParentBasedSampler({ root }) : root
  const sdk = new sdkNode.NodeSDK({
    autoDetectResources: false,
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
    idGenerator: ids,
    sampler,
    spanLimits: LIMITS,
    spanProcessors: [processorOf((span) => sink.ended(span))],
  })
  sdk.start()
  const tracer: Tracer = trace.getTracer('troupe')

  function begin(name: string, options: StartOptions, parent: SpanContext | undefined): Span {
    ids.next = options.spanId
    return tracer.startSpan(name, options, below(parent))
  }

  current = {
    begin,
    tell(description, { parent, story, linked, startedAt, endedAt, attributes, errorType }) {
      const traceId = parent?.traceId ?? newTraceId()
      const { name, kind } = description
      const { decision } = sampler.shouldSample(below(parent), traceId, name, kind, attributes, [])
      if (decision !== SamplingDecision.RECORD_AND_SAMPLED) return
      sink.told(description, { traceId, story, parent, linked, startedAt, endedAt, attributes, errorType })
    },
    async stop() {
      tellAll()
      current = undefined
      await sdk.shutdown()
      for (const api of [trace, context, propagation]) api.disable()
    },
  }
  return current
}

/** The error's code and no more: its message may quote what the task worked on. The task's log has it. */
export function failSpan(span: Span, errorType: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR })
  span.setAttribute('error.type', errorType)
}

/**
 * A context that holds nothing, or one thing: a span's parent. The API's own copies a Map and makes three closures, for
 * each span that has a parent.
 */
class LoneContext implements Context {
  readonly #key: symbol | undefined
  readonly #value: unknown

  constructor(key?: symbol, value?: unknown) {
    this.#key = key
    this.#value = value
  }

  getValue(key: symbol): unknown {
    return key === this.#key ? this.#value : undefined
  }

  setValue(key: symbol, value: unknown): Context {
    if (this.#key === undefined || this.#key === key) return new LoneContext(key, value)
    return ROOT_CONTEXT.setValue(this.#key, this.#value).setValue(key, value)
  }

  deleteValue(key: symbol): Context {
    return key === this.#key ? NOWHERE : this
  }
}

const NOWHERE = new LoneContext()

function below(parent: SpanContext | undefined): Context {
  return parent === undefined ? NOWHERE : trace.setSpanContext(NOWHERE, parent)
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

function processorOf(ended: (span: EndedSpan) => void): tracing.SpanProcessor {
  return {
    onStart() {},
    onEnd: ended,
    forceFlush: async () => {},
    shutdown: async () => {},
  }
}
