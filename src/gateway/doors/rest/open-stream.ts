// One reader's server-sent stream among all that are open: counted, ended when this gateway drains or the reader's key is
// revoked, dropped when it is too slow.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Authenticate } from '../../auth/authenticate.ts'
import type { GatewayContext } from '../../parts.ts'
import { codedError, problemOf } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import { type ServerSentEvent, serveEvents } from './sse.ts'

export interface StreamContent {
  /** Ends with the signal. `drop`: the reader let too much wait. */
  source(stop: AbortSignal, drop: () => void): AsyncIterable<ServerSentEvent>
  /** Where to resume, asked when the stream is ended before its source. */
  resume(): unknown
}

export type ServeStream = (request: FastifyRequest, reply: FastifyReply, content: StreamContent) => Promise<void>

export function streamServer(context: GatewayContext, authenticate: Authenticate): ServeStream {
  const { streams, metrics, config } = context

  return async (request, reply, { source, resume }) => {
    const stop = new AbortController()
    const cut = new AbortController()
    const release = streams.open({
      tenant: principalOf(request).tenant,
      end: (why) => cut.abort(why),
      recheck: () => authenticate(request.headers),
    })
    try {
      const end = await serveEvents(
        reply,
        source(stop.signal, () => cut.abort('dropped')),
        {
          stop,
          cut: cut.signal,
          slowMs: config.slowReaderMs,
          lastWords: (why) => ({ event: why, data: resume() }),
          problem: (error) => problemOf(codedError(error), request.id),
        },
      )
      if (end === 'slow') metrics.count('troupe_gateway_streams_dropped_total')
    } finally {
      release()
    }
  }
}
