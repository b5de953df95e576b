// A collector as Jaeger is one: takes OTLP/HTTP protobuf on a free port and decodes it by the protocol's definition.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { MethodDefinition } from '@grpc/proto-loader'
import { loadSync } from '@grpc/proto-loader'

export interface Span {
  service: string
  instance: string | undefined
  scope: string
  traceId: string
  spanId: string
  parentId: string | undefined
  name: string
  kind: string
  /** Nanoseconds of the epoch. */
  start: bigint
  end: bigint
  attributes: Record<string, unknown>
  events: { name: string; attributes: Record<string, unknown> }[]
  links: { traceId: string; spanId: string }[]
  failed: boolean
  statusMessage: string
  flags: number
}

export interface Collector {
  /** As TROUPE_OTLP_URL wants it. */
  url: string
  spans: Span[]
  requests: { headers: IncomingMessage['headers']; bytes: number }[]
  /** Resolves when the spans are as wanted; rejects after a while, with what there was. */
  until(what: string, isThere: (spans: Span[]) => boolean, limitMs?: number): Promise<void>
  stop(): Promise<void>
}

/** `answer`: instead of taking what came; it may also never answer. */
export async function startCollector(answer?: (response: ServerResponse, count: number) => void): Promise<Collector> {
  const spans: Span[] = []
  const requests: Collector['requests'] = []
  const watchers = new Set<() => void>()
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const body = Buffer.concat(pieces)
    requests.push({ headers: request.headers, bytes: body.length })
    if (answer === undefined) {
      spans.push(...decode(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body))
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    } else answer(response, requests.length)
    for (const watcher of watchers) watcher()
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    requests,
    until: (what, isThere, limitMs = 30_000) =>
      new Promise((resolve, reject) => {
        const settle = (error?: Error) => {
          watchers.delete(look)
          clearTimeout(timer)
          if (error === undefined) resolve()
          else reject(error)
        }
        const look = () => {
          if (isThere(spans)) settle()
        }
        const timer = setTimeout(
          () => settle(new Error(`not within ${limitMs} ms: ${what}; there are\n${draw(spans)}`)),
          limitMs,
        )
        watchers.add(look)
        look()
      }),
    async stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
      if (server.listening) await once(server, 'close')
    },
  }
}

/** Each span on a line, indented below its parent. */
export function draw(spans: Span[]): string {
  const lines: string[] = []
  const known = new Set(spans.map(({ spanId }) => spanId))
  const visit = (parent: string | undefined, depth: number) => {
    for (const span of spans) {
      const isHere =
        parent === undefined ? span.parentId === undefined || !known.has(span.parentId) : span.parentId === parent
      if (!isHere) continue
      lines.push(`${'  '.repeat(depth)}${span.name} (${span.service}${span.failed ? ', failed' : ''})`)
      if (depth < 30) visit(span.spanId, depth + 1)
    }
  }
  visit(undefined, 0)
  return lines.join('\n')
}

type Value = Record<string, unknown>
interface Attribute {
  key: string
  value: { value: string } & Value
}
interface Sent {
  resource_spans: {
    resource: { attributes: Attribute[] }
    scope_spans: { scope: { name: string }; spans: SentSpan[] }[]
  }[]
}
interface SentSpan {
  trace_id: Buffer
  span_id: Buffer
  parent_span_id: Buffer
  name: string
  kind: string
  start_time_unix_nano: string
  end_time_unix_nano: string
  attributes: Attribute[]
  events: { name: string; attributes: Attribute[] }[]
  links: { trace_id: Buffer; span_id: Buffer }[]
  status: { code: string; message: string } | null
  flags: number
}

const definition = loadSync(join(import.meta.dirname, 'trace.proto'), {
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
})
const { Export } = definition['otlp.TraceService'] as unknown as { Export: MethodDefinition<Sent, object> }

function decode(body: Buffer): Span[] {
  const { resource_spans: resources } = Export.requestDeserialize(body)
  return resources.flatMap(({ resource, scope_spans: scopes }) => {
    const { 'service.name': service, 'service.instance.id': instance } = plain(resource.attributes)
    return scopes.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        service: String(service),
        instance: instance === undefined ? undefined : String(instance),
        scope: scope.name,
        traceId: span.trace_id.toString('hex'),
        spanId: span.span_id.toString('hex'),
        parentId: span.parent_span_id.length === 0 ? undefined : span.parent_span_id.toString('hex'),
        name: span.name,
        kind: span.kind,
        start: BigInt(span.start_time_unix_nano),
        end: BigInt(span.end_time_unix_nano),
        attributes: plain(span.attributes),
        events: span.events.map(({ name, attributes }) => ({ name, attributes: plain(attributes) })),
        links: span.links.map((link) => ({
          traceId: link.trace_id.toString('hex'),
          spanId: link.span_id.toString('hex'),
        })),
        failed: span.status?.code === 'ERROR',
        statusMessage: span.status?.message ?? '',
        flags: span.flags,
      })),
    )
  })
}

function plain(attributes: Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, valueIn(value)]))
}

function valueIn(value: Attribute['value']): unknown {
  const content = value[value.value]
  if (value.value === 'int_value') return Number(content)
  if (value.value === 'array_value') return (content as { values: Attribute['value'][] }).values.map(valueIn)
  return content
}
