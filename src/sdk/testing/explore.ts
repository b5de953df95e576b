// explore: walks a machine by every event it knows, with every outcome of every step, and says which states it never
// reached. Guards are asked with the context that the walk made, so a state behind a guard on real data may be listed
// although real data reaches it: give such events in `events`.
import {
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  initialTransition,
  transition,
} from 'xstate'

export interface Exploration {
  reached: string[]
  unreached: string[]
}

const MAX_VISITS = 5_000

export function explore(
  machine: AnyStateMachine,
  options: { input?: unknown; events?: AnyEventObject[] } = {},
): Exploration {
  const all = new Map<string, AnyStateNode>()
  collect(machine.root, all)
  const reached = new Set<string>()
  const seen = new Set<string>()
  const [first] = initialTransition(machine, options.input as never)
  const queue: AnyMachineSnapshot[] = [first]
  while (queue.length > 0 && seen.size < MAX_VISITS) {
    const snapshot = queue.shift()!
    const key = JSON.stringify([snapshot.value, snapshot.context])
    if (seen.has(key)) continue
    seen.add(key)
    for (const node of snapshot._nodes as AnyStateNode[]) reached.add(node.id)
    if (snapshot.status !== 'active') continue
    for (const event of eventsOf(snapshot, options.events ?? [])) {
      try {
        queue.push(transition(machine, snapshot, event)[0])
      } catch {
        // An assign that cannot read this made-up event: this way leads nowhere.
      }
    }
  }
  const ids = [...all.keys()]
  return { reached: ids.filter((id) => reached.has(id)), unreached: ids.filter((id) => !reached.has(id)) }
}

function eventsOf(snapshot: AnyMachineSnapshot, given: AnyEventObject[]): AnyEventObject[] {
  const made: AnyEventObject[] = [...given]
  for (const node of snapshot._nodes as AnyStateNode[]) {
    for (const type of node.ownEvents) {
      if (given.some((event) => event.type === type)) continue
      made.push(type.startsWith('xstate.error.') ? { type, error: new Error('explored') } : { type, output: {} })
    }
  }
  return made
}

function collect(node: AnyStateNode, into: Map<string, AnyStateNode>): void {
  into.set(node.id, node)
  for (const child of Object.values(node.states)) collect(child, into)
}
