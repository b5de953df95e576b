// Starts the OpenTelemetry Node SDK for a collector (Jaeger, or any that takes OTLP over HTTP). The SDK is imported only
// then: it costs a good part of a second. It also reads the standard OTEL_* variables: headers, sampler, resource.
export interface ExportOptions {
  /** The role of this process: `troupe-gateway`, `troupe-host` … */
  service: string
  /** `http://jaeger:4318`. */
  url: string
  /** Of all traces, from 0 to 1; a trace is kept whole or not at all. Default 1. */
  share?: number
}

export async function startExport({ service, url, share = 1 }: ExportOptions): Promise<{ stop(): Promise<void> }> {
  const [{ NodeSDK, tracing, resources }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
  ])
  const exporter = new OTLPTraceExporter({ url: `${url.replace(/\/$/, '')}/v1/traces` })
  const sdk = new NodeSDK({
    resource: resources.resourceFromAttributes({ 'service.name': service, 'service.namespace': 'troupe' }),
    sampler: new tracing.ParentBasedSampler({ root: new tracing.TraceIdRatioBasedSampler(share) }),
    // A bounded queue: while the collector is away spans are dropped, never memory or work.
    spanProcessors: [new tracing.BatchSpanProcessor(exporter, { maxQueueSize: 16_384, maxExportBatchSize: 2_048 })],
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
  })
  sdk.start()
  return { stop: async () => await sdk.shutdown().catch(() => {}) }
}
