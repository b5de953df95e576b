// Can a machine go on with the state that its `migrate` made of another version's? What is under way (steps, children,
// timers) goes on as it is; so the new states must wait for just that, or the task would wait for ever without a word (P5).
import type { AnyStateNode } from 'xstate'
import type { Agent } from '../sdk/define-agent.ts'
import { effectDescription } from '../sdk/step.ts'
import { goneStep, logicOf } from './machine.ts'
import { type ActorState, restoreSnapshot } from './state.ts'

/** Why not; undefined: it can. */
export function migrationFault(agent: Agent, state: ActorState): string | undefined {
  const machine = agent.machine
  if (machine === undefined) return `${agent.name}@${agent.version} is a function, which has no states.`
  const nodes = restoreSnapshot(agent.name, machine, state)._nodes as AnyStateNode[]
  for (const [id, step] of Object.entries(state.steps)) {
    if (step.kind === 'step' && effectDescription(logicOf(machine, step.src)) === undefined) {
      return goneStep(agent, id, step.src)
    }
  }
  for (const { event } of Object.values(state.timers)) {
    // What `after` raises is for the state that set it; an agent's own delayed events may be for a later one.
    if (event.type.startsWith('xstate.after.') && !nodes.some(({ ownEvents }) => ownEvents.includes(event.type))) {
      return `The timer ${event.type} of this task is none of ${agent.name}@${agent.version}.`
    }
  }
  const unbegun = nodes.flatMap(({ invoke }) => invoke).find(({ id }) => state.invocations[id] === undefined)
  return unbegun && `${agent.name}@${agent.version} would wait for "${unbegun.id}", which this task has not begun.`
}
