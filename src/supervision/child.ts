// One child's life under its supervisor: start, run, stop in time or be killed. It decides nothing.
import { TroupeError, toTroupeError } from '../contract/errors.ts'
import { backoffDelay } from './backoff.ts'
import type { ChildHandle, CompleteChildSpec, Facts, Outcome, StartContext, StopReason } from './child-spec.ts'
import { settledWithin } from './clock.ts'
import type { Happening } from './events.ts'
import type { Lane } from './lane.ts'
import type { Repair } from './repair.ts'
import type { NodeState, TreeNode } from './tree.ts'

/** What exists only in one phase is kept only in that phase. */
type Phase =
  | { kind: 'stopped' }
  | { kind: 'starting'; abort: AbortController }
  | { kind: 'running'; handle: ChildHandle; startedAt: number }
  | { kind: 'stopping'; handle: ChildHandle }
  | { kind: 'waiting'; repair: Repair }

export type StartResult = 'started' | 'nothing_to_run' | 'aborted' | { failed: Error }

/** After a kill a child has no say any more. Should even that not end it, its supervisor must not hang for ever. */
const KILL_GRACE = 5_000

export class Child {
  readonly spec: CompleteChildSpec
  readonly path: string
  readonly lane: Lane
  phase: Phase = { kind: 'stopped' }
  restarts = 0
  /** Restarts since it last worked long enough: what its backoff grows with. */
  attempts = 0
  /** When its restarts were charged, so that they can be forgiven. */
  charges: number[] = []
  lastError: Error | undefined
  readonly #context: Omit<StartContext, 'signal'>
  readonly #tell: (happening: Happening) => void

  constructor(
    spec: CompleteChildSpec,
    context: Omit<StartContext, 'signal'>,
    lane: Lane,
    tell: (child: Child, happening: Happening) => void,
  ) {
    this.spec = spec
    this.path = context.path
    this.lane = lane
    this.#context = context
    this.#tell = (happening) => tell(this, happening)
  }

  get id(): string {
    return this.spec.id
  }

  get handle(): ChildHandle | undefined {
    return 'handle' in this.phase ? this.phase.handle : undefined
  }

