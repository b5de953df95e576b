// Continues the caller's trace in a worker: one server span for each call that brought a W3C `traceparent`. While no
// OpenTelemetry provider is registered in the process (src/boot/telemetry.ts does), these calls do nothing.
import { context, isSpanContextValid, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'

export interface ServerSpan {
  /** Runs the call inside its span, so that what it asks of another worker belongs below it. */
  within<Result>(work: () => Result): Result
  /** `failure` is the error's code. */
  end(failure?: string): void
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
const nothing: ServerSpan = { within: (work) => work(), end() {} }

export function continueTrace(
  traceparent: string | undefined,
  name: string,
  attributes: Record<string, string | number>,
): ServerSpan {
  if (traceparent === undefined) return nothing
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return nothing
  const parent = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  const callers = trace.setSpanContext(ROOT_CONTEXT, parent)
  const options = { kind: SpanKind.SERVER, attributes: { 'rpc.system': 'grpc', ...attributes } }
  const span = trace.getTracer('troupe.workers').startSpan(name, options, callers)
  return {
    within: (work) => context.with(trace.setSpan(callers, span), work),
    end(failure) {
      if (failure !== undefined) {
        span.setAttribute('error.type', failure)
        span.setStatus({ code: SpanStatusCode.ERROR })
      }
      span.end()
    },
  }
}

/** Of the call that is being answered here, for a call to the next worker. */
export function activeTraceparent(): string | undefined {
  const active = trace.getActiveSpan()?.spanContext()
  if (active === undefined || !isSpanContextValid(active)) return undefined
  return `00-${active.traceId}-${active.spanId}-${active.traceFlags.toString(16).padStart(2, '0')}`
}
