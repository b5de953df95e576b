// Calls over the wire, both ways: asked and answered by number, or only told.
import { type ErrorRecord, fromErrorRecord, TroupeError, toErrorRecord } from '../contract/errors.ts'

export interface Channel {
  send(message: unknown): void
  onMessage(handler: (message: unknown) => void): void
}

export type Handlers = Record<string, (...args: never[]) => unknown>

export interface Peer {
  call(verb: string, ...args: unknown[]): Promise<unknown>
  /** Without an answer: what is lost is lost. */
  tell(verb: string, ...args: unknown[]): void
  /** Calls that wait are refused with this, and so is every later one. */
  close(error: TroupeError): void
}

type Frame =
  | { kind: 'call'; id: number; verb: string; args: unknown[] }
  | { kind: 'tell'; verb: string; args: unknown[] }
  | { kind: 'answer'; id: number; value?: unknown; error?: ErrorRecord }

/** So many calls of the other side are worked on at a time; more are refused, not queued. */
const MAX_AT_A_TIME = 2_000

export function createPeer(channel: Channel, handlers: Handlers): Peer {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  let next = 0
  let atWork = 0
  let closed: TroupeError | undefined

  async function serve(verb: string, args: unknown[]): Promise<unknown> {
    const handler = Object.hasOwn(handlers, verb) ? handlers[verb] : undefined
    if (handler === undefined) throw new TroupeError('permission_denied', `Nobody answers "${verb}" here.`)
    if (atWork >= MAX_AT_A_TIME) throw new TroupeError('overloaded', `${MAX_AT_A_TIME} calls are being worked on.`)
    atWork += 1
    try {
      return await (handler as (...given: unknown[]) => unknown)(...args)
    } finally {
      atWork -= 1
    }
  }

  function send(frame: Frame): void {
    if (closed === undefined) channel.send({ troupe: frame })
  }

  channel.onMessage((message) => {
    const frame = frameOf(message)
    if (frame === undefined || closed !== undefined) return
    if (frame.kind === 'answer') {
      const call = waiting.get(frame.id)
      waiting.delete(frame.id)
      if (frame.error === undefined) call?.resolve(frame.value)
      else call?.reject(fromErrorRecord(frame.error))
      return
    }
    const served = serve(frame.verb, frame.args)
    if (frame.kind === 'tell') served.catch(() => {})
    else {
      const { id } = frame
      // The second also tells that the answer is too large to be sent.
      served
        .then((value) => send({ kind: 'answer', id, value }))
        .catch((error: unknown) => send({ kind: 'answer', id, error: toErrorRecord(error) }))
    }
  })

  return {
    call(verb, ...args) {
      if (closed !== undefined) return Promise.reject(closed)
      return new Promise((resolve, reject) => {
        const id = next++
        send({ kind: 'call', id, verb, args })
        waiting.set(id, { resolve, reject })
      })
    },
    tell: (verb, ...args) => send({ kind: 'tell', verb, args }),
    close(error) {
      closed = error
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
    },
  }
}

/** The other side may be hostile: what is not a frame is nothing. Other messages share the channel. */
function frameOf(message: unknown): Frame | undefined {
  if (typeof message !== 'object' || message === null || !('troupe' in message)) return undefined
  const frame = message.troupe as Partial<Record<'kind' | 'id' | 'verb' | 'args', unknown>> | null
  if (typeof frame !== 'object' || frame === null) return undefined
  if (frame.kind === 'answer') return typeof frame.id === 'number' ? (frame as Frame) : undefined
  if (frame.kind !== 'call' && frame.kind !== 'tell') return undefined
  if (typeof frame.verb !== 'string' || !Array.isArray(frame.args)) return undefined
  return frame.kind === 'tell' || typeof frame.id === 'number' ? (frame as Frame) : undefined
}
