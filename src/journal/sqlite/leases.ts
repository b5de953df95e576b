// Leases of hosts, judged by the journal's clock alone, and the sweep that finds what lost its owner (P5).
import type { DatabaseSync } from 'node:sqlite'
import type { EventBody } from '../../contract/events.ts'
import { DEATHS_FORGOTTEN_MS, MAX_OWNER_DEATHS } from '../../contract/limits.ts'
import type { TaskState } from '../../contract/task.ts'
import type { HostLease, HostRow, Journal, PoisonedTask, Wake } from '../journal.ts'
import { noticesOf } from '../notices.ts'
import { encodeEvents, prepareMessage, prepareTask } from '../prepare.ts'
import { ALL_COLUMNS, type TaskColumns, toTaskRow, toWake, WAKE_COLUMNS, type WakeColumns } from '../rows.ts'
import { CAME_FURTHER, ENDED_LEASE_KEPT_MS, poisonedError, poisonedReply } from '../rules.ts'
import type { Acceptance } from './accept.ts'
import type { Counters } from './counters.ts'
import type { Fences } from './fences.ts'
import type { Mail } from './mail.ts'

interface Orphan extends WakeColumns {
  seq: number
  state: TaskState
  owner: string
  owner_deaths: number
  last_event: number
  parent_task: string | null
  parent_step: string | null
  metadata: string | null
}

