import type { Child } from './child.ts'

/** The siblings that wait to be started again together, in start order, and the timer that will do it. */
export class Repair {
  readonly children: Set<Child>
  #cancel: () => void = () => undefined

  constructor(children: readonly Child[]) {
    for (const child of children) if (child.phase.kind === 'waiting') child.phase.repair.leave(child)
    this.children = new Set(children)
    for (const child of children) child.phase = { kind: 'waiting', repair: this }
  }

  /** `cancel` stops the timer that will end the wait. */
  waitFor(cancel: () => void): void {
    this.#cancel = cancel
  }

  /** The child is not to be started by this repair any more. When none is left, there is nothing to wait for. */
  leave(child: Child): void {
    this.children.delete(child)
    child.phase = { kind: 'stopped' }
    if (this.children.size === 0) this.#cancel()
  }
}
