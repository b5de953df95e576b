// Runs steps: the only place where an agent's code touches the world. Each run has its own abort signal, timeout and
// context; its outcome is a value, never a throw.
import { TroupeError } from '../contract/errors.ts'
import type { Usage } from '../contract/task.ts'
import type { ActorCommit, CommitOutcome, TaskRow } from '../journal/journal.ts'
import type { StepContext } from '../sdk/context.ts'
import type { RetryPolicy, StepFunction } from '../sdk/step.ts'
import { systemClock } from '../supervision/clock.ts'
import { limit } from './step-limits.ts'
import type { StepResult } from './turn.ts'

export interface StepRun {
  id: string
  invocation: number
  attempt: number
  policy: Required<RetryPolicy>
  run: StepFunction<unknown, unknown>
  input: unknown
}

export interface RunStep {
  (run: StepRun): Promise<StepResult>
  /** Waits between two tries; ends early when everything is aborted. */
  pause(ms: number): Promise<void>
}

/** Gives a step what it may touch: built by the host, which knows the workers, the blobs and the trace. */
export type ContextMaker = (task: TaskRow, run: StepRun, source: SignalSource, report: Report) => StepContext

export interface SignalSource {
  readonly signal: AbortSignal
}

export interface Report {
  progress(report: { step: string; fraction?: number; message?: string; data?: unknown }): void
  token(step: string, text: string): void
  /** Adds to what the task has spent; throws `budget_exceeded` over its budget. */
  spend(usage: Partial<Usage>): void
}

/** What a watcher is told of a run. */
export type SeenStep = Pick<StepRun, 'id' | 'invocation' | 'attempt'>

/** Around a step's run, until it has an outcome or is stopped: the host opens a span here. */
export type AroundStep = (task: TaskRow, run: SeenStep, inner: () => Promise<StepResult>) => Promise<StepResult>

/** What is done for a task, and may be watched. */
export interface Around {
  step: AroundStep
  committing(commit: ActorCommit): void
  committed(commit: ActorCommit, outcome: CommitOutcome): void
}

export class StepRunner {
  private readonly running = new Map<string, StepInFlight>()
  private readonly all = new LazySignal()
  private readonly pauses = new Set<() => void>()
  private readonly task: TaskRow
  private readonly makeContext: ContextMaker
  private readonly around: Around
  private readonly report: Report

  constructor(parts: { task: TaskRow; makeContext: ContextMaker; around: Around; report: Report }) {
    this.task = parts.task
    this.makeContext = parts.makeContext
    this.around = parts.around
    this.report = parts.report
  }

  get size(): number {
    return this.running.size
  }

  get signal(): AbortSignal {
    return this.all.signal
  }

  abort(id: string, reason: TroupeError): void {
    this.running.get(id)?.stop(reason)
    this.running.delete(id)
  }

  abortAll(reason: () => TroupeError): void {
    const error = this.running.size > 0 ? reason() : undefined
    for (const step of this.running.values()) step.stop(error!)
    this.running.clear()
    this.all.abort(error)
    this.wakePauses()
  }

  async run(run: StepRun): Promise<StepResult> {
    const step = new StepInFlight()
    this.running.set(run.id, step)
    const { timeout } = run.policy
    const ended = limit(timeout, () =>
      step.stop(new TroupeError('step_timeout', `The step "${run.id}" ran longer than ${timeout} ms.`)),
    )
    try {
      const ctx = this.makeContext(this.task, run, step, this.report)
      return await this.around.step(this.task, run, () => step.settle(() => run.run({ input: run.input, ctx })))
    } catch (error) {
      return { ok: false, error }
    } finally {
      ended()
      if (this.running.get(run.id) === step) this.running.delete(run.id)
    }
  }

  async pause(ms: number): Promise<void> {
    if (this.all.aborted) return
    await new Promise<void>((resolve) => {
      const done = () => {
        cancelTimer()
        this.pauses.delete(done)
        resolve()
      }
      const cancelTimer = systemClock.setTimer(ms, done)
      this.pauses.add(done)
    })
  }

  private wakePauses(): void {
    for (const wake of [...this.pauses]) wake()
  }
}

/** An abort signal that is made when somebody asks for it: most steps, and most actors, are over before. */
class LazySignal implements SignalSource {
  aborted = false
  private reason: TroupeError | undefined
  private controller: AbortController | undefined

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController()
      if (this.aborted) this.controller.abort(this.reason)
    }
    return this.controller.signal
  }

  abort(reason: TroupeError | undefined): void {
    this.aborted = true
    this.reason = reason
    this.controller?.abort(reason)
  }
}

/** One try. */
class StepInFlight extends LazySignal {
  private answer: ((result: StepResult) => void) | undefined

  stop(reason: TroupeError): void {
    this.abort(reason)
    this.answer?.({ ok: false, error: reason })
  }

  /** A step that ignores its signal is left behind when it is stopped; its late outcome is nobody's. */
  settle(work: () => unknown): Promise<StepResult> {
    return new Promise((resolve) => {
      this.answer = resolve
      const failed = (error: unknown) => resolve({ ok: false, error })
      try {
        Promise.resolve(work()).then((value) => resolve({ ok: true, value }), failed)
      } catch (error) {
        failed(error)
      }
    })
  }
}
