// Continues the caller's trace in a worker: one server span for each call that brought a W3C `traceparent`. Without an
// OpenTelemetry SDK in the process these calls do nothing.
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'

/** Ends the span; `failure` is the error's code. */
export type EndSpan = (failure?: string) => void

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
const nothing: EndSpan = () => {}

export function continueTrace(
  traceparent: string | undefined,
  name: string,
  attributes: Record<string, string | number>,
): EndSpan {
  if (traceparent === undefined) return nothing
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return nothing
  const parent = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  const context = trace.setSpanContext(ROOT_CONTEXT, parent)
  const options = { kind: SpanKind.SERVER, attributes: { 'rpc.system': 'grpc', ...attributes } }
  const span = trace.getTracer('troupe.workers').startSpan(name, options, context)
  return (failure) => {
    if (failure !== undefined) {
      span.setAttribute('error.type', failure)
      span.setStatus({ code: SpanStatusCode.ERROR })
    }
    span.end()
  }
}
