// A child is data: how to start it, how it says that it ended, how to stop it. Whether it is a process, a component or
// an actor is the business of whoever makes the spec. The child reports an outcome; only the supervisor decides.
import { TroupeError } from '../contract/errors.ts'
import { type Backoff, backoffFault } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { SupervisionEvent } from './events.ts'
import type { TreeNode } from './tree.ts'

/** What a child says about itself: a process id, a port, the length of a mailbox. */
export type Facts = Record<string, string | number>

/** How a child ended. */
export type Outcome =
  /** It finished what it had to do. */
  | { kind: 'normal' }
  /** It was asked to stop and did. */
  | { kind: 'shutdown' }
  /** It gave its work back for a deploy. */
  | { kind: 'drained' }
  /** Its work belongs to someone else now, so it stopped by itself. */
  | { kind: 'lease_lost' }
  | { kind: 'crashed'; error: Error }

/** `shutdown`: stop now, in good order. `drain`: let running work end or hand it back. `kill`: at once, whatever is lost. */
export type StopReason = 'shutdown' | 'drain' | 'kill'

export interface ChildHandle {
  /** Resolves once, when the child is gone. A rejection counts as a crash. */
  readonly exited: Promise<Outcome>
  /**
   * Begins to stop the child; `exited` tells when it is gone. `timeout` is how long the supervisor will wait before it
   * calls again with `kill`, after which `exited` must resolve without the child's consent.
   */
  stop(reason: StopReason, timeout: number): void | Promise<void>
  /** For a person who looks at the tree, and for the events of its end. */
  facts?(): Facts
  /** A child that is itself a supervisor shows its children … */
  tree?(): TreeNode
  /** … a process those that it supervises itself, … */
  below?(): TreeNode[] | undefined
  /** … and restarts one of them, named by the ids that lead to it. */
  restartAt?(path: readonly string[]): Promise<void>
}

/** What a child is given to start with. A supervisor passes it on to its own children. */
export interface StartContext {
  /** Aborted when the supervisor is told to stop meanwhile. Pass it on. */
  signal: AbortSignal
  /** The ids from the root to this child, joined by `/`. */
  path: string
  clock: Clock
  random: () => number
  listener: (event: SupervisionEvent) => void
}

/** `permanent` is always restarted, `transient` only after a crash, `temporary` never. */
export type RestartType = 'permanent' | 'transient' | 'temporary'

export interface ChildSpec {
  /** Unique among its siblings; without `/`. */
  id: string
  /** Resolves when the child is ready. Undefined: there is nothing to run here, and that is no failure. */
  start(context: StartContext): Promise<ChildHandle | undefined>
  /** Default `permanent`. */
  restart?: RestartType
  /** Milliseconds to stop in before the kill; `kill` for no time at all; default 5,000, `infinity` for a supervisor. */
  shutdown?: number | 'kill' | 'infinity'
  /** Its own end can end the supervisor, see `autoShutdown`. Never together with `permanent`. */
  significant?: boolean
  /** Default `worker`. */
  type?: 'worker' | 'supervisor'
  /** Default: the supervisor's, derived from its budget (backoff.ts). */
  backoff?: Backoff
}

export interface CompleteChildSpec extends ChildSpec {
  restart: RestartType
  shutdown: number | 'kill' | 'infinity'
  significant: boolean
  type: 'worker' | 'supervisor'
  backoff: Backoff
}

export type AutoShutdown = 'never' | 'any_significant' | 'all_significant'

const DEFAULT_SHUTDOWN = 5_000

/** Fills in the defaults, or refuses with the reason. `owner` names the supervisor in messages. */
export function completeChildSpec(
  spec: ChildSpec,
  owner: { path: string; autoShutdown: AutoShutdown; backoff: Backoff },
): CompleteChildSpec {
  const type = spec.type ?? 'worker'
  const complete: CompleteChildSpec = {
    ...spec,
    restart: spec.restart ?? 'permanent',
    shutdown: spec.shutdown ?? (type === 'supervisor' ? 'infinity' : DEFAULT_SHUTDOWN),
    significant: spec.significant ?? false,
    type,
    backoff: spec.backoff ?? owner.backoff,
  }
  const fault = childFault(complete, owner.autoShutdown)
  if (fault !== undefined) throw new TroupeError('configuration_invalid', `supervisor ${owner.path}: ${fault}`)
  return complete
}

function childFault(spec: CompleteChildSpec, autoShutdown: AutoShutdown): string | undefined {
  const { id, restart, shutdown } = spec
  if (typeof id !== 'string' || id === '' || id.includes('/')) {
    return `the child id ${JSON.stringify(id)} is not a non-empty text without "/"`
  }
  if (typeof spec.start !== 'function') return `child ${id} has no start function`
  if (!['permanent', 'transient', 'temporary'].includes(restart)) {
    return `child ${id} has restart ${restart}; it must be permanent, transient or temporary`
  }
  if (typeof shutdown === 'number' ? !(shutdown >= 0) : !['kill', 'infinity'].includes(shutdown)) {
    return `child ${id} has shutdown ${shutdown}; it must be milliseconds, "kill" or "infinity"`
  }
  if (spec.significant && restart === 'permanent') {
    return `child ${id} is significant and permanent, but a permanent child never ends for good`
  }
  if (spec.significant && autoShutdown === 'never') {
    return `child ${id} is significant, but the supervisor’s autoShutdown is never`
  }
  const backoff = backoffFault(spec.backoff)
  return backoff && `child ${id}: ${backoff}`
}