  /** Never throws. `onExit` is called when the running child ends, also when it was told to. */
  async start(onExit: (handle: ChildHandle, outcome: Outcome) => void): Promise<StartResult> {
    const abort = new AbortController()
    this.phase = { kind: 'starting', abort }
    try {
      const handle = await this.#startUnlessAborted(abort.signal)
      if (abort.signal.aborted || handle === undefined) {
        this.phase = { kind: 'stopped' }
        return abort.signal.aborted ? 'aborted' : 'nothing_to_run'
      }
      this.phase = { kind: 'running', handle, startedAt: this.#context.clock.now() }
      void outcomeOf(handle).then((outcome) => onExit(handle, outcome))
      this.#tell({ type: 'child_started', level: 'info', restarts: this.restarts })
      return 'started'
    } catch (thrown) {
      this.phase = { kind: 'stopped' }
      if (abort.signal.aborted) return 'aborted'
      const error = toTroupeError(thrown, 'unavailable')
      this.lastError = error
      this.#tell({ type: 'child_start_failed', level: 'error', error })
      return { failed: error }
    }
  }

  abortStart(): void {
    if (this.phase.kind === 'starting') this.phase.abort.abort(new TroupeError('draining', `${this.path} is to stop`))
  }

  /** The running child ended by itself: what it was is returned, and it is stopped. */
  ended(): { uptime: number; facts: Facts } {
    const facts = this.#facts()
    const uptime = this.#uptime()
    this.phase = { kind: 'stopped' }
    return { uptime, facts }
  }

  /** Stops it as its spec says. Returns when it is gone; a child that does not run is gone already. */
  async stop(reason: StopReason): Promise<void> {
    if (this.phase.kind === 'waiting') this.phase.repair.leave(this)
    if (this.phase.kind !== 'running') {
      this.phase = { kind: 'stopped' }
      return
    }
    const { handle } = this.phase
    this.phase = { kind: 'stopping', handle }
    const exited = outcomeOf(handle)
    const limit = reason === 'kill' ? 0 : stopLimit(this.spec.shutdown)
    let outcome: Outcome | undefined
    if (limit > 0) {
      ask(handle, reason, limit)
      outcome = await settledWithin(exited, limit, this.#context.clock)
    }
    const facts = this.#facts()
    const late = limit > 0 && outcome === undefined
    if (outcome === undefined) {
      ask(handle, 'kill', 0)
      outcome = await settledWithin(exited, KILL_GRACE, this.#context.clock)
    }
    this.phase = { kind: 'stopped' }
    if (outcome === undefined) this.#tell({ type: 'child_abandoned', level: 'error' })
    else {
      const calm = !late && outcome.kind !== 'crashed'
      this.#tell({ type: 'child_stopped', level: calm ? 'info' : 'warn', outcome, forced: late, facts })
    }
  }

  /** Does not wait: for when a stop already does, and has become urgent. */
  kill(): void {
    this.abortStart()
    if (this.handle !== undefined) ask(this.handle, 'kill', 0)
  }

  nextDelay(): number {
    this.attempts++
    return backoffDelay(this.attempts, this.spec.backoff, this.#context.random)
  }

  tree(): TreeNode {
    const { id, path, phase, restarts, spec } = this
    const state: NodeState = phase.kind
    const node: TreeNode = { id, path, type: spec.type, restart: spec.restart, state, restarts }
    if (phase.kind === 'running') node.uptime = this.#uptime()
    if (this.lastError !== undefined) node.lastError = this.lastError.message
    const facts = this.#facts()
    if (Object.keys(facts).length > 0) node.facts = facts
    const children = this.handle?.tree?.().children ?? this.handle?.below?.()
    if (children !== undefined) node.children = children
    return node
  }

  /** A child that cannot answer has nothing to say; asking must not bring its supervisor down. */
  #facts(): Facts {
    try {
      return this.handle?.facts?.() ?? {}
    } catch {
      return {}
    }
  }

  /** Never negative, should the clock have been set back. */
  #uptime(): number {
    return this.phase.kind === 'running' ? Math.max(0, this.#context.clock.now() - this.phase.startedAt) : 0
  }

  /**
   * A start that ignores its signal must not hold up the stop of the whole tree: it gets a grace, then is left behind.
   * Should a handle come out of it after all, it is killed.
   */
  async #startUnlessAborted(signal: AbortSignal): Promise<ChildHandle | undefined> {
    const starting = Promise.resolve(this.spec.start({ ...this.#context, signal }))
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    await Promise.race([starting, aborted])
    if (!signal.aborted) return await starting
    const ended = starting.then(
      async (late) => {
        if (late === undefined) return true
        ask(late, 'kill', 0)
        await late.exited.catch(() => undefined)
        return true
      },
      () => true,
    )
    // A supervisor that is still starting needs its own children's time to stop.
    const grace = Math.max(KILL_GRACE, stopLimit(this.spec.shutdown))
    if ((await settledWithin(ended, grace, this.#context.clock)) === undefined) {
      this.#tell({ type: 'child_abandoned', level: 'error' })
    }
    return undefined
  }
}

function stopLimit(shutdown: CompleteChildSpec['shutdown']): number {
  if (shutdown === 'infinity') return Number.POSITIVE_INFINITY
  return shutdown === 'kill' ? 0 : shutdown
}

function outcomeOf(handle: ChildHandle): Promise<Outcome> {
  return handle.exited.catch((thrown: unknown) => ({ kind: 'crashed', error: toTroupeError(thrown) }))
}

/** A handle whose stop throws is treated like one that does not react: the limit passes, then it is killed. */
function ask(handle: ChildHandle, reason: StopReason, timeout: number): void {
  try {
    Promise.resolve(handle.stop(reason, timeout)).catch(() => undefined)
  } catch {
    // See above; `exited` is what counts.
  }
}
