// The tasks of a plug-in as a host lets its own be watched: spans and counts of incarnations, commits, steps and tools are
// made here, of what the process tells. It can tell of its own tasks only, and no more at a time than is kept.
import { AsyncLocalStorage } from 'node:async_hooks'
import { ERROR_CODES, type ErrorCode, TroupeError } from '../contract/errors.ts'
import { hasEnded } from '../contract/task.ts'
import type { ActorExit, Observation, Observe, SeenStep, StepResult } from '../host/observe.ts'
import type { ActorCommit, CommitOutcome, TaskRow } from '../journal/journal.ts'
import type { Handlers } from './channel.ts'

const MAX_OPEN = 1_000
const MAX_NAME = 300

export interface WatchedTasks {
  commit(task: TaskRow, wanted: ActorCommit, inner: () => Promise<CommitOutcome>): Promise<CommitOutcome>
  /** What is done for a step of the task belongs below the step's span: the last begun one, where several run. */
  within<Result>(taskId: string, work: () => Result): Result
  handlers: Handlers
  /** The process is gone: what it left open is told by whoever takes over. */
  close(): void
}

interface Open {
  within: <Result>(work: () => Result) => Result
  end(error: TroupeError | undefined): void
}

interface Watched {
  observation: Observation
  steps: Map<string, Open>
  tools: Map<number, Open>
}

export function watchTasks(parts: {
  observe: Observe
  aroundTool: <Result>(name: string, inner: () => Promise<Result>) => Promise<Result>
  taskOf(taskId: string): TaskRow
  /** Throws `permission_denied`. */
  mayUseTool(name: string): void
}): WatchedTasks {
  const all = new Map<string, Watched>()

  function watched(task: TaskRow): Watched {
    let found = all.get(task.id)
    if (found === undefined) {
      found = { observation: parts.observe({ ...task }), steps: new Map(), tools: new Map() }
      all.set(task.id, found)
    }
    return found
  }

  function ended(taskId: string, exit: ActorExit): void {
    all.get(taskId)?.observation.ended(exit)
    all.delete(taskId)
  }

  function within<Result>(taskId: string, work: () => Result): Result {
    const last = [...(all.get(taskId)?.steps.values() ?? [])].at(-1)
    return last === undefined ? work() : last.within(work)
  }

  return {
    async commit(task, wanted, inner) {
      const { around } = watched(task).observation
      around.committing(wanted)
      const outcome = await inner()
      around.committed(wanted, outcome)
      const crashed = wanted.events.some(({ type }) => type === 'task.crashed')
      if (!outcome.applied) ended(task.id, { kind: 'lost', fenced: false })
      else if (hasEnded(wanted.state)) ended(task.id, { kind: 'ended', crashed })
      else if (wanted.release) ended(task.id, { kind: 'released', runnable: outcome.runnable, crashed })
      return outcome
    },

    within,

    handlers: {
      'step.began'(taskId: string, step: SeenStep) {
        const task = parts.taskOf(taskId)
        const found = all.get(taskId)
        if (found === undefined || found.steps.size >= MAX_OPEN) return
        const seen = seenStep(step)
        const { open, done } = opened()
        found.steps.set(keyOf(seen), open)
        void found.observation.around.step(task, seen, () => done(open))
      },
      'step.ended'(taskId: string, step: SeenStep, code: string | null) {
        const steps = all.get(taskId)?.steps
        const key = keyOf(seenStep(step))
        steps?.get(key)?.end(errorOf(code))
        steps?.delete(key)
      },
      'tool.began'(taskId: string, call: number, name: string) {
        const task = parts.taskOf(taskId)
        parts.mayUseTool(String(name))
        const tools = all.get(task.id)?.tools
        if (tools === undefined || tools.size >= MAX_OPEN) return
        const { open, done } = opened()
        tools.set(Number(call), open)
        const run = async () => {
          const result = await done(open)
          if (!result.ok) throw result.error
        }
        // It has been told of; whoever called it has the error.
        within(task.id, () => parts.aroundTool(String(name), run).catch(() => {}))
      },
      'tool.ended'(taskId: string, call: number, code: string | null) {
        const tools = all.get(taskId)?.tools
        tools?.get(Number(call))?.end(errorOf(code))
        tools?.delete(Number(call))
      },
    },

    close: () => all.clear(),
  }
}

function opened() {
  const { promise, resolve } = Promise.withResolvers<StepResult>()
  const open: Open = {
    within: (work) => work(),
    end: (error) => resolve(error === undefined ? { ok: true, value: undefined } : { ok: false, error }),
  }
  return {
    open,
    /** Called where its span is open. */
    done(to: Open) {
      to.within = AsyncLocalStorage.snapshot()
      return promise
    },
  }
}

function seenStep({ id, invocation, attempt }: SeenStep): SeenStep {
  return { id: String(id).slice(0, MAX_NAME), invocation: Number(invocation), attempt: Number(attempt) }
}

function keyOf({ id, invocation, attempt }: SeenStep): string {
  return `${id}\n${invocation}\n${attempt}`
}

function errorOf(code: string | null | undefined): TroupeError | undefined {
  if (code === null || code === undefined) return undefined
  return new TroupeError(Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'step_failed', '')
}
