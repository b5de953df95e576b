// Refuses, when an agent is loaded, whatever a machine could not carry across a crash: nested machines, callbacks,
// observables, plain promises, and actions that act on the world. Each refusal names the durable alternative.
import type { AnyStateMachine, AnyStateNode } from 'xstate'
import { TroupeError } from '../contract/errors.ts'
import { effectDescription, policyFault } from './step.ts'
import { tellDescription } from './tell.ts'

export function checkMachine(agent: string, machine: AnyStateMachine): void {
  if (typeof machine?.root?.states !== 'object' || typeof machine.resolveState !== 'function') {
    refuse(agent, 'its machine was not made by xstate’s createMachine')
  }
  for (const [name, logic] of Object.entries(machine.implementations.actors))
    checkLogic(agent, `actor "${name}"`, logic)
  for (const [name, action] of Object.entries(machine.implementations.actions)) {
    checkAction(agent, `action "${name}"`, action)
  }
  checkNode(agent, machine, machine.root)
}

function checkNode(agent: string, machine: AnyStateMachine, node: AnyStateNode): void {
  const config = node.config as { invoke?: unknown }
  for (const invoke of toArray(config.invoke) as { src?: unknown; id?: string }[]) {
    const where = `state "${node.id}"`
    if (typeof invoke.src === 'string') {
      if (machine.implementations.actors[invoke.src] === undefined) {
        refuse(agent, `${where} invokes "${invoke.src}", which setup({ actors }) does not provide`)
      }
    } else checkLogic(agent, where, invoke.src)
  }
  for (const action of [...node.entry, ...node.exit]) checkReferenced(agent, machine, node, action)
  for (const transitions of node.transitions.values()) {
    for (const transition of transitions) {
      for (const action of transition.actions) checkReferenced(agent, machine, node, action)
    }
  }
  for (const child of Object.values(node.states)) checkNode(agent, machine, child as AnyStateNode)
}

function checkReferenced(agent: string, machine: AnyStateMachine, node: AnyStateNode, action: unknown): void {
  if (typeof action === 'function') {
    checkAction(agent, `state "${node.id}"`, action)
    return
  }
  const name = typeof action === 'string' ? action : (action as { type?: string } | undefined)?.type
  if (name !== undefined && machine.implementations.actions[name] === undefined) {
    refuse(agent, `state "${node.id}" uses the action "${name}", which setup({ actions }) does not provide`)
  }
}

function checkLogic(agent: string, where: string, logic: unknown): void {
  const effect = effectDescription(logic)
  if (effect !== undefined) {
    const fault = effect.kind === 'step' ? policyFault(effect.policy) : undefined
    if (fault === undefined) return
    throw new TroupeError('agent_invalid', `The agent ${agent} cannot be loaded: of the step of ${where}, ${fault}.`)
  }
  refuse(
    agent,
    `${where} invokes ${kindOfLogic(logic)}. That lives in memory and is lost in a crash. Wrap an effect in step(…), ` +
      'make a sub-machine an agent of its own and ask(…) it, or make it nested states of this machine',
  )
}

function checkAction(agent: string, where: string, action: unknown): void {
  if (typeof action === 'function' && (action as { type?: string }).type === 'xstate.sendTo') {
    refuse(agent, `${where} uses sendTo, whose receiver lives in memory. To message another task use tell(…)`)
  }
  // xstate's own actions (assign, raise, emit, log, cancel, enqueueActions …) carry a `resolve`; ours carry a mark.
  if (typeof action !== 'function' || 'resolve' in action || tellDescription(action) !== undefined) return
  refuse(
    agent,
    `${where} runs the plain function ${action.name || '(anonymous)'} as an action. It would run again or not at all ` +
      'after a crash. Move its effect into an invoked step(…); to change the context use assign, to message a task tell(…)',
  )
}

function kindOfLogic(logic: unknown): string {
  if (typeof logic !== 'object' || logic === null) return 'something that is not actor logic'
  if ('root' in logic) return 'a nested machine'
  if ('config' in logic && typeof (logic as { config: unknown }).config === 'function') {
    return 'a promise, callback, observable or transition logic'
  }
  return 'actor logic that is neither step(…) nor ask(…)'
}

function toArray(value: unknown): unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value]
}

function refuse(agent: string, why: string): never {
  throw new TroupeError('machine_not_durable', `The agent ${agent} cannot be loaded: ${why}.`)
}
