// The actors of a host, by task.
//
// Each in a box that is emptied when it leaves. Without that the outgrown tables of a Map, which V8 keeps until the next
// full collection, would hold every actor that ever was in them: all that is young would be copied, twice, to die old.
import type { Actor } from '../actor/actor.ts'

export interface Actors extends Iterable<Actor> {
  readonly size: number
  has(taskId: string): boolean
  get(taskId: string): Actor | undefined
  add(actor: Actor): void
  /** Whoever has taken its task up again stays. */
  remove(actor: Actor): void
}

export function createActors(): Actors {
  const boxes = new Map<string, { actor: Actor | undefined }>()
  return {
    get size() {
      return boxes.size
    },

    has: (taskId) => boxes.has(taskId),
    get: (taskId) => boxes.get(taskId)?.actor,

    add(actor) {
      boxes.set(actor.task.id, { actor })
    },

    remove(actor) {
      const box = boxes.get(actor.task.id)
      if (box?.actor !== actor) return
      box.actor = undefined
      boxes.delete(actor.task.id)
    },

    *[Symbol.iterator]() {
      for (const { actor } of [...boxes.values()]) if (actor !== undefined) yield actor
    },
  }
}
