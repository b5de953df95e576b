// Children: tasks that a task asked for. They are accepted in the commit of the transition that asks (so a parent that
// sleeps always has a child that exists), and told to stop in the commit that no longer wants them (P7).
import { TroupeError, toErrorRecord } from '../contract/errors.ts'
import { newId } from '../contract/ids.ts'
import { MAX_ASK_DEPTH } from '../contract/limits.ts'
import type { NewTask, TaskRow } from '../journal/journal.ts'
import type { AskDescription } from '../sdk/step.ts'
import type { Told } from '../sdk/tell.ts'
import type { ActorState } from './state.ts'
import { ownTimer, retryTimer } from './timers.ts'
import type { Turn } from './turn.ts'

/** What asking needs to know of the task that asks, and of the agents that exist. */
export interface Asker {
  task: TaskRow
  /** The child's agent with its input checked, or throws `unknown_agent` or `invalid_input`. */
  resolve(agent: string, version: string | undefined, input: unknown): { version: string; input: unknown }
  tell(turn: Turn, told: Told[]): void
}

export function createAsker(task: TaskRow, resolve: Asker['resolve']): Asker {
  let told = 0
  return {
    task,
    resolve,
    tell(turn, messages) {
      for (const { to, event } of messages) {
        // Version and count make the id the same when this turn is computed again after a crash: told once (P4).
        const id = `tell:${task.id}:${task.version}:${told++}`
        turn.messages.push({ id, to, tenant: task.tenant, from: task.id, body: { kind: 'event', event } })
        turn.event({ type: 'message.sent', to, name: event.type })
      }
    },
  }
}

export interface AskRequest {
  id: string
  src: string
  invocation: number
  effect: AskDescription
  input: unknown
}

/** A child that cannot be asked is one that failed at once: the answer is mail, like any child's. */
export function askChild(turn: Turn, state: ActorState, asker: Asker, ask: AskRequest): void {
  const { task } = asker
  const childId = newId('task')
  const { id, src, invocation } = ask
  state.steps[id] = {
    kind: 'ask',
    src,
    agent: ask.effect.agent,
    childId,
    invocation,
    ...(ask.effect.version === undefined ? {} : { version: ask.effect.version }),
    ...(ask.input === undefined ? {} : { input: ask.input }),
  }
  try {
    if (task.depth + 1 > MAX_ASK_DEPTH) {
      throw new TroupeError(
        'limit_exceeded',
        `Tasks ask tasks ${MAX_ASK_DEPTH} deep; do agents ask each other in a ring?`,
      )
    }
    const resolved = asker.resolve(ask.effect.agent, ask.effect.version, ask.input)
    const child: NewTask = {
      id: childId,
      tenant: task.tenant,
      agent: ask.effect.agent,
      agentVersion: resolved.version,
      input: resolved.input,
      priority: task.priority,
      depth: task.depth + 1,
      parent: { taskId: task.id, stepId: id },
      // P7: the whole tree shares the deadline.
      ...(task.deadline === undefined ? {} : { deadline: task.deadline }),
      ...(task.budget === undefined ? {} : { budget: task.budget }),
      ...(task.metadata === undefined ? {} : { metadata: task.metadata }),
      ...(task.traceparent === undefined ? {} : { traceparent: task.traceparent }),
    }
    turn.children.push(child)
    turn.event({ type: 'child.asked', step: id, task: childId, agent: ask.effect.agent })
  } catch (error) {
    turn.messages.push({
      id: `reply:${childId}`,
      to: task.id,
      from: childId,
      body: {
        kind: 'reply',
        stepId: id,
        invocation,
        childId,
        outcome: { ok: false, error: toErrorRecord(error) },
        state: 'rejected',
      },
    })
  }
}

export function stopStep(turn: Turn, state: ActorState, id: string): void {
  const step = state.steps[id]
  if (step === undefined) return
  delete state.steps[id]
  if (step.kind === 'ask') {
    turn.messages.push(cancelOf(step.childId, 'its parent no longer needs it'))
    return
  }
  if (step.resting) turn.clearTimer(retryTimer(id))
  turn.stops.push(id)
  turn.event({ type: 'step.stopped', step: id })
}

/** The task has ended: nothing it began goes on. The state still names it, for a retry. */
export function stopAll(turn: Turn, state: ActorState): void {
  for (const [id, step] of Object.entries(state.steps)) {
    if (step.kind === 'step') turn.stops.push(id)
    else if (step.failed === undefined) turn.messages.push(cancelOf(step.childId, 'its parent has ended'))
  }
  state.ended = true
}

/** A retry of an ended task: what ran then, or was waited for, is begun again. */
export function beginAgain(turn: Turn, state: ActorState, asker: Asker): void {
  delete state.ended
  state.crashes = []
  for (const [id, timer] of Object.entries(state.timers)) turn.setTimer(ownTimer(id), timer.inMs)
  for (const [id, step] of Object.entries(state.steps)) {
    if (step.kind === 'step') {
      delete step.resting
      step.attempt = 1
      continue
    }
    const invocation = step.invocation + 1
    state.invocations[id] = invocation
    const { src, agent, version, input } = step
    const effect = { kind: 'ask', agent, ...(version === undefined ? {} : { version }) } as const
    askChild(turn, state, asker, { id, src, invocation, effect, input })
  }
}

function cancelOf(childId: string, reason: string) {
  return { id: 'cancel', to: childId, from: 'parent', body: { kind: 'cancel' as const, reason } }
}
