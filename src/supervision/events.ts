// Every decision of a supervisor is an event: a small struct that knows how loud it is. They are counted, logged and
// traced by whoever listens. Errors travel as they are; the listener decides what of them to write down.
import type { Facts, Outcome } from './child-spec.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** What is particular to each. `facts` are the child's own, as it last gave them: they name who has died. */
type Particulars =
  | { type: 'supervisor_started'; level: 'info'; children: number }
  /** A child is ready. `restarts` counts since its supervisor started: 0 is its first start. */
  | { type: 'child_started'; level: 'info'; restarts: number }
  | { type: 'child_start_failed'; level: 'error'; error: Error }
  /** It ended by itself, and that was no crash. */
  | { type: 'child_ended'; level: 'info'; outcome: Exclude<Outcome, { kind: 'crashed' }>; uptime: number; facts: Facts }
  | { type: 'child_crashed'; level: 'error'; error: Error; uptime: number; facts: Facts }
  /** It will be started again after `delay`. Uncharged: the budget is as it was (P8). `siblings` go down and up with it. */
  | { type: 'child_restarting'; level: 'warn'; delay: number; charged: boolean; siblings: string[] }
  /** The supervisor stopped it. Forced: it did not stop in time and was killed. */
  | { type: 'child_stopped'; level: 'info' | 'warn'; outcome: Outcome; forced: boolean; facts: Facts }
  /** Not even the kill ended it. It is left behind, and may still run. */
  | { type: 'child_abandoned'; level: 'error' }
  /** More restarts than the budget allows. Path names the supervisor, child the last straw. */
  | { type: 'supervisor_gave_up'; level: 'error'; child: string; intensity: number; period: number }
  /** After giving up and stopping what was left, the end is reported to whoever supervises the supervisor. */
  | { type: 'supervisor_escalated'; level: 'error'; error: Error }
  /** A significant child ended, and with it the purpose of the supervisor. */
  | { type: 'supervisor_auto_shutdown'; level: 'info'; child: string }
  | { type: 'supervisor_stopped'; level: 'info'; outcome: Outcome }

export type SupervisionEvent = Particulars & {
  /** Milliseconds since 1970. */
  at: number
  /** Whom it concerns: the ids from the root, joined by `/`. */
  path: string
}

/** An event before it has its time and place. */
export type Happening = Particulars
