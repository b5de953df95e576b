// Makes spans and hands those that ended to a sink. It is also the process's OpenTelemetry provider: what an agent's
// author or a library begins with `@opentelemetry/api` becomes part of the same trace.
import {
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type TimeInput,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import { AsyncContext } from './async-context.ts'
import { isKept, newSpanId, newTraceId, SAMPLED } from './identity.ts'
import type { EndedSpan } from './otlp.ts'
import { RecordedSpan, UnrecordedSpan } from './recorded-span.ts'

export interface SpanSink {
  ended(span: EndedSpan): void
}

export interface RecorderOptions {
  sink: SpanSink
  /** Of the traces that begin here, from 0 to 1. */
  share: number
  /** A trace that began elsewhere is kept when it is kept there. False: `share` decides about all. */
  followsParent: boolean
}

export interface StartOptions extends Omit<SpanOptions, 'startTime'> {
  startTime?: TimeInput | undefined
  /** Only for a span that other processes must be able to name. */
  spanId?: string | undefined
}

export class Recorder implements TracerProvider, Tracer {
  readonly #options: RecorderOptions

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  begin(name: string, options: StartOptions, parent: SpanContext | undefined): RecordedSpan | UnrecordedSpan {
    const traceId = parent?.traceId ?? newTraceId()
    const spanId = options.spanId ?? newSpanId()
    const { followsParent, share, sink } = this.#options
    const kept =
      parent !== undefined && followsParent ? (parent.traceFlags & SAMPLED) === SAMPLED : isKept(traceId, share)
    if (!kept) return new UnrecordedSpan({ traceId, spanId, traceFlags: 0 })
    return new RecordedSpan(sink, { traceId, spanId, traceFlags: SAMPLED }, name, options, parent)
  }

  getTracer(): Tracer {
    return this
  }

  startSpan(name: string, options: SpanOptions = {}, within: Context = context.active()): Span {
    const parent = options.root === true ? undefined : trace.getSpanContext(within)
    return this.begin(name, { kind: SpanKind.INTERNAL, ...options }, parent)
  }

  startActiveSpan<Work extends (span: Span) => unknown>(name: string, ...rest: unknown[]): ReturnType<Work> {
    const work = rest.pop() as Work
    const [options = {}, within = context.active()] = rest as [SpanOptions?, Context?]
    const span = this.startSpan(name, options, within)
    return context.with(trace.setSpan(within, span), () => work(span)) as ReturnType<Work>
  }
}

let current: Recorder | undefined

/** Undefined while nothing is recorded in this process. */
export function recorder(): Recorder | undefined {
  return current
}

export function startRecording(options: RecorderOptions): { stop(): void } {
  current = new Recorder(options)
  trace.setGlobalTracerProvider(current)
  context.setGlobalContextManager(new AsyncContext(ROOT_CONTEXT))
  return {
    stop() {
      current = undefined
      trace.disable()
      context.disable()
    },
  }
}
