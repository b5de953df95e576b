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
  /** Its task is offered although it is here: perhaps its commit has let go of it, and the answer is still on its way. */
  offered(taskId: string, epoch: number): void
  /** Whoever has taken its task up again stays. True: since it let go of its task, or lost it, somebody offered it. */
  remove(actor: Actor): boolean
}

export function createActors(): Actors {
  const boxes = new Map<string, { actor: Actor | undefined; offeredEpoch: number }>()
  return {
    get size() {
      return boxes.size
    },

    has: (taskId) => boxes.has(taskId),
    get: (taskId) => boxes.get(taskId)?.actor,

    add(actor) {
      boxes.set(actor.task.id, { actor, offeredEpoch: -1 })
    },

    offered(taskId, epoch) {
      const box = boxes.get(taskId)
      if (box !== undefined) box.offeredEpoch = Math.max(box.offeredEpoch, epoch)
    },

    remove(actor) {
      const box = boxes.get(actor.task.id)
      if (box?.actor !== actor) return false
      box.actor = undefined
      boxes.delete(actor.task.id)
      return box.offeredEpoch >= actor.task.epoch
    },

    *[Symbol.iterator]() {
      for (const { actor } of [...boxes.values()]) if (actor !== undefined) yield actor
    },
  }
}
