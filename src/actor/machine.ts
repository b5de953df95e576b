// The machine behaviour: applies what an actor is told to its xstate machine and translates the actions, which xstate
// returns as data, into a turn. Pure: nothing here touches the world, so a turn that is refused never happened.
import {
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  initialTransition,
  transition,
} from 'xstate'
import { fromErrorRecord, TroupeError, toErrorRecord } from '../contract/errors.ts'
import type { WaitingFor } from '../contract/task.ts'
import type { Agent } from '../sdk/define-agent.ts'
import { type EffectDescription, effectDescription } from '../sdk/step.ts'
import { type Told, tellDescription } from '../sdk/tell.ts'
import { type Asker, askChild, beginAgain, stopStep } from './children.ts'
import { effectivePolicy, retryDelay } from './restart.ts'
import { waitingForPerson } from './settle.ts'
import { type ActorState, machinePart, restoreSnapshot } from './state.ts'
import { checkDelay, ownTimer, ownTimerId, retriedStep, retryTimer } from './timers.ts'
import type { Stimulus, Turn } from './turn.ts'

/** One action of xstate's, as `transition` returns it. */
interface PlannedAction {
  type: string
  params: unknown
  exec: unknown
  info: { context: unknown; event: unknown }
}

interface RaiseParams {
  event: AnyEventObject
  id?: string
  delay?: number
}

export class MachineBehaviour {
  private readonly agent: Agent
  private readonly machine: AnyStateMachine
  private readonly asker: Asker
  private snapshot: AnyMachineSnapshot | undefined

  constructor(agent: Agent, asker: Asker) {
    this.agent = agent
    this.machine = agent.machine!
    this.asker = asker
  }

  begin(turn: Turn, state: ActorState, input: unknown): void {
    this.take(turn, state, () => initialTransition(this.machine, input as never))
  }

  resume(turn: Turn, state: ActorState): void {
    this.snapshot = restoreSnapshot(this.agent.name, this.machine, state)
    if (state.ended) beginAgain(turn, state, this.asker)
    // P3: what was running when the last incarnation died runs again, under the same key.
    for (const [id, step] of Object.entries(state.steps)) {
      if (step.kind !== 'step') continue
      if (this.effect(step.src) === undefined)
        throw new TroupeError('snapshot_incompatible', goneStep(this.agent, id, step.src))
      if (!step.resting) turn.starts.push(id)
    }
  }

  /** The states that wait for a person, and the messages that they and those around them take. */
  get person(): WaitingFor | undefined {
    if (!this.snapshot?.hasTag('input-required')) return undefined
    const active = this.snapshot._nodes
    const asking = active.filter(({ tags }) => tags.includes('input-required')).map(({ path }) => path.join('.'))
    const taken = active.flatMap(({ ownEvents }) => ownEvents).filter((type) => !/^xstate\.|\*$/.test(type))
    return waitingForPerson(asking, taken)
  }

  effect(src: string): EffectDescription | undefined {
    return effectDescription(logicOf(this.machine, src))
  }

  apply(turn: Turn, state: ActorState, stimulus: Stimulus): void {
    switch (stimulus.kind) {
      case 'mail':
        this.applyMail(turn, state, stimulus)
        return
      case 'outcome': {
        const step = state.steps[stimulus.stepId]
        // A step that was stopped, or started anew, may still answer: too late.
        if (step?.kind !== 'step' || step.invocation !== stimulus.invocation || step.resting) return
        const { outcome, stepId } = stimulus
        if (outcome.ok) {
          this.send(
            turn,
            state,
            { type: `xstate.done.actor.${stepId}`, output: outcome.value, actorId: stepId },
            stepId,
          )
          if (turn.crash === undefined) turn.event({ type: 'step.completed', step: stepId, ms: stimulus.ms })
          return
        }
        const policy = effectivePolicy(this.agent.steps, policyOf(this.effect(step.src)))
        const inMs = retryDelay(outcome.error, step.attempt, policy)
        const error = toErrorRecord(outcome.error, 'step_failed')
        if (inMs !== undefined) {
          state.steps[stepId] = { ...step, attempt: step.attempt + 1, resting: true }
          turn.setTimer(retryTimer(stepId), inMs)
          turn.event({ type: 'step.retrying', step: stepId, attempt: step.attempt, inMs, error })
          return
        }
        turn.event({ type: 'step.failed', step: stepId, error, attempt: step.attempt })
        this.send(turn, state, { type: `xstate.error.actor.${stepId}`, error: outcome.error, actorId: stepId }, stepId)
        return
      }
      default:
        throw new TroupeError('internal', `A machine was told ${stimulus.kind}.`)
    }
  }

