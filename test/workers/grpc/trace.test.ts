import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metadata } from '@grpc/grpc-js'
import { type Span, type SpanContext, type SpanOptions, type Tracer, trace } from '@opentelemetry/api'
import { call, connect, echoDefinition, startEcho } from './support/echo.ts'

test('a call that brings a traceparent becomes a server span of that trace; one without does not', async () => {
  const spans: { name: string; parent: SpanContext | undefined; attributes: unknown; ended: boolean }[] = []
  const startSpan: Tracer['startSpan'] = (name, options: SpanOptions = {}, context) => {
    const seen = {
      name,
      parent: context && trace.getSpanContext(context),
      attributes: options.attributes,
      ended: false,
    }
    spans.push(seen)
    const span: Partial<Span> = {
      end() {
        seen.ended = true
      },
      setAttribute: () => span as Span,
      setStatus: () => span as Span,
    }
    return span as Span
  }
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) as Partial<Tracer> as Tracer })
  const server = await startEcho()
  const client = connect(echoDefinition, server.port)
  const metadata = new Metadata()
  metadata.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')
  await call(client, 'One', { text: 'untraced' })
  await new Promise<void>((resolve) => client.One({ text: 'traced' }, metadata, () => resolve()))
  assert.equal(spans.length, 1)
  assert.equal(spans[0]?.name, 'troupe.test.Echo/One')
  assert.equal(spans[0]?.parent?.traceId, '0af7651916cd43dd8448eb211c80319c')
  assert.equal(spans[0]?.ended, true)
  trace.disable()
  client.close()
  await server.stop()
})
