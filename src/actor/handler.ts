// The handler behaviour: runs an agent's function from its start each time the actor wakes; what is recorded is
// skipped. The function's durable calls become parts of turns.
//
// A step's record is on its way to the journal while the function goes on, but the next effect waits until it is
// there (P3). A step's failure is recorded only when the function caught it and goes on: an uncaught one crashes the
// actor, and the restart shall try the step again.
import { fromErrorRecord, TroupeError, toErrorRecord } from '../contract/errors.ts'
import type { Message, StepOutcome } from '../journal/journal.ts'
import type { Agent } from '../sdk/define-agent.ts'
import type { HandlerContext } from '../sdk/handler.ts'
import { checkPolicy, type RetryPolicy } from '../sdk/step.ts'
import { type Asker, askChild } from './children.ts'
import { effectivePolicy, retryDelay } from './restart.ts'
import type { ActorState } from './state.ts'
import type { RunStep } from './steps.ts'
import type { StepResult, Stimulus, Turn } from './turn.ts'

/** Messages that no `wait` asked for yet; beyond this the oldest is dropped, and the log says so. */
const INBOX = 100

interface HandlerParts {
  agent: Agent
  asker: Asker
  state: ActorState
  recorded: Record<string, StepOutcome>
  runStep: RunStep
  /** Its parts are made when first used. */
  context: Pick<HandlerContext, Ambient>
  push(stimulus: Stimulus): void
  /** Resolves when the actor owns its task and everything pushed so far is committed. */
  committed(): Promise<void>
}

export class HandlerBehaviour {
  private readonly parts: HandlerParts
  /** Promises of durable waits (children, timers, messages), by id. */
  private readonly waiting = new Map<string, { settle: (outcome: StepOutcome) => void }>()
  private readonly running = new Set<string>()
  private failures: { id: string; outcome: StepOutcome }[] = []
  private settled = false
  /** Answers that are committed and not handed to the function yet. */
  private settling = 0

  constructor(parts: HandlerParts) {
    this.parts = parts
  }

  start(input: unknown): void {
    const ctx = this.createContext(input)
    // An async wrapper, so that a function that throws at once is one that rejects.
    void (async () => await this.parts.agent.run!(ctx))().then(
      (output) => {
        this.settled = true
        this.parts.push({ kind: 'returned', output })
      },
      (error: unknown) => {
        this.settled = true
        this.parts.push({ kind: 'threw', error })
      },
    )
  }

  /** Everything it waits for is durable: it can leave memory and be run again later. */
  get canSleep(): boolean {
    return !this.settled && this.settling === 0 && this.running.size === 0 && this.waiting.size > 0
  }

  get needsPerson(): boolean {
    return Object.keys(this.parts.state.waits ?? {}).length > 0
  }

  /** A step of this id is under way: the answer to `is anything running`. */
  get isRunning(): boolean {
    return !this.settled && !this.canSleep
  }

  applyMail(turn: Turn, message: Message): void {
    const { state } = this.parts
    const body = message.body
    if (body.kind === 'reply') {
      const step = state.steps[body.stepId]
      if (step?.kind !== 'ask' || step.childId !== body.childId) return
      delete state.steps[body.stepId]
      turn.event({ type: 'child.ended', step: body.stepId, task: body.childId, state: body.state })
      this.record(turn, body.stepId, body.outcome)
    } else if (body.kind === 'timer') {
      if (state.timers[body.timerId] === undefined) return
      delete state.timers[body.timerId]
      turn.event({ type: 'timer.fired', timer: body.timerId })
      this.record(turn, body.timerId, { ok: true, value: null })
    } else if (body.kind === 'event') {
      turn.event({ type: 'message.received', from: message.from, name: body.event.type })
      const waits = Object.entries(state.waits ?? {})
      const wait = waits.find(([, type]) => type === body.event.type)
      if (wait !== undefined) {
        delete state.waits![wait[0]]
        this.record(turn, wait[0], { ok: true, value: body.event })
        return
      }
      state.inbox = [...(state.inbox ?? []), body.event]
      if (state.inbox.length > INBOX) {
        const dropped = state.inbox.shift()!
        turn.event({ type: 'progress', message: `dropped the unread message ${dropped.type}: the inbox is full` })
      }
    }
  }

  private record(turn: Turn, id: string, outcome: StepOutcome): void {
    turn.recorded[id] = outcome
    this.parts.recorded[id] = outcome
    const waiter = this.waiting.get(id)
    if (waiter === undefined) return
    this.waiting.delete(id)
    this.settling += 1
    turn.afterwards.push(() => {
      this.settling -= 1
      waiter.settle(outcome)
      // One more turn, after the function has taken its answer: it may have nothing to do but wait on, and can sleep.
      this.parts.push({ kind: 'call', apply: () => {} })
    })
  }

