// The WebSocket door: over one connection, GET /v1/stream submits tasks and follows them and the platform's event streams.
//   index.ts        this file: the route, heartbeats
//   connection.ts   one connection: what it follows, its bounded buffer
//   submitting.ts   submissions over the connection, and their ends
//   protocol.ts     what is said, in both directions
//   socket.ts       what is used of the WebSocket library
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { TroupeError } from '../../../contract/errors.ts'
import type { Authenticate } from '../../auth/authenticate.ts'
import type { Rates } from '../../limits/rates.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import type { OpenStream } from '../../streams.ts'
import { openConnection } from './connection.ts'
import type { Socket } from './socket.ts'

export const STREAM_PATH = '/v1/stream'

/** A key that is revoked or expires in the middle of a connection is good for nothing new after this long. */
const CHECKED_MS = 1_000

/** A peer that answers no ping for this long is gone, whatever TCP believes. */
const PING_MS = 30_000

export function streamDoor(
  context: GatewayContext,
  guards: { authenticate: Authenticate; rates: Rates },
): FastifyPluginAsyncZod {
  const { streams } = context

  return async (app) => {
    const answering = new Map<Socket, boolean>()
    const pings = setInterval(() => {
      for (const [socket, answered] of answering) {
        if (!answered) socket.terminate()
        answering.set(socket, false)
        socket.ping()
      }
    }, PING_MS)
    pings.unref()
    app.addHook('onClose', async () => clearInterval(pings))

    app.route({
      method: 'GET',
      url: STREAM_PATH,
      config: { role: 'viewer' },
      schema: {
        tags: ['streams'],
        summary: 'Submit and follow many tasks, and follow event streams, over a WebSocket',
        description:
          'Upgrade to a WebSocket with the subprotocol `troupe.v1`. A browser gives its credential as a second subprotocol, `troupe.bearer.<key or token>`.',
        response: { 101: z.undefined().describe('Switched to WebSocket.'), ...problems('overloaded') },
      },
      handler: async () => {
        throw new TroupeError('invalid_request', 'Upgrade this request to a WebSocket.')
      },
      wsHandler: (socket: Socket, request) => {
        const reader = principalOf(request)
        let checkedAt = performance.now()
        const admit = () => {
          if (performance.now() - checkedAt < CHECKED_MS) return guards.rates.take(reader)
          checkedAt = performance.now()
          return streams.check(stream).then((isGood) => {
            if (isGood) return guards.rates.take(reader)
            throw new TroupeError('unauthenticated', 'The credential of this connection is no longer good.')
          })
        }
        const connection = openConnection(socket, request.raw.socket, reader, request.id, context, admit)
        const stream: OpenStream = {
          tenant: reader.tenant,
          end: (why) => connection.end(why),
          recheck: () => guards.authenticate(request.headers),
        }
        let release: () => void
        try {
          release = streams.open(stream)
        } catch (error) {
          socket.close(1013, error instanceof TroupeError ? error.code : 'internal')
          return
        }
        answering.set(socket, true)
        socket.on('pong', () => answering.set(socket, true))
        socket.on('message', (data, isBinary) => {
          if (isBinary) return socket.close(1003, 'text frames only')
          connection.receive(data)
        })
        // A protocol error of the peer closes the connection; `close` follows.
        socket.on('error', () => {})
        socket.on('close', () => {
          answering.delete(socket)
          release()
          connection.close()
        })
      },
    })
  }
}
