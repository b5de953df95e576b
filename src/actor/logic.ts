// The pure half of an actor: its behaviour and its state. What it was told goes in, a turn comes out; nothing here
// touches the world, so a turn that the journal refuses never happened.
import type { EventBody } from '../contract/events.ts'
import type { WaitingFor } from '../contract/task.ts'
import type { Message, TaskRow } from '../journal/journal.ts'
import type { Agent } from '../sdk/define-agent.ts'
import type { HandlerBehaviour } from './handler.ts'
import type { MachineBehaviour } from './machine.ts'
import { settle } from './settle.ts'
import type { ActorState } from './state.ts'
import { RESTART_TIMER } from './timers.ts'
import type { Stimulus, Turn } from './turn.ts'

type Resumed = Extract<EventBody, { type: 'task.resumed' }>

export interface LogicParts {
  hostId: string
  task: TaskRow
  agent: Agent
  state: ActorState
  behaviour: { machine: MachineBehaviour } | { handler: HandlerBehaviour }
}

export class ActorLogic {
  readonly state: ActorState
  private readonly parts: LogicParts
  private readonly machine: MachineBehaviour | undefined
  private readonly handler: HandlerBehaviour | undefined
  /** It had ended; a person retries it. */
  private readonly resumesEnded: boolean
  private begun = false

  constructor(parts: LogicParts) {
    this.parts = parts
    this.state = parts.state
    this.resumesEnded = parts.state.ended === true
    this.machine = 'machine' in parts.behaviour ? parts.behaviour.machine : undefined
    this.handler = 'handler' in parts.behaviour ? parts.behaviour.handler : undefined
  }

  get hasBegun(): boolean {
    return this.begun
  }

  get isRunning(): boolean {
    if (this.handler !== undefined) return this.handler.isRunning
    return Object.values(this.state.steps).some((step) => step.kind === 'step' && !step.resting)
  }

  get person(): WaitingFor | undefined {
    return this.machine?.person ?? this.handler?.person
  }

  /** Runs a handler's function up to its first wait. A machine needs no such thing. */
  prepare(stimuli: Stimulus[]): void {
    if (this.begun || stimuli.some(isOrder) || this.handler === undefined) return
    if (this.resumesEnded) beginAnew(this.state)
    this.handler.start(this.parts.task.input)
  }

  compute(turn: Turn, stimuli: Stimulus[]): void {
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
    settle(turn, { task: this.parts.task, agent: this.parts.agent, state: this.state })
    this.begun = true
  }

  private enter(turn: Turn, stimuli: Stimulus[]): void {
    const resumed = this.parts.task.startedAt !== undefined
    turn.event(
      resumed
        ? { type: 'task.resumed', host: this.parts.hostId, because: this.reasonToResume(stimuli) }
        : { type: 'task.started', host: this.parts.hostId },
    )
    if (this.machine === undefined) return
    if (this.state.machine === undefined) {
      if (this.resumesEnded) beginAnew(this.state)
      this.machine.begin(turn, this.state, this.parts.task.input)
    } else {
      try {
        this.machine.resume(turn, this.state)
      } catch (error) {
        turn.crash = { error }
      }
    }
  }

  private reasonToResume(stimuli: Stimulus[]): Resumed['because'] {
    if (this.resumesEnded) return 'retry'
    const mail = stimuli.find((stimulus) => stimulus.kind === 'mail')
    // Whoever lets go of a task with work left says `queued`; whoever dies says nothing.
    if (mail?.kind !== 'mail') return this.parts.task.state === 'queued' ? 'release' : 'takeover'
    return mail.message.body.kind === 'timer' && mail.message.body.timerId === RESTART_TIMER ? 'restart' : 'mail'
  }

  private apply(turn: Turn, stimulus: Stimulus): void {
    if (stimulus.kind === 'call') stimulus.apply(turn)
    else if (stimulus.kind === 'returned') turn.end({ state: 'completed', output: stimulus.output })
    else if (stimulus.kind === 'threw') turn.crash = crashOf(stimulus)
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
}

function crashOf({ error, step }: { error: unknown; step?: string }): Turn['crash'] {
  return step === undefined ? { error } : { error, step }
}

/** A retried handler makes its calls again, as does a machine that failed in its first turn; what they waited for ended with the task. */
function beginAnew(state: ActorState): void {
  Object.assign(state, { steps: {}, timers: {}, waits: {}, crashes: [] })
  delete state.ended
}

function isOrder(stimulus: Stimulus): stimulus is Stimulus & { kind: 'mail' } {
  return stimulus.kind === 'mail' && isOrderToStop(stimulus.message)
}

/** Cancel and deadline need no agent: a task ends although nobody has its code any more. */
export function isOrderToStop({ body }: Message): boolean {
  return body.kind === 'cancel' || body.kind === 'deadline'
}
