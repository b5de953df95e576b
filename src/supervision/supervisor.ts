// The supervisor: starts its children in order, answers who asks about them, stops them in reverse order; what an end
// means is decided in restarter.ts. It follows the documented behaviour of Erlang/OTP's supervisor; where it leaves it,
// the comment says so.
//
// Nothing that concerns one child overlaps (lane.ts). Where siblings are independent each has a lane of its own, so a
// worker that warms up for ten seconds does not keep its crashed sibling waiting; where a strategy couples them, the
// family shares one.
import { TroupeError } from '../contract/errors.ts'
import { type Backoff, backoffFor } from './backoff.ts'
import { Child, type StartResult } from './child.ts'
import {
  type ChildHandle,
  type ChildSpec,
  completeChildSpec,
  type Outcome,
  type StartContext,
  type StopReason,
} from './child-spec.ts'
import type { Happening } from './events.ts'
import { Lane } from './lane.ts'
import { Restarter } from './restarter.ts'
import { type CompleteSupervisorSpec, completeSupervisorSpec, type SupervisorSpec } from './supervisor-spec.ts'
import { type ChildCounts, type ChildEntry, countChildren, type TreeNode } from './tree.ts'

export class Supervisor implements ChildHandle {
  readonly exited: Promise<Outcome>
  readonly #spec: CompleteSupervisorSpec
  readonly #context: Omit<StartContext, 'signal'>
  readonly #backoff: Backoff
  /** In start order. */
  readonly #children = new Map<string, Child>()
  /** Shared by all children of a strategy that couples them. */
  readonly #family: Lane | undefined
  readonly #resolveExited: (outcome: Outcome) => void
  readonly #restarter: Restarter
  #ending: Promise<void> | undefined

