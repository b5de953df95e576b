// How a turn ends: the output is checked against the agent's schema, a crash becomes a restart or a failure, whoever
// asked gets the reply in the same commit, and the outside gets a state it can read.
import { z } from 'zod'
import { type ErrorRecord, TroupeError, toErrorRecord } from '../contract/errors.ts'
import type { TaskState, WaitingFor } from '../contract/task.ts'
import type { StepOutcome, TaskRow } from '../journal/journal.ts'
import type { Agent } from '../sdk/define-agent.ts'
import { stopAll } from './children.ts'
import { restartAfterCrash } from './restart.ts'
import type { ActorState } from './state.ts'
import { RESTART_TIMER } from './timers.ts'
import { type Ending, Turn } from './turn.ts'

export function settle(turn: Turn, actor: { task: TaskRow; agent: Agent; state: ActorState }): void {
  if (turn.crash !== undefined && turn.ending === undefined) settleCrash(turn, turn.crash, actor)
  const ending = turn.ending
  if (ending === undefined) return
  if (ending.state === 'completed') checkOutput(ending, actor.agent)
  stopAll(turn, actor.state)
  announce(turn, ending)
  reply(turn, ending, actor.task)
}

/** The turn that ends a task which cannot go on. */
export function lastTurn(error: TroupeError, actor: { task: TaskRow; agent: Agent; state: ActorState }): Turn {
  const turn = new Turn()
  turn.end({ state: 'failed', error: toErrorRecord(error) })
  settle(turn, actor)
  return turn
}

function settleCrash(
  turn: Turn,
  crash: NonNullable<Turn['crash']>,
  { agent, state }: { agent: Agent; state: ActorState },
): void {
  const error = crashRecord(crash, agent.name)
  const restart = restartAfterCrash(crash.error, state.crashes, Date.now(), agent.restartWindow)
  if (restart === undefined) {
    turn.ending = { state: error.code === 'input_refused' ? 'rejected' : 'failed', error }
    return
  }
  state.crashes = restart.crashes
  turn.setTimer(RESTART_TIMER, restart.inMs)
  turn.event({ type: 'task.crashed', error, crashes: restart.crashes.length, restartInMs: restart.inMs })
}

function crashRecord(crash: NonNullable<Turn['crash']>, agent: string): ErrorRecord {
  if (crash.error instanceof TroupeError) return toErrorRecord(crash.error)
  const { step } = crash
  const { code, message } = toErrorRecord(crash.error, step === undefined ? 'agent_crashed' : 'step_failed')
  return step === undefined
    ? { code, message: `${agent} crashed: ${message}` }
    : { code, message: `The step "${step}" failed: ${message}`, detail: { step } }
}

function checkOutput(ending: Ending, agent: Agent): void {
  const parsed = agent.output.safeParse(ending.output)
  if (parsed.success) {
    ending.output = parsed.data
    return
  }
  ending.state = 'failed'
  delete ending.output
  ending.error = {
    code: 'output_invalid',
    message: `The output of ${agent.name}@${agent.version} does not fit its schema: ${z.prettifyError(parsed.error)}`,
  }
}

function announce(turn: Turn, ending: Ending): void {
  const error = ending.error ?? { code: 'internal', message: 'no reason was given' }
  if (ending.state === 'completed') turn.event({ type: 'task.completed' })
  else if (ending.state === 'failed') turn.event({ type: 'task.failed', error })
  else if (ending.state === 'rejected') turn.event({ type: 'task.rejected', error })
  else turn.event({ type: 'task.cancelled', ...(ending.reason === undefined ? {} : { reason: ending.reason }) })
}

function reply(turn: Turn, ending: Ending, task: TaskRow): void {
  if (task.parent === undefined) return
  const outcome: StepOutcome =
    ending.state === 'completed'
      ? { ok: true, value: ending.output ?? null }
      : { ok: false, error: childError(ending, task) }
  turn.messages.push({
    id: `reply:${task.id}`,
    to: task.parent.taskId,
    from: task.id,
    body: { kind: 'reply', stepId: task.parent.stepId, invocation: 1, childId: task.id, outcome, state: ending.state },
  })
}

function childError(ending: Ending, task: TaskRow): ErrorRecord {
  const cause: ErrorRecord = ending.error ?? { code: 'cancelled', message: ending.reason ?? 'The task was cancelled.' }
  return {
    code: 'child_failed',
    message: `${task.agent} (${task.id}) ended as ${ending.state}: ${cause.message}`,
    detail: { task: task.id, agent: task.agent, state: ending.state },
    cause,
  }
}

/** The part of a commit that the outside reads. */
export function outwardState(
  turn: Turn,
  state: ActorState,
  now: { running: boolean; person: WaitingFor | undefined; letsGo: boolean },
): { state: TaskState; waitingFor?: WaitingFor; output?: unknown; error?: ErrorRecord } {
  const ending = turn.ending
  if (ending !== undefined) {
    return {
      state: ending.state,
      ...(ending.output === undefined ? {} : { output: ending.output }),
      ...(ending.error === undefined ? {} : { error: ending.error }),
    }
  }
  if (turn.crash !== undefined) return { state: 'waiting', waitingFor: { kind: 'restart' } }
  // Released with work left (a drain): any host may go on at once.
  if (now.letsGo && now.running) return { state: 'queued' }
  if (now.person !== undefined) return { state: 'input-required', waitingFor: now.person }
  if (now.running) return { state: 'running' }
  return { state: 'waiting', waitingFor: waitingFor(state) }
}

/** More than a person can read at once is left out. */
export function waitingForPerson(asking: string[], messages: string[]): WaitingFor {
  const few = (names: string[]) => [...new Set(names)].slice(0, 10)
  return { kind: 'person', detail: few(asking).join(', '), messages: few(messages) }
}

function waitingFor(state: ActorState): WaitingFor {
  const steps = Object.entries(state.steps)
  const children = steps.filter(([, step]) => step.kind === 'ask' && step.failed === undefined).map(([id]) => id)
  if (children.length > 0) return { kind: 'child', detail: children.slice(0, 5).join(', ') }
  const resting = steps.find(([, step]) => step.kind === 'step' && step.resting)
  if (resting !== undefined) return { kind: 'timer', detail: `retry of ${resting[0]}` }
  const timer = Object.keys(state.timers)[0]
  return timer === undefined ? { kind: 'message' } : { kind: 'timer', detail: timer }
}
