// One turn of an actor: what it was told, and everything that follows from it, gathered before any of it happens.
// A turn becomes one commit; only after that commit do its effects start (P3).
import type { ErrorRecord } from '../contract/errors.ts'
import type { EventBody } from '../contract/events.ts'
import type { EndState, Usage } from '../contract/task.ts'
import type { Message, NewMessage, NewTask, StepOutcome } from '../journal/journal.ts'

export type Stimulus =
  | { kind: 'mail'; message: Message }
  /** A local step's outcome. `invocation` tells a late outcome of a stopped step from the current one. */
  | { kind: 'outcome'; stepId: string; invocation: number; outcome: StepResult; ms: number }
  /** A handler finished. */
  | { kind: 'returned'; output: unknown }
  | { kind: 'threw'; error: unknown }
  /** A handler's durable call: applied to the turn by the handler's own code. */
  | { kind: 'call'; apply: (turn: Turn) => void }

/** Unlike the journal's outcome this one keeps the thrown value, for the retry policy and for the machine. */
export type StepResult = { ok: true; value: unknown } | { ok: false; error: unknown }

export interface Ending {
  state: EndState
  output?: unknown
  error?: ErrorRecord
  reason?: string
}

export class Turn {
  readonly events: EventBody[] = []
  readonly timersSet: { id: string; inMs: number }[] = []
  readonly timersCleared: string[] = []
  readonly messages: NewMessage[] = []
  readonly children: NewTask[] = []
  readonly recorded: Record<string, StepOutcome> = {}
  /** Local steps to start, and to abort, after the commit. */
  readonly starts: string[] = []
  readonly stops: string[] = []
  /** Things to do after the commit: resolve a handler's promises. */
  readonly afterwards: (() => void)[] = []
  ending: Ending | undefined
  /** A crash stops the turn; what came before it is committed, what caused it is not. */
  crash: { error: unknown; step?: string } | undefined
  mailRead: number | undefined
  usage: Usage | undefined

  event(body: EventBody): void {
    this.events.push(body)
  }

  setTimer(id: string, inMs: number): void {
    this.timersSet.push({ id, inMs })
  }

  clearTimer(id: string): void {
    const index = this.timersSet.findIndex((timer) => timer.id === id)
    if (index >= 0) this.timersSet.splice(index, 1)
    this.timersCleared.push(id)
  }

  end(ending: Ending): void {
    this.ending ??= ending
  }

  get isEmpty(): boolean {
    return (
      this.events.length === 0 &&
      this.timersSet.length === 0 &&
      this.timersCleared.length === 0 &&
      this.messages.length === 0 &&
      this.children.length === 0 &&
      this.mailRead === undefined &&
      this.ending === undefined &&
      this.crash === undefined &&
      Object.keys(this.recorded).length === 0
    )
  }
}

/**
 * Resolves when everything that follows from what just happened has run. Not setImmediate: that would put the commits of
 * half the actors into every other turn of the event loop, and each turn's commits share one fsync.
 */
export function microtasksDrained(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}
