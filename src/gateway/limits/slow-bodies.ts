// Bodies that do not arrive. A slow upload may take as long as it takes while it makes progress; one that stops, or drips
// so slowly that it only holds a connection, is refused with 408. While it is us who do not read (a full disk, a busy
// store, a machine that slept), nobody is accused.
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { TroupeError } from '../../contract/errors.ts'
import { sendProblem } from '../problem.ts'

/** Bytes a second: less is no transfer. */
const LEAST_RATE = 1_000
/** Looks within one window. */
const LOOKS = 5

export interface SlowBodies {
  watch(request: FastifyRequest, reply: FastifyReply): void
  /** The body is there as a whole. */
  arrived(raw: IncomingMessage): void
  close(): void
}

interface Arriving {
  request: FastifyRequest
  reply: FastifyReply
  /** What had come when the window began; of the whole connection. */
  bytes: number
  since: number
}

/** In each window so many bytes must come as the least rate asks for, until the body is there. */
export function watchSlowBodies(windowMs: number): SlowBodies {
  const arriving = new Map<IncomingMessage, Arriving>()
  const enough = (LEAST_RATE * windowMs) / 1_000
  const every = windowMs / LOOKS
  let lookedAt = performance.now()

  function look(): void {
    const now = performance.now()
    const wereAway = now - lookedAt > 2 * every
    lookedAt = now
    for (const [raw, body] of arriving) {
      if (raw.complete || raw.destroyed) arriving.delete(raw)
      else if (wereAway || now - body.since >= windowMs) judge(raw, body, now, wereAway)
    }
  }

  function judge(raw: IncomingMessage, body: Arriving, now: number, wereAway: boolean): void {
    const bytes = raw.socket.bytesRead
    const unread = raw.readableLength > 0 || raw.isPaused()
    if (wereAway || unread || bytes - body.bytes >= enough) {
      body.bytes = bytes
      body.since = now
      return
    }
    arriving.delete(raw)
    // Answered already: it only keeps the connection.
    if (body.reply.sent) raw.socket.destroy()
    else refuse(body, windowMs)
  }

  const timer = setInterval(look, every)
  timer.unref()

  return {
    watch(request, reply) {
      const { raw } = request
      if (!hasBody(raw)) return
      arriving.set(raw, { request, reply, bytes: raw.socket.bytesRead, since: performance.now() })
    },
    arrived: (raw) => void arriving.delete(raw),
    close: () => clearInterval(timer),
  }
}

/** As its headers say. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined
}

function refuse({ request, reply }: Arriving, windowMs: number): void {
  const message = `The rest of the body did not come: less than ${LEAST_RATE} bytes a second for ${windowMs / 1_000} s.`
  reply.header('connection', 'close')
  sendProblem(request, reply, new TroupeError('request_too_slow', message))
}
