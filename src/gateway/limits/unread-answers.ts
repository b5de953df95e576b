// Answers that are not taken. A large one waits in memory until its reader has taken it, and a reader may stop for ever: so what
// waits is counted with the bodies that are held, and a connection over which nothing moves for a while is closed.
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { refuse } from '../problem.ts'
import type { Bodies } from './bodies.ts'

/** Gives what is to be sent: the answer, or that there is no room for it. */
export type WatchAnswer = (request: FastifyRequest, reply: FastifyReply, payload: unknown) => unknown

export function watchUnreadAnswers(bodies: Bodies, slowMs: number): WatchAnswer {
  return (request, reply, payload) => {
    if (payload instanceof Readable) closeWhenStuck(reply, slowMs)
    if (typeof payload !== 'string' || !bodies.counts(payload.length)) return payload
    try {
      reply.raw.once('close', bodies.take(payload.length))
      closeWhenStuck(reply, slowMs)
      return payload
    } catch (error) {
      // What a change has done is told all the same; a read can be asked for again.
      return request.method === 'GET' ? JSON.stringify(refuse(request, reply, error)) : payload
    }
  }
}

/** Node asks whether any of what was written has left since the last look. */
function closeWhenStuck({ raw }: FastifyReply, slowMs: number): void {
  raw.setTimeout(slowMs, () => raw.destroy())
}
