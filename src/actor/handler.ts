// The handler behaviour: runs an agent's function from its start each time the actor wakes; what is recorded is
// skipped. The function's durable calls become parts of turns.
//
// A step's record is on its way to the journal while the function goes on, but the next effect waits until it is
// there (P3). A failure is recorded only when the function caught it and goes on: an uncaught one crashes the actor, and
// the restart shall try the step again; a retry of the task asks a failed child again.
import { type ErrorRecord, fromErrorRecord, TroupeError, toErrorRecord } from '../contract/errors.ts'
import type { WaitingFor } from '../contract/task.ts'
import type { Message, StepOutcome } from '../journal/journal.ts'
import type { Agent } from '../sdk/define-agent.ts'
import type { HandlerContext } from '../sdk/handler.ts'
import { policyFault, type RetryPolicy } from '../sdk/step.ts'
import { Calls } from './calls.ts'
import { type Asker, askChild } from './children.ts'
import { effectivePolicy, retryDelay } from './restart.ts'
import { type Ambient, heard, RunContext } from './run-context.ts'
import { waitingForPerson } from './settle.ts'
import type { ActorState } from './state.ts'
import type { RunStep } from './steps.ts'
import { checkDelay, ownTimer, ownTimerId } from './timers.ts'
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
  private readonly calls: Calls
  /** Failures that the function has heard of; it may catch them, or fail of them. */
  private failures: Failure[] = []
  private settled = false
  /** Answers that are committed and not handed to the function yet. */
  private settling = 0

  constructor(parts: HandlerParts) {
    this.parts = parts
    const { steps, timers, waits = {} } = parts.state
    const isFirstRun = parts.asker.task.startedAt === undefined
    this.calls = new Calls(parts.agent.name, isFirstRun ? [] : [parts.recorded, steps, timers, waits])
  }

  start(input: unknown): void {
    const ctx = this.createContext(input)
    // An async wrapper, so that a function that throws at once is one that rejects.
    void (async () => await this.parts.agent.run!(ctx))().then(
      (output) => {
        this.flushFailures()
        this.settle({ kind: 'returned', output })
      },
      (error: unknown) => {
        const step = this.failures.find((failure) => failure.attempt !== undefined && failure.thrown === error)?.id
        this.settle({ kind: 'threw', error, ...(step === undefined ? {} : { step }) })
      },
    )
  }

  private settle(end: Stimulus): void {
    this.settled = true
    const message = this.calls.left()
    if (message !== undefined)
      this.parts.push({ kind: 'call', apply: (turn) => turn.event({ type: 'progress', message }) })
    this.parts.push(end)
  }

  /** Everything it waits for is durable: it can leave memory and be run again later. */
  get canSleep(): boolean {
    return !this.settled && this.settling === 0 && this.running.size === 0 && this.waiting.size > 0
  }

  get person(): WaitingFor | undefined {
    const { waits = {} } = this.parts.state
    const ids = Object.keys(waits)
    return ids.length === 0 ? undefined : waitingForPerson(ids, Object.values(waits))
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
      turn.event({ type: 'child.ended', step: body.stepId, task: body.childId, state: body.state })
      if (body.outcome.ok) {
        delete state.steps[body.stepId]
        this.record(turn, body.stepId, body.outcome)
        return
      }
      step.failed = body.outcome.error
      this.answer(turn, body.stepId, body.outcome)
    } else if (body.kind === 'timer') {
      const id = ownTimerId(body.timerId)
      if (id === undefined || state.timers[id] === undefined) return
      delete state.timers[id]
      turn.event({ type: 'timer.fired', timer: id })
      this.record(turn, id, { ok: true, value: null })
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
    this.answer(turn, id, outcome)
  }

  private answer(turn: Turn, id: string, outcome: StepOutcome): void {
    const waiter = this.waiting.get(id)
    if (waiter === undefined) return
    this.waiting.delete(id)
    this.settling += 1
    turn.afterwards.push(() => {
      this.settling -= 1
      if (!outcome.ok) this.failures.push({ id, error: outcome.error })
      waiter.settle(outcome)
      // One more turn, after the function has taken its answer: it may have nothing to do but wait on, and can sleep.
      this.parts.push({ kind: 'call', apply: () => {} })
    })
  }

  private createContext(input: unknown): HandlerContext {
    const { context, asker, state } = this.parts
    return new RunContext(context, {
      input,
      step: (id, run, policy = {}) => heard(this.step(id, run, policy)) as never,
      ask: (id, agent, childInput) =>
        this.waitFor(id, (turn) => {
          const asked = state.steps[id]
          if (asked === undefined) {
            const effect = { kind: 'ask', agent } as const
            askChild(turn, state, asker, { id, src: id, invocation: 1, effect, input: childInput })
          } else if (asked.kind === 'ask' && asked.failed !== undefined) {
            this.answer(turn, id, { ok: false, error: asked.failed })
          }
        }) as never,
      sleep: async (id, ms) => {
        checkDelay(id, ms)
        await this.waitFor(id, (turn) => {
          if (state.timers[id] !== undefined) return
          state.timers[id] = { event: { type: 'sleep' }, inMs: ms }
          turn.setTimer(ownTimer(id), ms)
        })
      },
      wait: (id, type) =>
        this.waitFor(id, (turn) => {
          const early = state.inbox?.findIndex((event) => event.type === type) ?? -1
          if (early < 0) state.waits = { ...state.waits, [id]: type }
          else this.record(turn, id, { ok: true, value: state.inbox!.splice(early, 1)[0] })
        }) as never,
    })
  }

  /** A durable wait: recorded already, or begun in the next turn and answered by mail. */
  private waitFor(id: string, begin: (turn: Turn) => void): Promise<unknown> {
    const answered = new Promise((resolve, reject) => {
      this.calls.begin(id)
      const settle = (outcome: StepOutcome) =>
        outcome.ok ? resolve(outcome.value) : reject(fromErrorRecord(outcome.error))
      const known = this.parts.recorded[id]
      if (known !== undefined) {
        settle(known)
        return
      }
      this.flushFailures()
      this.waiting.set(id, { settle })
      this.parts.push({
        kind: 'call',
        // Mail that came in the same turn may have answered it already.
        apply: (turn) => {
          if (this.parts.recorded[id] === undefined) begin(turn)
        },
      })
    })
    return heard(answered)
  }

  private async step(id: string, run: Parameters<HandlerContext['step']>[1], own: RetryPolicy): Promise<unknown> {
    const { recorded, push, agent, runStep, committed } = this.parts
    this.calls.begin(id)
    const known = recorded[id]
    if (known?.ok === false) throw fromErrorRecord(known.error)
    if (known !== undefined) return known.value
    const fault = policyFault(own)
    if (fault !== undefined) throw new TroupeError('agent_invalid', `Of the step "${id}" of ${agent.name}, ${fault}.`)
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
          this.failures.push({ id, error, attempt, thrown: result.error })
          throw result.error
        }
        push({ kind: 'call', apply: (turn) => turn.event({ type: 'step.retrying', step: id, attempt, inMs, error }) })
        await runStep.pause(inMs)
      }
    } finally {
      this.running.delete(id)
    }
  }

  /** The function went on after them, so it has caught them, and shall take the same way again. */
  private flushFailures(): void {
    const failures = this.failures
    if (failures.length === 0) return
    this.failures = []
    const { state, recorded } = this.parts
    for (const { id, error } of failures) recorded[id] = { ok: false, error }
    this.parts.push({
      kind: 'call',
      apply: (turn) => {
        for (const { id, error, attempt } of failures) {
          turn.recorded[id] = { ok: false, error }
          delete state.steps[id]
          if (attempt !== undefined) turn.event({ type: 'step.failed', step: id, error, attempt })
        }
      },
    })
  }
}

interface Failure {
  id: string
  error: ErrorRecord
  /** Of a step. That a child failed was told when it ended. */
  attempt?: number
  thrown?: unknown
}
