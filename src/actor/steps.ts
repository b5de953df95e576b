// Runs steps: the only place where an agent's code touches the world. Each run has its own abort signal, timeout and
// context; its outcome is a value, never a throw.
import { TroupeError } from '../contract/errors.ts'
import type { Usage } from '../contract/task.ts'
import type { TaskRow } from '../journal/journal.ts'
import type { StepContext } from '../sdk/context.ts'
import type { RetryPolicy, StepFunction } from '../sdk/step.ts'
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
export type ContextMaker = (task: TaskRow, run: StepRun, signal: AbortSignal, report: Report) => StepContext

export interface Report {
  progress(report: { step: string; fraction?: number; message?: string; data?: unknown }): void
  token(step: string, text: string): void
  /** Adds to what the task has spent; throws `budget_exceeded` over its budget. */
  spend(usage: Partial<Usage>): void
}

/** Around a step's run: the host opens a span here. */
export type AroundStep = <T>(task: TaskRow, run: StepRun, inner: () => Promise<T>) => Promise<T>

export class StepRunner {
  private readonly controllers = new Map<string, AbortController>()
  private readonly all = new AbortController()
  private readonly task: TaskRow
  private readonly makeContext: ContextMaker
  private readonly around: AroundStep
  private readonly report: Report

  constructor(parts: { task: TaskRow; makeContext: ContextMaker; around: AroundStep; report: Report }) {
    this.task = parts.task
    this.makeContext = parts.makeContext
    this.around = parts.around
    this.report = parts.report
  }

  get size(): number {
    return this.controllers.size
  }

  get signal(): AbortSignal {
    return this.all.signal
  }

  abort(id: string, reason: TroupeError): void {
    this.controllers.get(id)?.abort(reason)
    this.controllers.delete(id)
  }

  abortAll(reason: TroupeError): void {
    this.all.abort(reason)
    for (const controller of this.controllers.values()) controller.abort(reason)
    this.controllers.clear()
  }

  async run(run: StepRun): Promise<StepResult> {
    const controller = new AbortController()
    this.controllers.set(run.id, controller)
    const { signal } = controller
    let timer: NodeJS.Timeout | undefined
    try {
      const stopped = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
      const { timeout } = run.policy
      timer = setTimeout(
        () => controller.abort(new TroupeError('step_timeout', `The step "${run.id}" ran longer than ${timeout} ms.`)),
        timeout,
      )
      const ctx = this.makeContext(this.task, run, signal, this.report)
      // A step that ignores its signal is left behind when it is aborted; its late outcome is nobody's.
      const work = this.around(this.task, run, async () => await run.run({ input: run.input, ctx }))
      return { ok: true, value: await Promise.race([work, stopped]) }
    } catch (error) {
      return { ok: false, error }
    } finally {
      clearTimeout(timer)
      if (this.controllers.get(run.id) === controller) this.controllers.delete(run.id)
    }
  }

  async pause(ms: number): Promise<void> {
    if (this.all.signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.all.signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.all.signal.addEventListener('abort', done)
    })
  }
}
