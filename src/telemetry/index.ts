// Telemetry: one task is one trace, through HTTP, bus, actor, step and gRPC, whoever runs it and however often it moved.
//   index.ts         this file
//   tracing.ts       spans and their context as text (W3C traceparent)
//   export.ts        starts the OpenTelemetry Node SDK when a collector is configured
//   task-trace.ts    the waterfall of a task out of its log, for when there is no collector
//
// Without a collector nothing is recorded and a span costs one comparison: a task's log holds its steps and their
// times already, and the trace that `troupe trace` shows is computed from it.
export { startExport } from './export.ts'
export { type TraceSpan, traceOfLog } from './task-trace.ts'
export { currentTraceparent, type SpanAttributes, span, startSpan } from './tracing.ts'
