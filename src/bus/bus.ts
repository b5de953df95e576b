// The bus: how processes hear of work and of each other. It carries and never owns: whatever it loses, the journal's
// sweep finds again (P5). No promise rests on it.
//   bus.ts          this file: the port
//   in-process.ts   embedded: one process
//   lanes.ts        queues by priority, without starvation
//   platform-events.ts  what the platform's event streams tell
//   nats/           many processes, JetStream for offers and platform events
import type { PlatformEvent, PlatformEventType, TaskEvent } from '../contract/events.ts'
import type { EndState, Task } from '../contract/task.ts'
import type { NewTask, TaskRow, Wake } from '../journal/journal.ts'

/** "This task wants a host." `task` saves the taker a read when the offer follows an accept. */
export interface Offer extends Wake {
  task?: TaskRow
  /** Rings again although the same epoch was offered a moment ago: its taker is known to be dead. */
  because?: string
  /**
   * Nobody claimed it although it was offered before. Whoever tried may have died of it before its first commit, and left no
   * trace: its taker claims it before any of the agent's code runs, so that the next death counts.
   */
  found?: true
}

export interface Bus {
  /** Never throws and never waits for a taker; what cannot be sent is re-offered by the sweep. */
  offer(offer: Offer): void

  /**
   * Hands an offer over at once to a taker of this process that has room, before its task is on disk: accept and first
   * turn then share one fsync. False: nobody took it. Only the embedded bus can.
   */
  offerEarly?(offer: Offer): boolean

  /** A desk's way to hosts in other processes; it hears of them from now on. Only a bus between processes has one. */
  entruster?(): Entruster
  /** What is entrusted to this process for one version of an agent. */
  onEntrusted?(agent: string, version: string, taker: EntrustedTaker): Entrusted

  /**
   * Takes offers for these agents. Nothing comes until the taker asks: `more(n)` grants n offers (back-pressure).
   * Higher lanes come first without starving lower ones.
   */
  take(agents: string[], onOffer: (offer: Offer) => void): Taker

  /** "This actor of yours has mail." */
  nudge(hostId: string, taskId: string): void
  onNudge(hostId: string, handler: (taskId: string) => void): Unsubscribe

  /**
   * Committed events, for who is watching now. Late readers read the journal first. What ended before anybody was told
   * that there is such a task is not published.
   */
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
  /**
   * How many of the granted places are free for what is entrusted. None while there was none a moment ago: somebody may
   * wait in the queue for it, who came first.
   */
  room?(): number
  /** Takes one of them. False: there is none. */
  admit?(): boolean
  stop(): Promise<void>
}

export interface Entruster {
  /**
   * Gives a task that is not on disk yet to a host that has room, which accepts and begins it in one commit. Undefined:
   * none has. What is given in one turn is shared out in proportion to the room that each has.
   */
  give(task: NewTask, wants?: Wanted): Entrusting | undefined
  /** How many tasks all hosts together have room for, as far as is known here. */
  room(agent: string, version: string): number
}

/** What the giver wants to be told: that it has ended, or with what. */
export type Wanted = 'end' | 'result'

/** What a task's end adds to what was submitted. */
export type TaskEnd = { state: EndState } & Pick<
  Task,
  'output' | 'error' | 'usage' | 'startedAt' | 'updatedAt' | 'endedAt' | 'lastEvent'
>

/** How a task ended, and what it ended with where that was wanted and is small. */
export interface Ended {
  state: EndState
  end?: TaskEnd
}

/** A task on its way to a host. */
export interface Entrusting {
  /**
   * When it was accepted, by the journal's clock. Undefined: no host says so in time, though one may have accepted it or
   * still do, under the same id.
   */
  readonly accepted: Promise<number | undefined>
  /** Of one whose end is wanted, when the host that accepted it has told it already. */
  readonly ended: Ended | undefined
  onEnd(handler: (ended: Ended) => void): void
  /** Nobody waits for its end any more. */
  forget(): void
}

export interface EntrustedTaker {
  take(task: NewTask, tell: TellEntruster): void
  /** How many it can take now. */
  room(): number
}

/** What a host answers; only what happened, and only once it is on disk. */
export interface TellEntruster {
  /** P1. */
  accepted(at: number): void
  /** It will not be begun here: whoever entrusted it goes on at once. */
  refused(): void
  /** Absent when nobody watches. */
  ended?(end: TaskEnd): void
}

export interface Entrusted {
  /** Resolves when nothing more comes. */
  stop(): Promise<void>
}

export type Unsubscribe = () => void

export interface ControlRequest {
  verb: 'tree' | 'restart' | 'drain' | 'ping'
  path?: string
}
