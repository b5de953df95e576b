// How many tasks of each agent are in each state. Works say who moved; the sums are written once per transaction.
import type { DatabaseSync } from 'node:sqlite'
import type { TaskState } from '../../contract/task.ts'
import type { Gathering } from './group.ts'

export class Counters implements Gathering {
  readonly #moved = new Map<string, Map<TaskState, number>>()
  readonly #add

  constructor(db: DatabaseSync) {
    this.#add = db.prepare(
      'INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT (agent, state) DO UPDATE SET tasks = tasks + excluded.tasks',
    )
  }

  /** A task came, went, or changed its state. */
  move(agent: string, from: TaskState | undefined, to: TaskState | undefined): void {
    if (from === to) return
    let states = this.#moved.get(agent)
    if (states === undefined) {
      states = new Map()
      this.#moved.set(agent, states)
    }
    if (from !== undefined) states.set(from, (states.get(from) ?? 0) - 1)
    if (to !== undefined) states.set(to, (states.get(to) ?? 0) + 1)
  }

  write(): void {
    for (const [agent, states] of this.#moved) {
      for (const [state, by] of states) if (by !== 0) this.#add.run(agent, state, by)
    }
    this.#moved.clear()
  }

  forget(): void {
    this.#moved.clear()
  }
}
