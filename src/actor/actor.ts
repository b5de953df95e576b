// The durable actor: one task's incarnation on one host.
//   actor.ts     this file: the loop — what it is told becomes a turn, a turn becomes a commit, then effects start
//   turn.ts      a turn: everything that follows from what an actor was told, before any of it happens
//   state.ts     the actor's snapshot as JSON
//   machine.ts   the behaviour of an xstate machine, through its pure functions
//   handler.ts   the behaviour of a `run` function
//   children.ts  asking, telling and stopping other tasks
//   steps.ts     runs steps with abort signal and timeout
//   restart.ts   retry and restart budgets
//   settle.ts    how a turn ends: output check, crash decision, reply to the parent, state for the outside
//   commit.ts    a turn as the journal takes it
//   chatter.ts   coalesces progress and tokens
//
// Promises: P2 (every commit carries epoch and version; a refused one ends this incarnation), P3, P4 (mail is read in
// order, in the commit that applies it), P7 (cancel and deadline are looked at before everything else).
import { TroupeError } from '../contract/errors.ts'
import type { ActorCommit, CommitOutcome, Journal, LoadedTask, Message, TaskRow } from '../journal/journal.ts'
import type { Agent } from '../sdk/define-agent.ts'
import { Chatter } from './chatter.ts'
import { type Asker, createAsker } from './children.ts'
import { composeCommit } from './commit.ts'
import { HandlerBehaviour } from './handler.ts'
import { MachineBehaviour } from './machine.ts'
import { effectivePolicy } from './restart.ts'
import { outwardState, RESTART_TIMER, settle } from './settle.ts'
import { type ActorState, emptyState } from './state.ts'
import { type AroundStep, type ContextMaker, type RunStep, StepRunner } from './steps.ts'
import { type Stimulus, Turn } from './turn.ts'

export interface ActorParts {
  hostId: string
  journal: Journal
  agent: Agent
  resolve: Asker['resolve']
  makeContext: ContextMaker
  around: AroundStep
  /** After each commit: the host publishes events, offers children, wakes receivers. */
  onCommitted(task: TaskRow, commit: ActorCommit, outcome: CommitOutcome & { applied: true }): void
}

/** Why an incarnation is over. `lost`: another host owns the task, or the journal refused us. */
export type ActorExit =
  | { kind: 'ended' }
  | { kind: 'released'; runnable: boolean }
  | { kind: 'lost' }
  | { kind: 'failed'; error: unknown }

const EMPTY = JSON.stringify(emptyState())

export class Actor {
  readonly exited: Promise<ActorExit>
  readonly task: TaskRow
  private readonly parts: ActorParts
  private readonly state: ActorState
  private readonly runner: StepRunner
  private readonly chatter: Chatter
  private readonly machine: MachineBehaviour | undefined
  private readonly handler: HandlerBehaviour | undefined
  private readonly exit: (exit: ActorExit) => void
  private pending: Stimulus[] = []
  private writtenState = EMPTY
  private busy = false
  private gone = false
  private claimed = false
  private begun = false
  private draining = false
  private graceEnds = Number.POSITIVE_INFINITY
  private mailSeen: number
  private mailDue = false
  private settledWaiters: (() => void)[] = []

  constructor(parts: ActorParts, loaded: LoadedTask) {
    this.parts = parts
    this.task = loaded.task
    this.state = (loaded.task.snapshot as ActorState | undefined) ?? emptyState()
    if (loaded.task.snapshot !== undefined) this.writtenState = JSON.stringify(this.state)
    this.mailSeen = loaded.task.mailRead
    // Ours already when the journal was away in the middle of a turn and this host takes the task up again.
    this.claimed = loaded.task.owner === parts.hostId
    const { promise, resolve } = Promise.withResolvers<ActorExit>()
    this.exited = promise
    this.exit = resolve
    this.chatter = new Chatter(this.task, () => this.push({ kind: 'call', apply: () => {} }))
    this.runner = new StepRunner({
      task: this.task,
      makeContext: parts.makeContext,
      around: parts.around,
      report: this.chatter,
    })
    const asker = createAsker(this.task, parts.resolve)
    if (parts.agent.machine !== undefined) this.machine = new MachineBehaviour(parts.agent, asker)
    else this.handler = this.createHandler(asker, loaded)
    this.receive(loaded.mail)
  }

  start(): void {
    void this.run()
  }

