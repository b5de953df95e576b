// The row of a task: how it is written when the task is accepted, and by each commit.
import type { DatabaseSync } from 'node:sqlite'
import type { TaskState } from '../../contract/task.ts'
import type { PreparedTask } from '../prepare.ts'
import type { Column } from '../values.ts'
import { SQLITE_CONSTRAINT, sqliteCode } from './database.ts'
import { labeller } from './labels.ts'

/** What a commit makes of a row. `undefined` leaves a column as it is, `null` empties it. */
export interface RowAfter {
  epoch: number
  version: number
  state: TaskState
  owner: string | null
  runnableAt: number | null
  lastEvent: number
  mailRead: number
  startedAt: number | null
  endedAt: number | null
  waitingFor: Column | undefined
  snapshot: Column | null | undefined
  output: Column | undefined
  error: Column | undefined
  usage: Column | undefined
}

/** A task that is accepted and wants a host. */
export function rowOfAccepted(at: number): RowAfter {
  return {
    epoch: 0,
    version: 0,
    state: 'queued',
    owner: null,
    runnableAt: at,
    lastEvent: 1,
    mailRead: 0,
    startedAt: null,
    endedAt: null,
    waitingFor: undefined,
    snapshot: undefined,
    output: undefined,
    error: undefined,
    usage: undefined,
  }
}

/** So many rows are inserted by one statement: to open a table and its indexes costs as much as to put a row into them. */
export const TOGETHER = 8

export interface TaskRows {
  /**
   * Tasks without a deadline that nothing has begun, `TOGETHER` of them: the columns left out have their defaults. False
   * when a task of one of these ids exists; then none is inserted.
   */
  insertQueued(prepared: PreparedTask[], at: number): boolean
  /** Its `seq`, or `undefined` when a task of this id exists. */
  insert(prepared: PreparedTask, at: number, row: RowAfter): number | undefined
  update(seq: number, at: number, row: RowAfter): void
  /** A running task stays running and only records: the narrow statement for the most frequent commit. */
  advance(seq: number, at: number, version: number, lastEvent: number): void
}

export function taskRows(db: DatabaseSync): TaskRows {
  const insert = db.prepare(`
    INSERT INTO tasks (id, tenant, agent, agent_version, priority, created_at, updated_at, deadline, depth, parent_task,
      parent_step, traceparent, budget, metadata, input, epoch, version, state, owner, runnable_at, last_event,
      started_at, ended_at, waiting_for, snapshot, output, error, usage)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
      ?24, ?25, ?26, ?27)
    ON CONFLICT (id) DO NOTHING`)
  const insertQueued = db.prepare(`
    INSERT INTO tasks (id, tenant, agent, agent_version, priority, created_at, updated_at, runnable_at, depth, parent_task,
      parent_step, traceparent, budget, metadata, input, state)
    VALUES ${Array(TOGETHER).fill("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued')").join(', ')}`)
  const update = db.prepare(`
    UPDATE tasks SET epoch = ?2, version = ?3, state = ?4, owner = ?5, runnable_at = ?6, last_event = ?7, mail_read = ?8,
      updated_at = ?9, started_at = coalesce(started_at, ?10), ended_at = ?11, waiting_for = ?12,
      snapshot = CASE ?13 WHEN 0 THEN snapshot ELSE ?14 END,
      output = coalesce(?15, output), error = coalesce(?16, error), usage = coalesce(?17, usage)
    WHERE seq = ?1`)
  const advance = db.prepare(
    'UPDATE tasks SET version = ?2, last_event = ?3, updated_at = ?4, waiting_for = NULL WHERE seq = ?1',
  )

  const label = labeller(db)

  return {
    insertQueued(prepared, at) {
      const values: (string | number | null)[] = []
      for (const { task, input, budget, metadata } of prepared) {
        values.push(task.id, task.tenant, task.agent, task.agentVersion, task.priority, at, at, at, task.depth)
        values.push(task.parent?.taskId ?? null, task.parent?.stepId ?? null, task.traceparent ?? null)
        values.push(budget, metadata, input)
      }
      try {
        insertQueued.run(...values)
      } catch (thrown) {
        if (sqliteCode(thrown) === SQLITE_CONSTRAINT) return false
        throw thrown
      }
      for (const { task } of prepared) label(task, at)
      return true
    },

    insert({ task, input, budget, metadata }, at, row) {
      const { changes, lastInsertRowid } = insert.run(
        task.id,
        task.tenant,
        task.agent,
        task.agentVersion,
        task.priority,
        at,
        task.deadline ?? null,
        task.depth,
        task.parent?.taskId ?? null,
        task.parent?.stepId ?? null,
        task.traceparent ?? null,
        budget,
        metadata,
        input,
        row.epoch,
        row.version,
        row.state,
        row.owner,
        row.runnableAt,
        row.lastEvent,
        row.startedAt,
        row.endedAt,
        row.waitingFor ?? null,
        row.snapshot ?? null,
        row.output ?? null,
        row.error ?? null,
        row.usage ?? null,
      )
      if (changes === 0) return undefined
      label(task, at)
      return Number(lastInsertRowid)
    },

    update(seq, at, row) {
      update.run(
        seq,
        row.epoch,
        row.version,
        row.state,
        row.owner,
        row.runnableAt,
        row.lastEvent,
        row.mailRead,
        at,
        row.startedAt,
        row.endedAt,
        row.waitingFor ?? null,
        row.snapshot === undefined ? 0 : 1,
        row.snapshot ?? null,
        row.output ?? null,
        row.error ?? null,
        row.usage ?? null,
      )
    },

    advance(seq, at, version, lastEvent) {
      advance.run(seq, version, lastEvent, at)
    },
  }
}
