// The durable actor: one task's incarnation on one host.
//   actor.ts     this file: the loop — what it is told becomes a turn, a turn becomes a commit, then effects start
//   actor-parts.ts  what an actor is given, and why an incarnation is over
//   logic.ts     the pure half: what it is told goes in, a turn comes out
//   turn.ts      a turn: everything that follows from what an actor was told, before any of it happens
//   state.ts     the actor's snapshot as JSON
//   machine.ts   the behaviour of an xstate machine, through its pure functions
//   migrated.ts  whether a machine can go on where another version of it was
//   handler.ts   the behaviour of a `run` function
//   calls.ts     the ids of its durable calls
//   run-context.ts  what such a function is given
//   children.ts  asking, telling and stopping other tasks
//   steps.ts     runs steps with abort signal and timeout
//   step-limits.ts  stops those that run longer than they may
//   restart.ts   retry and restart budgets
//   timers.ts    the names of durable timers
//   settle.ts    how a turn ends: output check, crash decision, reply to the parent, state for the outside
//   commit.ts    a turn as the journal takes it
//   mailbox.ts   what it knows of its mailbox
//   chatter.ts   coalesces progress and tokens
//
// Promises: P2 (every commit carries epoch and version; a refused one ends this incarnation), P3, P4 (mail is read in
// order, in the commit that applies it), P7 (cancel and deadline are looked at before everything else).
import { messageOf, TroupeError } from '../contract/errors.ts'
import type { ActorCommit, CommitOutcome, LoadedTask, Message, TaskRow } from '../journal/journal.ts'
import type { ActorExit, ActorParts } from './actor-parts.ts'
import { Chatter } from './chatter.ts'
import { type Asker, createAsker } from './children.ts'
import { claimOf, composeCommit } from './commit.ts'
import { HandlerBehaviour } from './handler.ts'
import { ActorLogic } from './logic.ts'
import { MachineBehaviour } from './machine.ts'
import { Mailbox } from './mailbox.ts'
import { effectivePolicy, isRefusal, mayPass } from './restart.ts'
import { callsOfThisMoment } from './run-context.ts'
import { lastTurn, outwardState } from './settle.ts'
import { type ActorState, emptyState, encodeState } from './state.ts'
import { type RunStep, StepRunner } from './steps.ts'
import { type Stimulus, Turn } from './turn.ts'

export class Actor {
  readonly exited: Promise<ActorExit>
  readonly task: TaskRow
  private readonly parts: ActorParts
  private readonly runner: StepRunner
  private readonly chatter: Chatter
  private readonly logic: ActorLogic
  private readonly machine: MachineBehaviour | undefined
  private readonly mailbox: Mailbox
  private readonly exit: (exit: ActorExit) => void
  private pending: Stimulus[] = []
  private writtenState: string
  private busy = false
  private gone = false
  private claimed = false
  private draining = false
  private graceIsOver = false
  private settledWaiters: (() => void)[] = []

  constructor(parts: ActorParts, loaded: LoadedTask) {
    this.parts = parts
    this.task = loaded.task
    const state = (loaded.task.snapshot as ActorState | undefined) ?? emptyState()
    this.writtenState = encodeState(state)
    this.mailbox = new Mailbox(loaded.task.mailRead)
    // Ours already when the journal was away in the middle of a turn and this host takes the task up again.
    this.claimed = loaded.task.owner === parts.hostId
    const { promise, resolve } = Promise.withResolvers<ActorExit>()
    this.exited = promise
    this.exit = resolve
    this.chatter = new Chatter(this.task, () => this.push({ kind: 'call', apply: () => {} }))
    const { hostId, agent, makeContext, around } = parts
    this.runner = new StepRunner({ task: this.task, makeContext, around, report: this.chatter })
    const asker = createAsker(this.task, parts.resolve)
    this.machine = agent.machine === undefined ? undefined : new MachineBehaviour(agent, asker)
    const behaviour =
      this.machine === undefined ? { handler: this.createHandler(asker, state, loaded) } : { machine: this.machine }
    this.logic = new ActorLogic({ hostId, task: this.task, agent, state, behaviour })
    this.receive(loaded.mail)
  }

  start(): void {
    void this.run()
  }

  /** There is mail. */
  wake(): void {
    this.mailbox.due = true
    void this.run()
  }

