// The embedded bus: everything in one process, delivered in the same turn of the event loop or the next. It keeps the
// same promises as NATS (none but speed), so code that works here does not rely on more.

import { TroupeError } from '../contract/errors.ts'
import { PLATFORM_STREAMS, type PlatformEvent, type PlatformEventType, type TaskEvent } from '../contract/events.ts'
import { LANES } from '../contract/task.ts'
import type { Bus, ControlRequest, Offer, Taker, Unsubscribe } from './bus.ts'
import { createLanes, type Lanes } from './lanes.ts'

/** Offers of one agent beyond this are dropped: the journal has the tasks, the sweep offers them again. */
const MAX_OFFERS = 100_000
/** So many offers of one agent wait with their task's row. Behind them it is only memory: their taker reads it. */
const MAX_ROWS = 1_000
/** Platform events kept a stream, for followers that resume. */
const KEPT = 10_000

interface TakerState {
  agents: string[]
  room: number
  /** An offer is being handed over: whoever asks for more meanwhile gets it when that is done, not within it. */
  matching: boolean
  onOffer(offer: Offer): void
}

export function createInProcessBus(): Bus {
  const waiting = new Map<string, Lanes<Offer>>()
  // The sweep repeats what waits long; a second place in the queue would only be read in vain.
  const queued = new Set<string>()
  const takers = new Set<TakerState>()
  const nudges = new Map<string, (taskId: string) => void>()
  const followers = new Map<string, Set<(events: TaskEvent[]) => void>>()
  const controls = new Map<string, (request: ControlRequest) => Promise<unknown>>()
  const platform = createPlatformStreams()
  let closed = false

  function match(taker: TakerState): void {
    if (taker.matching) return
    taker.matching = true
    try {
      for (let offer = next(taker); offer !== undefined; offer = next(taker)) taker.onOffer(offer)
    } finally {
      taker.matching = false
    }
  }

  function next(taker: TakerState): Offer | undefined {
    if (taker.room <= 0 || !takers.has(taker)) return undefined
    for (const agent of taker.agents) {
      const lanes = waiting.get(agent)
      if (lanes === undefined || lanes.size === 0) continue
      const offer = lanes.take()!
      queued.delete(offer.taskId)
      taker.room -= 1
      return offer
    }
    return undefined
  }

  return {
    offer(offer) {
      if (closed || queued.has(offer.taskId)) return
      let lanes = waiting.get(offer.agent)
      if (lanes === undefined) {
        lanes = createLanes(LANES, MAX_OFFERS)
        waiting.set(offer.agent, lanes)
      }
      if (lanes.put(offer.priority, lanes.size < MAX_ROWS ? offer : withoutRow(offer))) queued.add(offer.taskId)
      for (const taker of takers) if (taker.room > 0 && taker.agents.includes(offer.agent)) match(taker)
    },

    offerEarly(offer) {
      // Whoever waits in the queue came first.
      if (closed || (waiting.get(offer.agent)?.size ?? 0) > 0) return false
      for (const taker of takers) {
        if (taker.room === 0 || !taker.agents.includes(offer.agent)) continue
        taker.room -= 1
        taker.onOffer(offer)
        return true
      }
      return false
    },

    take(agents, onOffer): Taker {
      const taker: TakerState = { agents, room: 0, matching: false, onOffer }
      takers.add(taker)
      return {
        more(count) {
          taker.room += count
          match(taker)
        },
        async stop() {
          takers.delete(taker)
        },
      }
    },

    nudge(hostId, taskId) {
      nudges.get(hostId)?.(taskId)
    },

    onNudge(hostId, handler) {
      nudges.set(hostId, handler)
      return () => nudges.delete(hostId)
    },

    publish(tenant, events) {
      const first = events[0]
      if (first === undefined) return
      for (const key of [`${tenant} ${first.task}`, `${tenant} *`]) {
        const handlers = followers.get(key)
        if (handlers !== undefined) for (const handler of handlers) handler(events)
      }
    },

    follow(tenant, taskId, handler) {
      const key = `${tenant} ${taskId ?? '*'}`
      const handlers = followers.get(key) ?? new Set()
      followers.set(key, handlers)
      handlers.add(handler)
      return () => {
        handlers.delete(handler)
        if (handlers.size === 0) followers.delete(key)
      }
    },

    async publishPlatform(event) {
      platform.publish(event)
    },

    async followPlatform(types, options, handler) {
      return platform.follow(types, options, handler)
    },

    serveControl(name, handler) {
      controls.set(name, handler)
      return () => controls.delete(name)
    },

    async control(name, request) {
      const handler = controls.get(name)
      if (handler === undefined) throw new TroupeError('unavailable', `Nothing answers control requests for ${name}.`)
      return await handler(request)
    },

    status: () => ({ connected: !closed }),

    async close() {
      closed = true
      takers.clear()
      nudges.clear()
      followers.clear()
      controls.clear()
    },
  }
}

function withoutRow({ task: _, ...offer }: Offer): Offer {
  return offer
}

type PlatformHandler = (event: PlatformEvent, sequence: number) => void

function createPlatformStreams() {
  const types = Object.keys(PLATFORM_STREAMS) as PlatformEventType[]
  const kept = new Map(types.map((type) => [type, { events: [] as PlatformEvent[], dropped: 0 }]))
  const handlers = new Set<{ types: Set<PlatformEventType>; tenant: string | undefined; handler: PlatformHandler }>()

  return {
    publish(event: PlatformEvent): void {
      const stream = kept.get(event.type)!
      stream.events.push(event)
      if (stream.events.length > 2 * KEPT) {
        stream.dropped += stream.events.length - KEPT
        stream.events = stream.events.slice(-KEPT)
      }
      const sequence = stream.dropped + stream.events.length
      for (const follower of handlers) {
        if (follower.types.has(event.type) && visible(event, follower.tenant)) follower.handler(event, sequence)
      }
    },

    follow(
      wanted: PlatformEventType[],
      options: { tenant?: string; after?: Partial<Record<PlatformEventType, number>> },
      handler: PlatformHandler,
    ): Unsubscribe {
      for (const type of wanted) {
        const after = options.after?.[type]
        const stream = kept.get(type)!
        if (after === undefined) continue
        stream.events.forEach((event, index) => {
          const sequence = stream.dropped + index + 1
          if (sequence > after && visible(event, options.tenant)) handler(event, sequence)
        })
      }
      const follower = { types: new Set(wanted), tenant: options.tenant, handler }
      handlers.add(follower)
      return () => handlers.delete(follower)
    },
  }
}

function visible(event: PlatformEvent, tenant: string | undefined): boolean {
  return tenant === undefined || event.tenant === tenant
}