export function leases(db: DatabaseSync, counters: Counters, fences: Fences, { deliver }: Mail, accepting: Acceptance) {
  const byId = db.prepare(`SELECT ${ALL_COLUMNS} FROM tasks WHERE id = ?`)
  const leaseOf = db.prepare('SELECT lease_until FROM hosts WHERE id = ?')
  const begin = db.prepare('INSERT INTO hosts (id, info, lease_until) VALUES (?, ?, ?)')
  const renew = db.prepare('UPDATE hosts SET info = ?2, lease_until = ?3 WHERE id = ?1')
  const end = db.prepare('UPDATE hosts SET lease_until = min(lease_until, ?2) WHERE id = ?1')
  const all = db.prepare(`
    SELECT id, info, lease_until, (SELECT count(*) FROM tasks WHERE owner = hosts.id AND owner IS NOT NULL) AS tasks
    FROM hosts ORDER BY id`)
  const forgetHosts = db.prepare('DELETE FROM hosts WHERE lease_until < ?')
  const orphaned = db.prepare(`
    SELECT ${WAKE_COLUMNS}, seq, state, owner_deaths, last_event, parent_task, parent_step, metadata FROM tasks
    WHERE owner IS NOT NULL AND owner NOT IN (SELECT id FROM hosts WHERE lease_until > ?) LIMIT ?`)
  const anyOrphan = db.prepare(`
    SELECT 1 FROM tasks WHERE owner IS NOT NULL AND owner NOT IN (SELECT id FROM hosts WHERE lease_until > ?1)
    UNION ALL SELECT 1 FROM tasks WHERE runnable_at IS NOT NULL AND runnable_at <= ?2 LIMIT 1`)
  const release = db.prepare(`
    UPDATE tasks SET owner = NULL, epoch = epoch + 1, owner_deaths = ?3, last_event = last_event + 1,
      updated_at = ?2, runnable_at = ?2 WHERE seq = ?1`)
  const poison = db.prepare(`
    UPDATE tasks SET owner = NULL, epoch = epoch + 1, owner_deaths = ?4, last_event = last_event + 2,
      updated_at = ?2, ended_at = ?2, state = 'failed', error = ?3, waiting_for = NULL, runnable_at = NULL,
      mail_read = mail_position WHERE seq = ?1`)
  // A death is a row of its own in the log.
  const forgets = db.prepare(`
    SELECT 1 FROM (
      SELECT first_number, at FROM log WHERE task = ?1 AND bodies ->> '$[0].type' = 'task.owner_lost'
      ORDER BY first_number DESC LIMIT 1) AS death
    WHERE death.at <= ?2 AND EXISTS (
      SELECT 1 FROM log, json_each(log.bodies) AS said WHERE log.task = ?1 AND log.first_number > death.first_number
        AND said.value ->> '$.type' IN (${CAME_FURTHER.map((type) => `'${type}'`).join(', ')}))`)
  const log = db.prepare('INSERT INTO log (task, first_number, at, bodies) VALUES (?, ?, ?, ?)')
  const clearMail = db.prepare('DELETE FROM mail WHERE task = ?')
  const clearTimers = db.prepare('DELETE FROM timers WHERE task = ?')
  const unclaimed = db.prepare(`
    UPDATE tasks SET runnable_at = ?1 WHERE seq IN
      (SELECT seq FROM tasks WHERE runnable_at IS NOT NULL AND runnable_at <= ?2 ORDER BY runnable_at LIMIT ?3)
    RETURNING ${WAKE_COLUMNS}`)

  function quarantine(task: Orphan, deaths: number, lost: EventBody, at: number): Wake | undefined {
    const error = poisonedError(task.id, deaths)
    const events: EventBody[] = [lost, { type: 'task.failed', error }]
    notify(task, events, at)
    log.run(task.seq, task.last_event + 1, at, encodeEvents(events)!)
    poison.run(task.seq, at, JSON.stringify(error), deaths)
    clearMail.run(task.seq)
    clearTimers.run(task.seq)
    counters.move(task.agent, task.state, 'failed')
    if (task.parent_task === null) return undefined
    const { id, parent_task: parentTask, parent_step } = task
    const reply = poisonedReply({ id, parentTask, parentStep: parent_step ?? '', error })
    const delivery = deliver(prepareMessage(reply), at)
    return delivery.delivered ? delivery.wake : undefined
  }

  /** It has no actor left that could. */
  function notify({ id, metadata }: Orphan, events: EventBody[], at: number): void {
    if (metadata?.startsWith('[') !== true) return
    const before = toTaskRow(byId.get(id) as unknown as TaskColumns)
    for (const notice of noticesOf(before, { state: 'failed', events })) accepting.insert(prepareTask(notice), at)
  }

  function orphan(task: Orphan, at: number, forgottenMs: number, poisoned: PoisonedTask[]): Wake | undefined {
    fences.drop(task.id)
    const anew = task.owner_deaths > 0 && forgets.get(task.seq, at - forgottenMs) !== undefined
    const deaths = anew ? 1 : task.owner_deaths + 1
    const lost: EventBody = { type: 'task.owner_lost', host: task.owner, deaths }
    if (deaths >= MAX_OWNER_DEATHS) {
      poisoned.push({ id: task.id, tenant: task.tenant, agent: task.agent })
      return quarantine(task, deaths, lost, at)
    }
    release.run(task.seq, at, deaths)
    log.run(task.seq, task.last_event + 1, at, encodeEvents([lost])!)
    return toWake({ ...task, owner: null, epoch: task.epoch + 1 })
  }

  return {
    isLive(hostId: string, at: number): boolean {
      const row = leaseOf.get(hostId)
      return row !== undefined && Number(row.lease_until) > at
    },

    keep({ hostId, info, leaseMs }: HostLease, at: number): { held: boolean } {
      const row = leaseOf.get(hostId)
      if (row === undefined) begin.run(hostId, JSON.stringify(info), at + leaseMs)
      else if (Number(row.lease_until) <= at) return { held: false }
      else renew.run(hostId, JSON.stringify(info), at + leaseMs)
      return { held: true }
    },

    end(hostId: string, at: number): void {
      end.run(hostId, at)
    },

    hosts(at: number): HostRow[] {
      return all.all().map((row) => ({
        hostId: String(row.id),
        info: JSON.parse(String(row.info)),
        alive: Number(row.lease_until) > at,
        tasks: Number(row.tasks),
      }))
    },

    /** Nothing to repair is the common case: then no transaction is opened for it. */
    hasOrphans(unclaimedMs: number, at: number): boolean {
      return anyOrphan.get(at, at - unclaimedMs) !== undefined
    },

    findOrphans(
      { unclaimedMs, limit, forgottenMs = DEATHS_FORGOTTEN_MS }: Parameters<Journal['findOrphans']>[0],
      at: number,
    ): { wakes: Wake[]; poisoned: PoisonedTask[] } {
      const poisoned: PoisonedTask[] = []
      // Unclaimed ones first: an orphan of this very look is not named twice.
      const rows = unclaimed.all(at, at - unclaimedMs, limit) as unknown as WakeColumns[]
      const wakes = rows.map(toWake)
      for (const task of orphaned.all(at, limit) as unknown as Orphan[]) {
        const wake = orphan(task, at, forgottenMs, poisoned)
        if (wake !== undefined) wakes.push(wake)
      }
      forgetHosts.run(at - ENDED_LEASE_KEPT_MS)
      return { wakes, poisoned }
    },
  }
}