  /** Lets the task go when its running steps have ended, or the grace has: by a timer, which may come before a clock says so. */
  drain(graceMs: number): void {
    this.draining = true
    this.graceIsOver = graceMs === 0
    const timer = this.graceIsOver ? undefined : setTimeout(() => this.drain(0), graceMs)
    void this.exited.finally(() => clearTimeout(timer))
    if (this.graceIsOver || this.runner.size === 0) this.push({ kind: 'call', apply: () => {} })
  }

  /** The lease is gone: stop everything, commit nothing. */
  abandon(): void {
    this.finish({ kind: 'lost', fenced: false }, () => new TroupeError('commit_refused', 'This host lost its lease.'))
  }

  private push(stimulus: Stimulus): void {
    if (this.gone) return
    this.pending.push(stimulus)
    void this.run()
  }

  private receive(mail: Message[]): void {
    for (const message of this.mailbox.take(mail)) this.pending.push({ kind: 'mail', message })
  }

  private async run(): Promise<void> {
    if (this.busy || this.gone) return
    this.busy = true
    try {
      if (this.parts.claimFirst === true && !this.claimed) await this.claim()
      while (!this.gone && (!this.logic.hasBegun || this.pending.length > 0 || this.mailbox.due)) {
        if (this.mailbox.due) await this.loadMail()
        this.logic.prepare(this.pending)
        // A handler's calls of one moment (three asks, a record and the return) shall be one commit.
        if (this.machine === undefined) await callsOfThisMoment()
        if (this.gone) return
        const turn = new Turn()
        // Before the rest: nothing follows the end of a task in its log.
        this.chatter.drainInto(turn)
        const defect = this.compute(turn)
        await (defect === undefined ? this.commit(turn) : this.endFor(defect))
      }
    } catch (error) {
      this.finish(
        { kind: 'failed', error },
        () => new TroupeError('journal_unavailable', 'The journal did not answer.'),
      )
    } finally {
      this.busy = false
      if (!this.gone) for (const resolve of this.settledWaiters.splice(0)) resolve()
    }
  }

  private async loadMail(): Promise<void> {
    this.mailbox.due = false
    const loaded = await this.parts.journal.load(this.task.id)
    if (loaded !== undefined) this.receive(loaded.mail)
  }

  /** `lastGood`: the state to end with, in place of one that was refused or could not be computed. */
  private async commit(turn: Turn, lastGood?: ActorState): Promise<void> {
    const { isRunning, person, state } = this.logic
    // A draining actor starts nothing more, and lets go when what runs has ended.
    const letsGo = this.draining && (this.runner.size === 0 || this.graceIsOver)
    const restarts = turn.crash !== undefined && turn.ending === undefined
    const release = turn.ending !== undefined || restarts || letsGo || !isRunning
    if (this.claimed && turn.isEmpty && !release) return
    if (letsGo && turn.ending === undefined)
      turn.event({ type: 'task.released', host: this.parts.hostId, because: 'drain' })
    const outward = outwardState(turn, state, { running: isRunning, person, letsGo })
    if (release && outward.waitingFor !== undefined && !restarts)
      turn.event({ type: 'task.waiting', for: outward.waitingFor })
    let commit: ActorCommit
    let outcome: CommitOutcome
    try {
      commit = composeCommit(turn, {
        task: this.task,
        release,
        ...(this.claimed ? {} : { claim: { hostId: this.parts.hostId } }),
        outward,
        usage: this.chatter.usage,
        mailKnown: this.mailbox.known(this.task),
      })
      if (lastGood !== undefined) commit.snapshot = lastGood
      else if (turn.ending?.state !== 'completed' && this.stateChanged()) commit.snapshot = state
      this.parts.around.committing(commit)
      outcome = await this.parts.journal.commit(commit)
    } catch (error) {
      if (lastGood !== undefined || !isRefusal(error)) throw error
      return await this.endFor(error)
    }
    this.parts.around.committed(commit, outcome)
    if (!this.advance(outcome, commit)) return
    Object.assign(this.task, { startedAt: this.task.startedAt ?? outcome.at, state: commit.state })
    if (turn.mailRead !== undefined) this.task.mailRead = turn.mailRead
    this.parts.onCommitted(this.task, commit, outcome)
    if (this.gone) return
    if (release) {
      const why = turn.ending === undefined ? 'The task was released.' : 'The task has ended.'
      const stopped = () => new TroupeError('cancelled', why)
      const crashed = turn.crash !== undefined && mayPass(turn.crash.error)
      if (turn.ending !== undefined) this.finish({ kind: 'ended', crashed }, stopped)
      // After a crash the durable timer `restart` brings the next incarnation, not the mail that is still unread.
      else this.finish({ kind: 'released', runnable: !restarts && (outcome.runnable || isRunning), crashed }, stopped)
      return
    }
    for (const id of turn.stops)
      this.runner.abort(id, new TroupeError('cancelled', `The step "${id}" is no longer needed.`))
    for (const id of turn.starts) this.startStep(id)
    for (const after of turn.afterwards) after()
  }