  /** Use startSupervisor: a supervisor exists only once its children run. */
  constructor(spec: SupervisorSpec, context: Omit<StartContext, 'signal'>) {
    this.#spec = completeSupervisorSpec(spec, context.path)
    this.#context = context
    this.#backoff = backoffFor(this.#spec.intensity, this.#spec.period)
    this.#family = ['one_for_all', 'rest_for_one'].includes(this.#spec.strategy) ? new Lane() : undefined
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    this.exited = promise
    this.#resolveExited = resolve
    this.#restarter = new Restarter({
      path: this.path,
      spec: this.#spec,
      clock: context.clock,
      children: this.#children,
      isEnding: () => this.#ending !== undefined,
      launch: (child) => this.#launch(child),
      forget: (child) => this.#forget(child),
      later: (child, work) => this.#later(child, work),
      end: (outcome) => void this.#end(outcome, 'shutdown'),
      tell: (happening) => this.#deliver(this.path, happening),
      tellOf: (child, happening) => this.#deliver(child.path, happening),
    })
  }

  get path(): string {
    return this.#context.path
  }

  /** Starts the children one after another. When one fails, those before it are stopped in reverse and it throws. */
  async boot(signal: AbortSignal): Promise<void> {
    const children = this.#spec.children.map((spec) => this.#makeChild(spec))
    const onAbort = (): void => void this.stop('shutdown')
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    const startAll = (): Promise<Child | undefined> => this.#startInOrder(children)
    // Children of one family start as one piece of work: a crash of the first waits until the last had its turn.
    const failed = this.#family === undefined ? await startAll() : await this.#family.run(startAll)
    signal.removeEventListener('abort', onAbort)

    if (failed?.lastError !== undefined) {
      const cause = failed.lastError
      await this.#end({ kind: 'crashed', error: cause }, 'shutdown')
      throw new TroupeError('unavailable', `${failed.path} did not start: ${cause.message}`, { cause })
    }
    if (this.#ending !== undefined) {
      await this.#ending
      const outcome = await this.exited
      throw outcome.kind === 'crashed' ? outcome.error : this.#draining()
    }
    this.#deliver(this.path, { type: 'supervisor_started', level: 'info', children: this.#children.size })
  }

  /** Adds a child and starts it. A child that fails to start is not kept, and the failure is thrown. */
  async startChild(spec: ChildSpec): Promise<ChildHandle | undefined> {
    const startNew = async (child: Child): Promise<ChildHandle | undefined> => {
      try {
        return await this.#launchOrThrow(child)
      } catch (thrown) {
        this.#forget(child)
        throw thrown
      }
    }
    if (this.#family !== undefined) return await this.#family.run(() => startNew(this.#add(spec)))
    const child = this.#add(spec)
    return await child.lane.run(() => startNew(child))
  }

  /** Stops a child. Its spec stays and can be restarted, unless it is temporary or the supervisor is dynamic. */
  async terminateChild(id: string): Promise<void> {
    const child = this.#find(id)
    child.abortStart()
    await child.lane.run(async () => {
      await child.stop('shutdown')
      if (this.#forgets(child)) this.#forget(child)
    })
  }

  /** Starts a child that does not run. A failure is thrown, and the spec stays. */
  async restartChild(id: string): Promise<ChildHandle | undefined> {
    this.#refuseDynamic('restartChild')
    const child = this.#find(id)
    return await child.lane.run(async () => {
      this.#mustBeStopped(child)
      return await this.#launchOrThrow(child)
    })
  }

  /** Forgets the spec of a child that does not run. */
  async deleteChild(id: string): Promise<void> {
    this.#refuseDynamic('deleteChild')
    const child = this.#find(id)
    await child.lane.run(() => {
      this.#mustBeStopped(child)
      this.#forget(child)
    })
  }

  /** In start order. */
  whichChildren(): ChildEntry[] {
    return [...this.#children.values()].map((child) => ({
      id: child.id,
      type: child.spec.type,
      child: child.phase.kind === 'waiting' ? 'restarting' : child.handle,
    }))
  }

  countChildren(): ChildCounts {
    return countChildren(this.#children.values())
  }

  tree(): TreeNode {
    const children = [...this.#children.values()].map((child) => child.tree())
    const restarts = children.reduce((sum, child) => sum + child.restarts, 0)
    const state = this.#ending === undefined ? 'running' : 'stopping'
    return { id: this.#spec.id, path: this.path, type: 'supervisor', restart: 'permanent', state, restarts, children }
  }

  /** A person restarts one child, wherever below: a stop in good order and a start, charged to no budget (P8). */
  async restartAt(path: readonly string[]): Promise<void> {
    const [id, ...rest] = path
    if (id === undefined) throw new TroupeError('invalid_request', `${this.path} cannot restart itself: name a child`)
    const child = this.#find(id)
    if (rest.length > 0) {
      const below = child.handle
      if (below?.restartAt === undefined) throw new TroupeError('not_found', `${child.path} has no children to restart`)
      return await below.restartAt(rest)
    }
    await this.terminateChild(id)
    if (this.#children.has(id)) await this.restartChild(id)
    else await this.startChild(child.spec)
  }

  /** Stops all children and then itself. A later `kill` hurries a stop that is under way. */
  async stop(reason: StopReason = 'shutdown'): Promise<void> {
    await this.#end({ kind: reason === 'drain' ? 'drained' : 'shutdown' }, reason)
  }

  /** Returns the first that failed to start; those after it are not tried. */
  async #startInOrder(children: readonly Child[]): Promise<Child | undefined> {
    for (const child of children) {
      if (this.#ending !== undefined) return undefined
      this.#children.set(child.id, child)
      const launch = (): Promise<StartResult> => this.#launch(child)
      const result = this.#family === undefined ? await child.lane.run(launch) : await launch()
      if (typeof result === 'object') return child
    }
    return undefined
  }

  #end(outcome: Outcome, reason: StopReason): Promise<void> {
    if (this.#ending === undefined) this.#ending = this.#stopAll(outcome, reason)
    else if (reason === 'kill') for (const child of this.#children.values()) child.kill()
    return this.#ending
  }

  async #stopAll(outcome: Outcome, reason: StopReason): Promise<void> {
    // First a turn of the event queue, so that `#ending` is set before anything reads it.
    await undefined
    const stop = (child: Child): Promise<void> => child.lane.run(() => child.stop(reason))
    const children = [...this.#children.values()].reverse()
    for (const child of children) {
      child.abortStart()
      if (child.phase.kind === 'waiting') child.phase.repair.leave(child)
    }
    if (this.#spec.stopTogether || reason === 'kill') await Promise.all(children.map(stop))
    else for (const child of children) await stop(child)
    if (outcome.kind === 'crashed') {
      this.#deliver(this.path, { type: 'supervisor_escalated', level: 'error', error: outcome.error })
    } else this.#deliver(this.path, { type: 'supervisor_stopped', level: 'info', outcome })
    this.#resolveExited(outcome)
  }

  async #launch(child: Child): Promise<StartResult> {
    if (this.#ending !== undefined) return 'aborted'
    const result = await child.start((handle, outcome) =>
      this.#later(child, () => this.#restarter.onExit(child, handle, outcome)),
    )
    if (result === 'nothing_to_run' && this.#forgets(child)) this.#forget(child)
    return result
  }

  async #launchOrThrow(child: Child): Promise<ChildHandle | undefined> {
    const result = await this.#launch(child)
    if (typeof result === 'object') throw result.failed
    if (result !== 'aborted') return child.handle
    if (this.#ending !== undefined) throw this.#draining()
    throw new TroupeError('cancelled', `${child.path} was terminated while it was starting`)
  }

  /** In the child's lane, with nobody waiting for it. What fails there is a defect, and ends the supervisor visibly. */
  #later(child: Child, work: () => void | Promise<void>): void {
    child.lane.run(work).catch((error: Error) => this.#end({ kind: 'crashed', error }, 'shutdown'))
  }

  #add(spec: ChildSpec): Child {
    if (this.#ending !== undefined) throw this.#draining()
    const present = this.#children.get(spec.id)
    if (present !== undefined) {
      throw new TroupeError('wrong_state', `${present.path} is already there, and ${present.phase.kind}`)
    }
    if (this.#children.size >= this.#spec.maxChildren) {
      throw new TroupeError('overloaded', `${this.path} has ${this.#children.size} children, as many as it may`)
    }
    const child = this.#makeChild(spec)
    this.#children.set(child.id, child)
    return child
  }

  #makeChild(spec: ChildSpec): Child {
    const owner = { path: this.path, autoShutdown: this.#spec.autoShutdown, backoff: this.#backoff }
    const context = { ...this.#context, path: `${this.path}/${spec.id}` }
    return new Child(completeChildSpec(spec, owner), context, this.#family ?? new Lane(), (child, happening) =>
      this.#deliver(child.path, happening),
    )
  }

  #find(id: string): Child {
    return this.#children.get(id) ?? this.#refuseUnknown(id)
  }

  #refuseUnknown(id: string): never {
    throw new TroupeError('not_found', `${this.path} has no child ${id}`)
  }

  #forgets(child: Child): boolean {
    return child.spec.restart === 'temporary' || this.#spec.strategy === 'dynamic'
  }

  /** Only if it is still the one: a child of the same id may have been started since. */
  #forget(child: Child): void {
    if (this.#children.get(child.id) === child) this.#children.delete(child.id)
  }

  #refuseDynamic(verb: string): void {
    if (this.#spec.strategy !== 'dynamic') return
    throw new TroupeError('wrong_state', `${verb} is not for ${this.path}: a dynamic supervisor forgets what has ended`)
  }

  #mustBeStopped(child: Child): void {
    // It may have been forgotten, and its id given to another, while the command waited for its turn.
    if (this.#children.get(child.id) !== child) this.#refuseUnknown(child.id)
    if (child.phase.kind === 'stopped') return
    const how = child.phase.kind === 'waiting' ? 'about to be restarted' : child.phase.kind
    throw new TroupeError('wrong_state', `${child.path} is ${how}; stop it first`)
  }

  #draining(): TroupeError {
    return new TroupeError('draining', `${this.path} is stopping`)
  }

  #deliver(path: string, happening: Happening): void {
    try {
      this.#context.listener({ ...happening, at: this.#context.clock.now(), path })
    } catch (thrown) {
      // Who only listens must not be able to bring down what it listens to.
      process.emitWarning(`a supervision listener threw on ${happening.type} of ${path}: ${String(thrown)}`)
    }
  }
}
