// What grpc-js's server offers no option for, done through its private fields. Where a later version has renamed them,
// it is simply slower: default windows, and every stream through grpc-js.
//
// HTTP/2's receive window of 64 kB lets a client send one large tensor and then wait for a round trip; with megabytes,
// messages of 50 kB arrive three times as fast (measured: 8,000 a second against 21,000).
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream, Settings } from 'node:http2'
import type { Server } from '@grpc/grpc-js'
import { takes } from './direct-stream.ts'
import type { DirectHandler } from './methods.ts'

const STREAM_WINDOW = 4 * 1024 * 1024
const CONNECTION_WINDOW = 16 * 1024 * 1024

interface ServerInternals {
  commonServerOptions?: { settings?: Settings }
  http2Servers?: Map<Http2Server, unknown>
}

/** Before the server is bound: what it tells each new connection. */
export function widenStreams(server: Server): void {
  const { commonServerOptions } = internalsOf(server)
  if (commonServerOptions === undefined) return
  commonServerOptions.settings = { ...commonServerOptions.settings, initialWindowSize: STREAM_WINDOW }
}

/** After it is bound: the window that all streams of a connection share. */
export function widenConnections(server: Server): void {
  for (const each of internalsOf(server).http2Servers?.keys() ?? []) {
    each.on('session', (session: ServerHttp2Session) => session.setLocalWindowSize(CONNECTION_WINDOW))
  }
}

/** After it is bound: plain calls of these paths go to their own handlers, all others to grpc-js as before. */
export function divert(server: Server, handlers: ReadonlyMap<string, DirectHandler>): void {
  if (handlers.size === 0) return
  for (const each of internalsOf(server).http2Servers?.keys() ?? []) {
    const others = each.listeners('stream')
    each.removeAllListeners('stream')
    each.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest: unknown[]) => {
      const handler = takes(headers) ? handlers.get(headers[':path'] ?? '') : undefined
      if (handler !== undefined) handler(stream, headers)
      else for (const other of others) other.call(each, stream, headers, ...rest)
    })
  }
}

function internalsOf(server: Server): ServerInternals {
  return server as unknown as ServerInternals
}
