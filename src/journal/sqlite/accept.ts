// accept: a task id is returned only after its row is on the disk (P1).
//
// The first turn of a task often comes in the transaction that accepts it, because the desk offers early. So the row of
// a plain task waits for the end of the transaction and is written once, with what the turn made of it.
import type { DatabaseSync } from 'node:sqlite'
import { TroupeError } from '../../contract/errors.ts'
import type { TaskState } from '../../contract/task.ts'
import type { Accepted } from '../journal.ts'
import type { PreparedTask } from '../prepare.ts'
import { taskReferences } from '../references.ts'
import { ALL_COLUMNS, acceptedRow, type TaskColumns, toTaskRow } from '../rows.ts'
import { DEADLINE_TIMER } from '../rules.ts'
import type { Counters } from './counters.ts'
import type { Gathering } from './group.ts'
import { type RowAfter, rowOfAccepted, type TaskRows, TOGETHER } from './task-rows.ts'

export interface Acceptance extends Gathering {
  accept(prepared: PreparedTask, at: number): Accepted
  /** Without its idempotency key: for children, whose ids are as unique as their parent's commit. Never refuses. */
  insert(prepared: PreparedTask, at: number): Accepted
  /** The task, if it was accepted in this transaction and has no row yet. */
  unwritten(taskId: string): Unwritten | undefined
  /** Writes the row as its first commit leaves it. `undefined`: the id is an earlier task's, and nothing is written. */
  writeWith(task: Unwritten, row: RowAfter): number | undefined
  /** From now on the task is found in its table. */
  settle(taskId: string): void
}

export interface Unwritten {
  prepared: PreparedTask
  at: number
  /** Corrected when the id turns out to be an earlier task's; nobody has it before the transaction is over. */
  answer: Accepted
}

export function acceptance(db: DatabaseSync, rows: TaskRows, counters: Counters): Acceptance {
  const byKey = db.prepare('SELECT request_hash, task FROM idempotency WHERE tenant = ? AND key = ?')
  const remember = db.prepare('INSERT INTO idempotency (tenant, key, request_hash, task) VALUES (?, ?, ?, ?)')
  const bySeq = db.prepare(`SELECT ${ALL_COLUMNS} FROM tasks WHERE seq = ?`)
  const byId = db.prepare(`SELECT ${ALL_COLUMNS} FROM tasks WHERE id = ?`)
  const nameValue = db.prepare('INSERT INTO value_references (task, slot, sha256) VALUES (?, ?, ?)')
  const setDeadline = db.prepare('INSERT INTO timers (task, id, due_at) VALUES (?, ?, ?)')
  const waiting = new Map<string, Unwritten>()

  function earlier(row: unknown): Accepted {
    return { task: toTaskRow(row as TaskColumns), created: false }
  }

  function accept(prepared: PreparedTask, at: number): Accepted {
    const { id, deadline, idempotencyKey } = prepared.task
    if (idempotencyKey !== undefined) return acceptOnce(prepared, idempotencyKey, at)
    const isPlain = deadline === undefined && taskReferences(prepared).length === 0
    if (!isPlain || waiting.has(id)) return insert(prepared, at)
    const answer: Accepted = { task: acceptedRow(prepared.task, at), created: true }
    waiting.set(id, { prepared, at, answer })
    return answer
  }

  function acceptOnce(prepared: PreparedTask, key: string, at: number): Accepted {
    const { tenant, requestHash = null } = prepared.task
    const used = byKey.get(tenant, key)
    if (used === undefined) {
      settle(prepared.task.id)
      const seq = rows.insert(prepared, at, rowOfAccepted(at))
      if (seq !== undefined) remember.run(tenant, key, requestHash, seq)
      return accepted(prepared, at, seq)
    }
    if (used.request_hash === requestHash) return earlier(bySeq.get(used.task!))
    throw new TroupeError('idempotency_conflict', `the key ${JSON.stringify(key)} was used with a different request`)
  }

  function insert(prepared: PreparedTask, at: number): Accepted {
    settle(prepared.task.id)
    return accepted(prepared, at, rows.insert(prepared, at, rowOfAccepted(at)))
  }

  function accepted(prepared: PreparedTask, at: number, seq: number | undefined): Accepted {
    const { task } = prepared
    if (seq === undefined) return earlier(byId.get(task.id))
    if (task.deadline !== undefined) setDeadline.run(seq, DEADLINE_TIMER, task.deadline)
    for (const { slot, sha256 } of taskReferences(prepared)) nameValue.run(seq, slot, sha256)
    counters.move(task.agent, undefined, 'queued')
    return { task: acceptedRow(task, at), created: true }
  }

  function writeWith(task: Unwritten, row: RowAfter): number | undefined {
    waiting.delete(task.prepared.task.id)
    return written(task, row.state, rows.insert(task.prepared, task.at, row))
  }

  function writeQueued(task: Unwritten): void {
    writeWith(task, rowOfAccepted(task.at))
  }

  /** All that nothing has begun. Their time is one: a transaction has one. */
  function writeAllQueued(): void {
    const left = [...waiting.values()]
    for (let first = 0; first < left.length; first += TOGETHER) {
      const some = left.slice(first, first + TOGETHER)
      if (!writeTogether(some)) some.forEach(writeQueued)
    }
    waiting.clear()
  }

  function writeTogether(tasks: Unwritten[]): boolean {
    if (
      tasks.length < TOGETHER ||
      !rows.insertQueued(
        tasks.map(({ prepared }) => prepared),
        tasks[0]!.at,
      )
    )
      return false
    for (const { prepared } of tasks) counters.move(prepared.task.agent, undefined, 'queued')
    return true
  }

  function written({ prepared, answer }: Unwritten, state: TaskState, seq: number | undefined): number | undefined {
    if (seq === undefined) Object.assign(answer, earlier(byId.get(prepared.task.id)))
    else counters.move(prepared.task.agent, undefined, state)
    return seq
  }

  function settle(taskId: string): void {
    const task = waiting.get(taskId)
    if (task !== undefined) writeQueued(task)
  }

  return {
    accept,
    insert,
    unwritten: (taskId) => waiting.get(taskId),
    writeWith,
    settle,
    write: writeAllQueued,
    forget: () => waiting.clear(),
  }
}