  private createContext(input: unknown): HandlerContext {
    const { context, asker, state, recorded, push } = this.parts
    return new RunContext(context, {
      input,
      step: (id, run, policy = {}) => this.step(id, run, policy) as never,
      ask: (id, agent, childInput) =>
        this.waitFor(id, (turn) => {
          if (state.steps[id] !== undefined) return
          const effect = { kind: 'ask', agent } as const
          askChild(turn, state, asker, { id, src: id, invocation: 1, effect, input: childInput })
        }) as never,
      sleep: async (id, ms) => {
        await this.waitFor(id, (turn) => {
          if (state.timers[id] !== undefined) return
          state.timers[id] = { event: { type: 'sleep' }, inMs: ms }
          turn.setTimer(id, ms)
        })
      },
      wait: (id, type) => {
        const early = recorded[id] === undefined ? state.inbox?.findIndex((event) => event.type === type) : undefined
        if (early !== undefined && early >= 0) {
          const [event] = state.inbox!.splice(early, 1)
          const outcome: StepOutcome = { ok: true, value: event }
          recorded[id] = outcome
          push({
            kind: 'call',
            apply: (turn) => {
              turn.recorded[id] = outcome
            },
          })
        }
        return this.waitFor(id, () => {
          state.waits = { ...state.waits, [id]: type }
        }) as never
      },
    })
  }

  /** Of an earlier run. Two calls under one id would be one after a crash, so the second is refused before it is begun. */
  private outcomeOf(id: string): StepOutcome | undefined {
    if (typeof id !== 'string' || id in Object.prototype) {
      throw new TroupeError('agent_invalid', `${JSON.stringify(id)} cannot be the id of a step or a wait.`)
    }
    if (this.running.has(id) || this.waiting.has(id)) {
      throw new TroupeError('agent_invalid', `The id "${id}" is given to two calls at the same time.`)
    }
    return this.parts.recorded[id]
  }

  /** A durable wait: recorded already, or begun in the next turn and answered by mail. */
  private waitFor(id: string, begin: (turn: Turn) => void): Promise<unknown> {
    const known = this.outcomeOf(id)
    if (known !== undefined) return replay(known)
    this.flushFailures()
    return new Promise((resolve, reject) => {
      this.waiting.set(id, {
        settle: (outcome) => (outcome.ok ? resolve(outcome.value) : reject(fromErrorRecord(outcome.error))),
      })
      this.parts.push({
        kind: 'call',
        // Mail that came in the same turn may have answered it already.
        apply: (turn) => {
          if (this.parts.recorded[id] === undefined) begin(turn)
        },
      })
    })
  }

  private async step(id: string, run: Parameters<HandlerContext['step']>[1], own: RetryPolicy): Promise<unknown> {
    const { recorded, push, agent, runStep, committed } = this.parts
    const known = this.outcomeOf(id)
    if (known !== undefined) return await replay(known)
    checkPolicy(own)
    this.flushFailures()
    this.running.add(id)
    try {
      await committed()
      const policy = effectivePolicy(agent.steps, own)
      for (let attempt = 1; ; attempt++) {
        const started = performance.now()
        const result: StepResult = await runStep({
          id,
          invocation: 1,
          attempt,
          policy,
          run: ({ ctx }) => run(ctx),
          input: undefined,
        })
        if (result.ok) {
          const outcome: StepOutcome = { ok: true, value: result.value ?? null }
          recorded[id] = outcome
          const ms = Math.round(performance.now() - started)
          push({
            kind: 'call',
            apply: (turn) => {
              turn.recorded[id] = outcome
              turn.event({ type: 'step.completed', step: id, ms })
            },
          })
          return result.value
        }
        const inMs = retryDelay(result.error, attempt, policy)
        const error = toErrorRecord(result.error, 'step_failed')
        if (inMs === undefined) {
          this.failures.push({ id, outcome: { ok: false, error } })
          throw result.error
        }
        push({ kind: 'call', apply: (turn) => turn.event({ type: 'step.retrying', step: id, attempt, inMs, error }) })
        await runStep.pause(inMs)
      }
    } finally {
      this.running.delete(id)
    }
  }

  private flushFailures(): void {
    const failures = this.failures
    if (failures.length === 0) return
    this.failures = []
    for (const { id, outcome } of failures) this.parts.recorded[id] = outcome
    this.parts.push({
      kind: 'call',
      apply: (turn) => {
        for (const { id, outcome } of failures) {
          turn.recorded[id] = outcome
          if (!outcome.ok) turn.event({ type: 'step.failed', step: id, error: outcome.error, attempt: 0 })
        }
      },
    })
  }
}

type Ambient = 'task' | 'log' | 'signal' | 'progress'

/**
 * What a handler's function is given. A class, because V8 gives each object literal with getters a hidden class that
 * holds them, and chains those: every actor that ever was would stay reachable until the next full collection.
 */
class RunContext implements HandlerContext {
  readonly input: unknown
  readonly step: HandlerContext['step']
  readonly ask: HandlerContext['ask']
  readonly sleep: HandlerContext['sleep']
  readonly wait: HandlerContext['wait']
  readonly progress: HandlerContext['progress']
  readonly #ambient: Pick<HandlerContext, Ambient>

  constructor(ambient: Pick<HandlerContext, Ambient>, calls: Omit<HandlerContext, Ambient>) {
    this.input = calls.input
    this.step = calls.step
    this.ask = calls.ask
    this.sleep = calls.sleep
    this.wait = calls.wait
    this.progress = ambient.progress
    this.#ambient = ambient
  }

  get task() {
    return this.#ambient.task
  }
  get log() {
    return this.#ambient.log
  }
  get signal() {
    return this.#ambient.signal
  }
}

async function replay(outcome: StepOutcome): Promise<unknown> {
  if (outcome.ok) return outcome.value
  throw fromErrorRecord(outcome.error)
}
