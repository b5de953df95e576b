// Telemetry: one task is one trace, through HTTP, bus, actor, step and gRPC, whoever runs it and however often it moved.
//   index.ts          this file
//   tracing.ts        spans, as the rooms open them
//   identity.ts       who a span is: ids, W3C traceparent
//   recording.ts      the OpenTelemetry Node SDK, which makes the spans that are open and decides which are kept
//   together.ts       spans that are told when they are over, many at once
//   otlp.ts           an ended span as bytes; protobuf.ts: how those are written
//   export.ts         gathers and bounds them; sender.ts: one request at a time to the collector
//   task-trace.ts     the waterfall of a task out of its log, for when there is no collector
//
// Without a collector nothing is recorded and a span costs one comparison: a task's log holds its steps and their
// times already, and the trace that `troupe trace` shows is computed from it.
export { type ExportCounts, type Exporting, type ExportOptions, startExport } from './export.ts'
export { derivedSpanId } from './identity.ts'
export type { SpanDescription } from './otlp.ts'
export { shortStep, type TraceSpan, traceOfLog } from './task-trace.ts'
export { type Over, tellTogether } from './together.ts'
export {
  currentTraceparent,
  describeSpans,
  type OpenSpan,
  type SpanAttributes,
  span,
  startSpan,
  tellSpan,
} from './tracing.ts'
