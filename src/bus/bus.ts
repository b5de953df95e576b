// The bus: how processes hear of work and of each other. It carries and never owns: whatever it loses, the journal's
// sweep finds again (P5). No promise rests on it.
//   bus.ts          this file: the port
//   in-process.ts   embedded: one process
//   lanes.ts        queues by priority, without starvation
//   nats/           many processes, JetStream for offers and platform events
import type { PlatformEvent, PlatformEventType, TaskEvent } from '../contract/events.ts'
import type { TaskRow, Wake } from '../journal/journal.ts'

/** "This task wants a host." `task` saves the taker a read when the offer follows an accept. */
export interface Offer extends Wake {
  task?: TaskRow
  /** Rings again although the same epoch was offered a moment ago: its taker is known to be dead. */
  because?: string
}

export interface Bus {
  /** Never throws and never waits for a taker; what cannot be sent is re-offered by the sweep. */
  offer(offer: Offer): void

  /**
   * Hands an offer over at once to a taker of this process that has room, before its task is on disk: accept and first
   * turn then share one fsync. False: nobody took it. Only the embedded bus can.
   */
  offerEarly?(offer: Offer): boolean

  /**
   * Takes offers for these agents. Nothing comes until the taker asks: `more(n)` grants n offers (back-pressure).
   * Higher lanes come first without starving lower ones.
   */
  take(agents: string[], onOffer: (offer: Offer) => void): Taker

  /** "This actor of yours has mail." */
  nudge(hostId: string, taskId: string): void
  onNudge(hostId: string, handler: (taskId: string) => void): Unsubscribe

  /** Committed events, for who is watching now. Late readers read the journal first. */
  publish(tenant: string, events: TaskEvent[]): void
  /** Without a task: every task of the tenant. */
  follow(tenant: string, taskId: string | undefined, handler: (events: TaskEvent[]) => void): Unsubscribe

  /** The platform's event streams, retained (DESIGN §5). */
  publishPlatform(event: PlatformEvent): Promise<void>
  /** From a sequence number (exclusive) or only new ones; the handler gets the stream's own sequence to resume from. */
  followPlatform(
    types: PlatformEventType[],
    options: { tenant?: string; after?: Partial<Record<PlatformEventType, number>> },
    handler: (event: PlatformEvent, sequence: number) => void,
  ): Promise<Unsubscribe>

  /** Drain, inspect the tree, restart a child. */
  serveControl(name: string, handler: (request: ControlRequest) => Promise<unknown>): Unsubscribe
  control(name: string, request: ControlRequest, timeoutMs: number): Promise<unknown>

  status(): { connected: boolean; detail?: string }
  close(): Promise<void>
}

export interface Taker {
  more(count: number): void
  stop(): Promise<void>
}

export type Unsubscribe = () => void

export interface ControlRequest {
  verb: 'tree' | 'restart' | 'drain' | 'ping'
  path?: string
}
