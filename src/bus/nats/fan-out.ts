// Many followers of one subject share one subscription: a thousand readers of a task cost the server one.
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node'
import type { Unsubscribe } from '../bus.ts'

export function createFanOut(nats: NatsConnection) {
  const followed = new Map<string, { handlers: Set<(message: Msg) => void>; subscription: Subscription }>()

  return {
    follow(subject: string, handler: (message: Msg) => void): Unsubscribe {
      let entry = followed.get(subject)
      if (entry === undefined) {
        const handlers = new Set<(message: Msg) => void>()
        const callback = (error: Error | null, message: Msg) => {
          if (error === null) for (const known of handlers) known(message)
        }
        entry = { handlers, subscription: nats.subscribe(subject, { callback }) }
        followed.set(subject, entry)
      }
      entry.handlers.add(handler)
      const { handlers, subscription } = entry
      return () => {
        handlers.delete(handler)
        if (handlers.size > 0 || followed.get(subject)?.subscription !== subscription) return
        followed.delete(subject)
        subscription.unsubscribe()
      }
    },
  }
}
