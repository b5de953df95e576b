// What commits are judged by: the fence of each task that has an owner, kept in memory from one of its commits to the
// next, so that a commit need not read what the last one wrote. Only this process writes the file (database.ts), so a
// fence here is what its row says; after a rollback all are read again. As many as there are tasks that run.
import type { DatabaseSync } from 'node:sqlite'
import type { TaskState } from '../../contract/task.ts'
import type { Gathering } from './group.ts'

export interface Fence {
  seq: number
  agent: string
  state: TaskState
  epoch: number
  version: number
  owner: string | null
  lastEvent: number
  mailPosition: number
  mailRead: number
  /** Whether it may have rows in the tables of these names; the end of a task clears them. */
  timers: boolean
  steps: boolean
  values: boolean
}

/** Of a task that is accepted and has no row yet. */
export function freshFence(agent: string): Fence {
  return {
    seq: 0,
    agent,
    state: 'queued',
    epoch: 0,
    version: 0,
    owner: null,
    lastEvent: 1,
    mailPosition: 0,
    mailRead: 0,
    timers: false,
    steps: false,
    values: false,
  }
}

export class Fences implements Gathering {
  readonly #owned = new Map<string, Fence>()
  readonly #read

  constructor(db: DatabaseSync) {
    this.#read = db.prepare(`
      SELECT seq, agent, state, epoch, version, owner, last_event AS lastEvent, mail_position AS mailPosition,
        mail_read AS mailRead FROM tasks WHERE id = ?`)
  }

  get(taskId: string): Fence | undefined {
    const known = this.#owned.get(taskId)
    if (known !== undefined) return known
    const row = this.#read.get(taskId) as Omit<Fence, 'timers' | 'steps' | 'values'> | undefined
    return row && { ...row, timers: true, steps: true, values: true }
  }

  /** After a commit: an owned task has more of them to come. */
  keep(taskId: string, fence: Fence): void {
    if (fence.owner === null) this.#owned.delete(taskId)
    else this.#owned.set(taskId, fence)
  }

  /** Its row was changed by other than a commit. */
  drop(taskId: string): void {
    this.#owned.delete(taskId)
  }

  /** Mail came in. */
  received(taskId: string, position: number, withValues: boolean): void {
    const fence = this.#owned.get(taskId)
    if (fence === undefined) return
    fence.mailPosition = position
    fence.values ||= withValues
  }

  write(): void {}

  forget(): void {
    this.#owned.clear()
  }
}
