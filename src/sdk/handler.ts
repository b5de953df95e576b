// A handler agent: one async function. It may be run again from its start after a crash or a sleep; what it did
// through `ctx` is recorded and skipped then (P3). So the code between the calls must be free of effects, and the ids
// of the calls must be the same each time, and each call's its own.
import type { StepContext, TaskView } from './context.ts'
import type { RetryPolicy } from './step.ts'

export interface HandlerContext<Input = unknown> {
  readonly task: TaskView
  readonly input: Input
  readonly signal: AbortSignal
  readonly log: StepContext['log']
  /**
   * Runs once for this id; when the function runs again the recorded value is returned. Ids are names within the task: two
   * calls with one id are refused, so number those of a loop. A failure that is not caught ends this run of the function.
   */
  step<Value>(id: string, run: (ctx: StepContext) => Promise<Value> | Value, policy?: RetryPolicy): Promise<Value>
  /** A durable child task: its output, or its failure as an error. The handler leaves memory while it waits. */
  ask<Value = unknown>(id: string, agent: string, input: unknown): Promise<Value>
  /** A durable timer. */
  sleep(id: string, ms: number): Promise<void>
  /** Waits for a message of this type: a person's answer, a signal. The task is `input-required` meanwhile. */
  wait<Value = Record<string, unknown>>(id: string, type: string): Promise<Value>
  progress(report: { fraction?: number; message?: string; data?: unknown }): void
}

export type Handler<Input, Output> = (ctx: HandlerContext<Input>) => Promise<Output> | Output
