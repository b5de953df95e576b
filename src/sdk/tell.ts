// A machine's action that puts an event into another task's mailbox, in the same commit as the transition.
import type { ActionFunction, EventObject, MachineContext, ParameterizedObject } from 'xstate'

export interface Told {
  /** Task id of the receiver. */
  to: string
  event: { type: string; [key: string]: unknown }
}

type Tell = (args: { context: never; event: never }) => Told | Told[] | undefined

const TELL = Symbol.for('troupe.tell')

export function tell<Context extends MachineContext, Event extends EventObject>(
  compose: (args: { context: Context; event: Event }) => Told | Told[] | undefined,
): ActionFunction<Context, Event, Event, ParameterizedObject['params'] | undefined, never, never, never, never, never> {
  const action = () => {
    throw new Error('tell() is carried out by Troupe, not by an xstate interpreter.')
  }
  return Object.assign(action, { [TELL]: compose }) as never
}

export function tellDescription(action: unknown): Tell | undefined {
  if (typeof action !== 'function') return undefined
  return (action as { [TELL]?: Tell })[TELL]
}
