// Spans by the OpenTelemetry API, which does nothing until an SDK is started (export.ts). Context crosses processes as a
// W3C traceparent: in HTTP and gRPC headers, in a NATS message and in the journal.
import { type Context, context, type Link, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { TroupeError } from '../contract/errors.ts'

export type SpanAttributes = Record<string, string | number | boolean>

export interface SpanOptions {
  attributes?: SpanAttributes
  /** The span this one belongs under, from another process or another time. Absent: the active one. */
  parent?: string | undefined
  /** Another span of the same story that is not the parent. */
  linked?: string | undefined
  kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer'
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const

export interface OpenSpan {
  /** Absent while no SDK is started. */
  readonly traceparent: string | undefined
  /** Runs work inside the span: spans begun there are its children. */
  within<Result>(work: () => Result): Result
  end(error?: unknown): void
}

/** Runs work in a span of its own; the span ends with the work and carries its error. */
export async function span<Result>(
  name: string,
  options: SpanOptions,
  work: (traceparent: string | undefined) => Promise<Result>,
): Promise<Result> {
  const opened = startSpan(name, options)
  try {
    const result = await opened.within(() => work(opened.traceparent ?? options.parent))
    opened.end()
    return result
  } catch (error) {
    opened.end(error)
    throw error
  }
}

export function startSpan(name: string, options: SpanOptions): OpenSpan {
  const parent = options.parent === undefined ? context.active() : contextOf(options.parent)
  const links = options.linked === undefined ? [] : linkTo(options.linked)
  const { attributes = {}, kind = 'internal' } = options
  const opened = trace.getTracer('troupe').startSpan(name, { attributes, links, kind: KINDS[kind] }, parent)
  const inside = trace.setSpan(parent, opened)
  return {
    traceparent: traceparentOf(opened),
    within: (work) => context.with(inside, work),
    end(error) {
      if (error !== undefined) fail(opened, error)
      opened.end()
    },
  }
}

/** Of the span that is active here, for whoever calls another process. */
export function currentTraceparent(): string | undefined {
  const active = trace.getActiveSpan()
  return active === undefined ? undefined : traceparentOf(active)
}

function fail(opened: Span, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  opened.setStatus({ code: SpanStatusCode.ERROR, message })
  opened.setAttribute('error.type', error instanceof TroupeError ? error.code : 'exception')
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

function spanContextOf(traceparent: string) {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
}

function contextOf(traceparent: string): Context {
  const remote = spanContextOf(traceparent)
  return remote === undefined ? context.active() : trace.setSpanContext(context.active(), remote)
}

function linkTo(traceparent: string): Link[] {
  const remote = spanContextOf(traceparent)
  return remote === undefined ? [] : [{ context: remote }]
}

function traceparentOf(opened: Span): string | undefined {
  const { traceId, spanId, traceFlags } = opened.spanContext()
  if (/^0+$/.test(traceId)) return undefined
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}