  /** There is mail. */
  wake(): void {
    this.mailDue = true
    void this.run()
  }

  /** Lets the task go as soon as its running steps have ended, or at once when the grace is over. */
  drain(graceMs: number): void {
    this.draining = true
    const timer = setTimeout(() => this.push({ kind: 'call', apply: () => {} }), graceMs)
    void this.exited.finally(() => clearTimeout(timer))
    this.graceEnds = performance.now() + graceMs
    if (!this.isRunning) this.push({ kind: 'call', apply: () => {} })
  }

  /** The lease is gone: stop everything, commit nothing. */
  abandon(): void {
    this.finish({ kind: 'lost' }, () => new TroupeError('commit_refused', 'This host lost its lease.'))
  }

  private push(stimulus: Stimulus): void {
    if (this.gone) return
    this.pending.push(stimulus)
    void this.run()
  }

  private receive(mail: Message[]): void {
    for (const message of mail) {
      if (message.position <= this.mailSeen) continue
      this.mailSeen = message.position
      this.pending.push({ kind: 'mail', message })
    }
  }

  private async run(): Promise<void> {
    if (this.busy || this.gone) return
    this.busy = true
    try {
      while (!this.gone && (!this.begun || this.pending.length > 0 || this.mailDue)) {
        if (this.mailDue) await this.loadMail()
        if (!this.begun && !this.pending.some(isOrder)) this.handler?.start(this.task.input)
        // A handler's calls of one moment (three asks, a record and the return) shall be one commit.
        if (this.handler !== undefined) await microtasksDrained()
        if (this.gone) return
        await this.commit(this.compute())
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
    this.mailDue = false
    const loaded = await this.parts.journal.load(this.task.id)
    if (loaded !== undefined) this.receive(loaded.mail)
  }

  private compute(): Turn {
    const turn = new Turn()
    const stimuli = this.pending
    this.pending = []
    this.chatter.drainInto(turn)
    // P7: an order to stop wins over whatever came before it.
    const order = stimuli.find(isOrder)
    if (order !== undefined) this.obey(turn, order.message)
    else {
      if (!this.begun) this.enter(turn, stimuli)
      for (const stimulus of stimuli) {
        if (turn.ending !== undefined || turn.crash !== undefined) break
        this.apply(turn, stimulus)
        if (stimulus.kind === 'mail' && turn.crash === undefined) turn.mailRead = stimulus.message.position
      }
    }
    settle(turn, { task: this.task, agent: this.parts.agent, state: this.state })
    this.begun = true
    return turn
  }

  private enter(turn: Turn, stimuli: Stimulus[]): void {
    const resumed = this.task.startedAt !== undefined
    turn.event(
      resumed
        ? { type: 'task.resumed', host: this.parts.hostId, because: reasonToResume(stimuli) }
        : { type: 'task.started', host: this.parts.hostId },
    )
    if (this.machine === undefined) return
    if (this.state.machine === undefined) this.machine.begin(turn, this.state, this.task.input)
    else {
      try {
        this.machine.resume(this.state)
      } catch (error) {
        turn.crash = { error }
        return
      }
      // P3: what was running when the last incarnation died runs again, under the same key.
      for (const [id, step] of Object.entries(this.state.steps)) {
        if (step.kind === 'step' && !step.resting) turn.starts.push(id)
      }
    }
  }

  private apply(turn: Turn, stimulus: Stimulus): void {
    if (stimulus.kind === 'call') stimulus.apply(turn)
    else if (stimulus.kind === 'returned') turn.end({ state: 'completed', output: stimulus.output })
    else if (stimulus.kind === 'threw') turn.crash = { error: stimulus.error }
    else if (this.machine !== undefined) this.machine.apply(turn, this.state, stimulus)
    else if (stimulus.kind === 'mail') this.handler!.applyMail(turn, stimulus.message)
  }

  private obey(turn: Turn, message: Message): void {
    turn.mailRead = message.position
    if (message.body.kind === 'deadline') {
      const error = { code: 'deadline_exceeded', message: 'The task did not end before its deadline.' } as const
      turn.end({ state: 'failed', error })
      return
    }
    const reason = message.body.kind === 'cancel' ? message.body.reason : undefined
    turn.event({ type: 'task.cancel_requested', ...(reason === undefined ? {} : { reason }) })
    turn.end({ state: 'cancelled', ...(reason === undefined ? {} : { reason }) })
  }

  private get isRunning(): boolean {
    if (this.handler !== undefined) return this.handler.isRunning
    return Object.values(this.state.steps).some((step) => step.kind === 'step' && !step.resting)
  }

  private async commit(turn: Turn): Promise<void> {
    const letsGo = this.draining && (!this.isRunning || performance.now() >= this.graceEnds)
    const crashed = turn.crash !== undefined && turn.ending === undefined
    const release = turn.ending !== undefined || crashed || letsGo || !this.isRunning
    if (this.claimed && turn.isEmpty && !release) return
    if (letsGo && turn.ending === undefined)
      turn.event({ type: 'task.released', host: this.parts.hostId, because: 'drain' })
    const outward = outwardState(turn, this.state, { running: this.isRunning, needsPerson: this.needsPerson, letsGo })
    const commit = composeCommit(turn, {
      task: this.task,
      release,
      ...(this.claimed ? {} : { claim: { hostId: this.parts.hostId } }),
      outward,
      usage: this.chatter.usage,
    })
    if (turn.ending?.state !== 'completed' && this.stateChanged()) commit.snapshot = this.state
    const outcome = await this.parts.journal.commit(commit)
    if (!outcome.applied) {
      this.finish({ kind: 'lost' }, () => new TroupeError('commit_refused', 'Another host owns this task now.'))
      return
    }
    this.claimed = true
    Object.assign(this.task, {
      epoch: outcome.epoch,
      version: outcome.version,
      lastEvent: outcome.lastEvent,
      mailPosition: outcome.mailPosition,
      startedAt: this.task.startedAt ?? outcome.at,
    })
    if (turn.mailRead !== undefined) this.task.mailRead = turn.mailRead
    this.parts.onCommitted(this.task, commit, outcome)
    if (this.gone) return
    if (release) {
      const why = turn.ending === undefined ? 'The task was released.' : 'The task has ended.'
      const stopped = () => new TroupeError('cancelled', why)
      if (turn.ending !== undefined) this.finish({ kind: 'ended' }, stopped)
      // After a crash the durable timer `restart` brings the next incarnation, not the mail that is still unread.
      else this.finish({ kind: 'released', runnable: !crashed && (outcome.runnable || this.isRunning) }, stopped)
      return
    }
    for (const id of turn.stops)
      this.runner.abort(id, new TroupeError('cancelled', `The step "${id}" is no longer needed.`))
    for (const id of turn.starts) this.startStep(id)
    for (const after of turn.afterwards) after()
    if (outcome.mailPosition > this.mailSeen) this.mailDue = true
  }

  /** A handler's state rarely changes: its records are rows of their own. A machine's changes with each turn. */
  private stateChanged(): boolean {
    if (this.machine !== undefined) return true
    const json = JSON.stringify(this.state)
    const changed = json !== this.writtenState
    this.writtenState = json
    return changed
  }

  private startStep(id: string): void {
    const step = this.state.steps[id]
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

  private get needsPerson(): boolean {
    return this.machine?.needsPerson ?? this.handler?.needsPerson ?? false
  }

  private finish(exit: ActorExit, reason: () => TroupeError): void {
    if (this.gone) return
    this.gone = true
    this.chatter.stop()
    this.runner.abortAll(reason)
    this.exit(exit)
  }

  private createHandler(asker: Asker, loaded: LoadedTask): HandlerBehaviour {
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
      state: this.state,
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

/**
 * Resolves when everything that follows from what just happened has run. Not setImmediate: that would put the commits of
 * half the actors into every other turn of the event loop, and each turn's commits share one fsync.
 */
function microtasksDrained(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}

function isOrder(stimulus: Stimulus): stimulus is Stimulus & { kind: 'mail' } {
  return stimulus.kind === 'mail' && isOrderToStop(stimulus.message)
}

/** Cancel and deadline need no agent: a task ends although nobody has its code any more. */
export function isOrderToStop({ body }: Message): boolean {
  return body.kind === 'cancel' || body.kind === 'deadline'
}

function reasonToResume(stimuli: Stimulus[]): 'mail' | 'restart' | 'takeover' {
  const mail = stimuli.find((stimulus) => stimulus.kind === 'mail')
  if (mail?.kind !== 'mail') return 'takeover'
  return mail.message.body.kind === 'timer' && mail.message.body.timerId === RESTART_TIMER ? 'restart' : 'mail'
}