  private applyMail(turn: Turn, state: ActorState, { message }: Stimulus & { kind: 'mail' }): void {
    const body = message.body
    if (body.kind === 'event') {
      turn.event({ type: 'message.received', from: message.from, name: body.event.type })
      // Names that begin with `xstate.` are the machine's own; a message must not forge a step's outcome.
      if (!body.event.type.startsWith('xstate.')) this.send(turn, state, body.event)
    } else if (body.kind === 'reply') {
      const step = state.steps[body.stepId]
      if (step?.kind !== 'ask' || step.childId !== body.childId) return
      turn.event({ type: 'child.ended', step: body.stepId, task: body.childId, state: body.state })
      const id = body.stepId
      if (body.outcome.ok) {
        this.send(turn, state, { type: `xstate.done.actor.${id}`, output: body.outcome.value, actorId: id }, id)
      } else {
        const error = fromErrorRecord(body.outcome.error)
        this.send(turn, state, { type: `xstate.error.actor.${id}`, error, actorId: id }, id)
      }
    } else if (body.kind === 'timer') {
      const retried = retriedStep(body.timerId)
      const step = retried === undefined ? undefined : state.steps[retried]
      if (step?.kind === 'step' && step.resting) {
        delete step.resting
        turn.starts.push(retried!)
        return
      }
      const id = ownTimerId(body.timerId)
      const timer = id === undefined ? undefined : state.timers[id]
      if (id === undefined || timer === undefined) return
      delete state.timers[id]
      turn.event({ type: 'timer.fired', timer: id })
      this.send(turn, state, timer.event)
    }
  }

  /** `stepId`: the event is this step's outcome, so the step is over unless the machine crashes of it. */
  private send(turn: Turn, state: ActorState, event: AnyEventObject, stepId?: string): void {
    const step = stepId === undefined ? undefined : state.steps[stepId]
    if (stepId !== undefined) delete state.steps[stepId]
    this.take(turn, state, () => transition(this.machine, this.snapshot!, event))
    if (turn.crash === undefined) return
    if (step !== undefined) state.steps[stepId!] = step
    if (stepId !== undefined && event.error !== undefined) turn.crash.step = stepId
  }

  private take(turn: Turn, state: ActorState, compute: () => [AnyMachineSnapshot, unknown[]]): void {
    let next: AnyMachineSnapshot
    let effects: (() => void)[]
    try {
      const [computed, actions] = compute()
      if (computed.status === 'error') throw computed.error
      next = computed
      // Everything that can throw happens before the first change, so a crash leaves the turn as it was.
      effects = (actions as PlannedAction[]).map((action) => this.plan(turn, state, action))
    } catch (error) {
      turn.crash = { error }
      return
    }
    const before = JSON.stringify(this.snapshot?.value)
    this.snapshot = next
    const entered = JSON.stringify(next.value) !== before
    if (entered && next.status !== 'done') turn.event({ type: 'state.entered', state: next.value })
    for (const effect of effects) effect()
    state.machine = machinePart(next)
    if (next.status === 'done') turn.end({ state: 'completed', output: next.output })
  }