  /** By itself, with nothing else: whoever dies from now on dies as its owner, and is counted. */
  private async claim(): Promise<void> {
    const commit = claimOf(this.task, this.parts.hostId)
    this.advance(await this.parts.journal.commit(commit), commit)
  }

  private advance(outcome: CommitOutcome, { mailKnown }: ActorCommit): outcome is CommitOutcome & { applied: true } {
    if (!outcome.applied) {
      const fenced = outcome.because === 'lease'
      const why = fenced ? 'This host lost its lease.' : 'Another host owns this task now.'
      this.finish({ kind: 'lost', fenced }, () => new TroupeError('commit_refused', why))
      return false
    }
    this.claimed = true
    const { epoch, version, lastEvent, mailPosition } = outcome
    Object.assign(this.task, { epoch, version, lastEvent, mailPosition })
    this.mailbox.told(mailPosition, mailKnown === undefined)
    return true
  }

  private compute(turn: Turn): TroupeError | undefined {
    try {
      this.logic.compute(turn, this.pending.splice(0))
    } catch (error) {
      return new TroupeError('internal', `A turn cannot be computed: ${messageOf(error)}`, { cause: error })
    }
    return undefined
  }

  /** It would be refused, or could not be computed, again and again: the task ends of it, in the state that the journal has (P5). */
  private async endFor(error: TroupeError): Promise<void> {
    const loaded = await this.parts.journal.load(this.task.id)
    const state = (loaded?.task.snapshot as ActorState | undefined) ?? emptyState()
    await this.commit(lastTurn(error, { task: this.task, agent: this.parts.agent, state }), state)
  }

  /** A handler's state rarely changes: its records are rows of their own. A machine's changes with each turn. */
  private stateChanged(): boolean {
    if (this.machine !== undefined) return true
    const json = encodeState(this.logic.state)
    const changed = json !== this.writtenState
    this.writtenState = json
    return changed
  }

  private startStep(id: string): void {
    const step = this.logic.state.steps[id]
    const effect = step?.kind === 'step' ? this.machine!.effect(step.src) : undefined
    if (step?.kind !== 'step' || effect?.kind !== 'step') return
    const policy = effectivePolicy(this.parts.agent.steps, effect.policy)
    const started = performance.now()
    const { invocation, attempt, input } = step
    void this.runner
      .run({ id, invocation, attempt, policy, run: effect.run, input })
      .then((outcome) =>
        this.push({ kind: 'outcome', stepId: id, invocation, outcome, ms: Math.round(performance.now() - started) }),
      )
  }

  private finish(exit: ActorExit, reason: () => TroupeError): void {
    if (this.gone) return
    this.gone = true
    this.chatter.stop()
    this.runner.abortAll(reason)
    this.exit(exit)
  }

  private createHandler(asker: Asker, state: ActorState, loaded: LoadedTask): HandlerBehaviour {
    const runStep = Object.assign((run: Parameters<RunStep>[0]) => this.runner.run(run), {
      pause: (ms: number) => this.runner.pause(ms),
    })
    const view = this.parts.makeContext(
      this.task,
      { id: 'run', invocation: 1, attempt: 1, policy: effectivePolicy(undefined, {}), run: () => {}, input: undefined },
      this.runner,
      this.chatter,
    )
    return new HandlerBehaviour({
      agent: this.parts.agent,
      asker,
      state,
      recorded: loaded.steps,
      runStep,
      context: view,
      push: (stimulus) => this.push(stimulus),
      committed: () => {
        if (this.claimed && !this.busy && this.pending.length === 0) return Promise.resolve()
        return new Promise((resolve) => this.settledWaiters.push(resolve))
      },
    })
  }
}
