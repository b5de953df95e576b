// The end of a task's rows, and its second life: purge, erase and reopen.
import type { DatabaseSync } from 'node:sqlite'
import { WEBHOOK_AGENT } from '../../contract/callbacks.ts'
import type { TaskState } from '../../contract/task.ts'
import type { Erasure, Wake } from '../journal.ts'
import { encodeEvents } from '../prepare.ts'
import { toWake, WAKE_COLUMNS, type WakeColumns } from '../rows.ts'
import { DEADLINE_TIMER } from '../rules.ts'
import type { Counters } from './counters.ts'

interface Ended extends WakeColumns {
  seq: number
  state: TaskState
  last_event: number
  deadline: number | null
}

type Wanted = Pick<Ended, 'seq' | 'agent' | 'state'> & { id: string; ended_at: number | null }

export function retention(db: DatabaseSync, counters: Counters) {
  const task = db.prepare(`SELECT ${WAKE_COLUMNS}, seq, state, last_event, deadline FROM tasks WHERE id = ?`)
  const open = db.prepare(`
    UPDATE tasks SET state = 'queued', epoch = epoch + 1, owner_deaths = 0, last_event = last_event + 1, error = NULL,
      ended_at = NULL, waiting_for = NULL, updated_at = ?2, runnable_at = ?2, mail_read = mail_position WHERE seq = ?1`)
  const log = db.prepare('INSERT INTO log (task, first_number, at, bodies) VALUES (?, ?, ?, ?)')
  const setTimer = db.prepare('INSERT OR REPLACE INTO timers (task, id, due_at) VALUES (?, ?, ?)')
  // Rows are in the order of acceptance, so the walk ends at the first task accepted after the moment in question.
  const oldest = db.prepare('SELECT seq, agent, state, created_at, ended_at FROM tasks ORDER BY seq')
  const belongings = [
    'DELETE FROM log WHERE task = ?',
    'DELETE FROM steps WHERE task = ?',
    'DELETE FROM mail WHERE task = ?',
    'DELETE FROM timers WHERE task = ?',
    'DELETE FROM idempotency WHERE task = ?',
    'DELETE FROM value_references WHERE task = ?',
    'DELETE FROM tasks WHERE seq = ?',
  ].map((sql) => db.prepare(sql))

  const wanted = db.prepare('SELECT id, seq, agent, state, ended_at FROM tasks WHERE id = ? AND tenant = ?')
  const keepSpent = db.prepare(`
    INSERT INTO erased (tenant, created_at, ended_at, usage)
    SELECT tenant, created_at, ended_at, usage FROM tasks WHERE seq = ? AND agent <> '${WEBHOOK_AGENT.name}'`)
  const forgetSpent = db.prepare('DELETE FROM erased WHERE ended_at < ?')
  const named = db.prepare('SELECT 1 FROM value_references WHERE sha256 = ?')

  function remove({ seq, agent, state }: Pick<Ended, 'seq' | 'agent' | 'state'>): void {
    for (const statement of belongings) statement.run(seq)
    counters.move(agent, state, undefined)
  }

  return {
    isNamed: (sha256: string): boolean => named.get(sha256) !== undefined,

    reopen(taskId: string, at: number): Wake | undefined {
      const row = task.get(taskId) as Ended | undefined
      if (row === undefined || (row.state !== 'failed' && row.state !== 'cancelled')) return undefined
      open.run(row.seq, at)
      log.run(row.seq, row.last_event + 1, at, encodeEvents([{ type: 'task.retried' }])!)
      // A deadline that has passed would end the retry at once; the person who retries has decided otherwise.
      if (row.deadline !== null && row.deadline > at) setTimer.run(row.seq, DEADLINE_TIMER, row.deadline)
      counters.move(row.agent, row.state, 'queued')
      return toWake({ ...row, epoch: row.epoch + 1 })
    },

    purge(endedBefore: number, limit: number): number {
      const found: { seq: number; agent: string; state: TaskState }[] = []
      for (const row of oldest.iterate()) {
        if (found.length >= limit || Number(row.created_at) >= endedBefore) break
        if (row.ended_at === null || Number(row.ended_at) >= endedBefore) continue
        found.push({ seq: Number(row.seq), agent: String(row.agent), state: row.state as TaskState })
      }
      found.forEach(remove)
      forgetSpent.run(endedBefore)
      return found.length
    },

    erase(tenant: string, taskIds: readonly string[]): Erasure {
      const found = [...new Set(taskIds)].flatMap((id) => (wanted.get(id, tenant) as unknown as Wanted) ?? [])
      const notEnded = found.filter(({ ended_at }) => ended_at === null).map(({ id }) => id)
      if (notEnded.length > 0) return { erased: 0, notEnded }
      for (const task of found) {
        keepSpent.run(task.seq)
        remove(task)
      }
      return { erased: found.length, notEnded }
    },
  }
}