  private plan(turn: Turn, state: ActorState, action: PlannedAction): () => void {
    const params = action.params as Record<string, unknown> | undefined
    switch (action.type) {
      case 'xstate.spawnChild':
        return this.planStart(turn, state, String(params!.id), params!.src, params!.input)
      case 'xstate.stopChild':
        return () => {
          const id = params?.id
          if (typeof id === 'string') stopStep(turn, state, id)
        }
      case 'xstate.raise':
        return this.planTimer(turn, state, params as unknown as RaiseParams)
      case 'xstate.cancel':
        return () => {
          const id = String(params!.sendId)
          if (state.timers[id] === undefined) return
          delete state.timers[id]
          turn.clearTimer(ownTimer(id))
        }
      case 'xstate.emit':
        return () => turn.event({ type: 'emitted', event: params!.event as AnyEventObject })
      case 'xstate.log':
        return () => turn.event({ type: 'progress', message: String(params!.value) })
      case 'xstate.sendTo':
        throw new TroupeError(
          'machine_not_durable',
          `${this.agent.name} uses sendTo; a message to another task is sent with tell(…).`,
        )
    }
    const compose = tellDescription(action.exec)
    if (compose === undefined) {
      throw new TroupeError(
        'machine_not_durable',
        `${this.agent.name} runs the plain function ${action.type} as an action; move its effect into a step(…).`,
      )
    }
    const told = compose(action.info as { context: never; event: never })
    return () => this.asker.tell(turn, told === undefined ? [] : ([told].flat() as Told[]))
  }

  private planTimer(turn: Turn, state: ActorState, { event, id: given, delay }: RaiseParams): () => void {
    // Without a delay it has been applied already.
    if (delay === undefined) return () => {}
    checkDelay(given ?? event.type, delay)
    return () => {
      let id = given ?? event.type
      // Two of a type are two timers, as in xstate, unless they are given the same id.
      for (let n = 2; given === undefined && state.timers[id] !== undefined; n++) id = `${event.type}:${n}`
      state.timers[id] = { event, inMs: delay }
      turn.setTimer(ownTimer(id), delay)
    }
  }

  private planStart(turn: Turn, state: ActorState, id: string, src: unknown, input: unknown): () => void {
    const name = typeof src === 'string' ? src : nameOf(this.machine, src)
    const effect = name === undefined ? undefined : this.effect(name)
    if (name === undefined || effect === undefined) {
      throw new TroupeError(
        'machine_not_durable',
        `${this.agent.name} spawned "${id}" from logic that setup({ actors }) does not name; only step(…) and ask(…) survive.`,
      )
    }
    return () => {
      const invocation = (state.invocations[id] ?? 0) + 1
      state.invocations[id] = invocation
      if (effect.kind === 'ask') {
        askChild(turn, state, this.asker, { id, src: name, invocation, effect, input })
        return
      }
      if (state.steps[id] !== undefined) stopStep(turn, state, id)
      state.steps[id] = { kind: 'step', src: name, invocation, attempt: 1, ...(input === undefined ? {} : { input }) }
      turn.event({ type: 'step.started', step: id, src: name, invocation })
      turn.starts.push(id)
    }
  }
}

function policyOf(effect: EffectDescription | undefined) {
  return effect?.kind === 'step' ? effect.policy : {}
}

/** xstate names logic that stands inline in an invoke `xstate.invoke.<index>.<state node id>`. */
const INLINE = /^xstate\.invoke\.(\d+)\.(.*)$/

export function goneStep({ name, version }: Agent, id: string, src: string): string {
  return `The step "${id}" of this task is "${src}", which ${name}@${version} does not have.`
}

export function logicOf(machine: AnyStateMachine, src: string): unknown {
  const inline = INLINE.exec(src)
  if (inline === null) return machine.implementations.actors[src]
  const invoke = machine.getStateNodeById(inline[2]!).config.invoke as { src: unknown } | { src: unknown }[]
  return (Array.isArray(invoke) ? invoke[Number(inline[1])] : invoke)?.src
}

function nameOf(machine: AnyStateMachine, logic: unknown): string | undefined {
  return Object.entries(machine.implementations.actors).find(([, known]) => known === logic)?.[0]
}
