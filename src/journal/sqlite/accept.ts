// accept: a task id is returned only after its row is on the disk (P1).
import type { DatabaseSync } from 'node:sqlite'
import { TroupeError } from '../../contract/errors.ts'
import type { Accepted } from '../journal.ts'
import type { PreparedTask } from '../prepare.ts'
import { taskReferences } from '../references.ts'
import { ALL_COLUMNS, acceptedRow, type TaskColumns, toTaskRow } from '../rows.ts'
import { DEADLINE_TIMER } from '../rules.ts'
import type { CommitGroup } from './group.ts'

export interface Acceptance {
  accept(prepared: PreparedTask, at: number): Accepted
  /** Without its idempotency key: for children, whose ids are as unique as their parent's commit. Never refuses. */
  insert(prepared: PreparedTask, at: number): Accepted
}

export function acceptance(db: DatabaseSync, group: CommitGroup): Acceptance {
  const byKey = db.prepare('SELECT request_hash, task FROM idempotency WHERE tenant = ? AND key = ?')
  const remember = db.prepare(`
    INSERT INTO idempotency (tenant, key, request_hash, task) SELECT ?1, ?2, ?3, seq FROM tasks WHERE id = ?4`)
  const bySeq = db.prepare(`SELECT ${ALL_COLUMNS} FROM tasks WHERE seq = ?`)
  const byId = db.prepare(`SELECT ${ALL_COLUMNS} FROM tasks WHERE id = ?`)
  const insertTask = db.prepare(`
    INSERT INTO tasks (id, tenant, agent, agent_version, state, priority, created_at, updated_at, runnable_at, deadline,
      depth, parent_task, parent_step, traceparent, budget, metadata, input)
    VALUES (?1, ?2, ?3, ?4, 'queued', ?5, ?6, ?6, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
    ON CONFLICT (id) DO NOTHING`)
  const nameValue = db.prepare('INSERT INTO value_references (task, slot, sha256) VALUES (?, ?, ?)')
  const setDeadline = db.prepare('INSERT INTO timers (task, id, due_at) VALUES (?, ?, ?)')

  function earlier(row: unknown): Accepted {
    return { task: toTaskRow(row as TaskColumns), created: false }
  }

  function insert(prepared: PreparedTask, at: number): Accepted {
    const { task, input, budget, metadata } = prepared
    const { changes, lastInsertRowid } = insertTask.run(
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
    )
    if (changes === 0) return earlier(byId.get(task.id))
    if (task.deadline !== undefined) setDeadline.run(lastInsertRowid, DEADLINE_TIMER, task.deadline)
    for (const { slot, sha256 } of taskReferences(prepared)) nameValue.run(lastInsertRowid, slot, sha256)
    group.count(task.agent, 'queued', 1)
    return { task: acceptedRow(task, at), created: true }
  }

  function accept(prepared: PreparedTask, at: number): Accepted {
    const { id, tenant, idempotencyKey, requestHash = null } = prepared.task
    if (idempotencyKey === undefined) return insert(prepared, at)
    const used = byKey.get(tenant, idempotencyKey)
    if (used === undefined) {
      const accepted = insert(prepared, at)
      if (accepted.created) remember.run(tenant, idempotencyKey, requestHash, id)
      return accepted
    }
    if (used.request_hash === requestHash) return earlier(bySeq.get(used.task!))
    throw new TroupeError(
      'idempotency_conflict',
      `the key ${JSON.stringify(idempotencyKey)} was used with a different request`,
    )
  }

  return { accept, insert }
}
