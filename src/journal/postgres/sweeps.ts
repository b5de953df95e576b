// The verbs that keep the journal in order: timers, leases, orphans (P5), purge and reopen.
import { DEATHS_FORGOTTEN_MS, MAX_OWNER_DEATHS } from '../../contract/limits.ts'
import type { Priority } from '../../contract/task.ts'
import type { HostLease, HostRow, Journal, PoisonedTask, Wake } from '../journal.ts'
import { UNNAMED_BLOB_KEPT_MS } from '../references.ts'
import { toWake, WAKE_COLUMNS, type WakeColumns } from '../rows.ts'
import { DEADLINE_TIMER, ENDED_LEASE_KEPT_MS } from '../rules.ts'
import { type Letter, wakeOf } from './answers.ts'
import { VALUE_SPACE } from './blobs.ts'
import type { Leases } from './leases.ts'
import type { Readers } from './readers.ts'

/** The moment of the call, where a statement needs it more than once. */
const NOW = '(SELECT moment_1() AS moment) AS now'

const MIN_LEASE_PATIENCE_MS = 200

const NEXT_TIMER = `
  SELECT (SELECT due_at FROM timers ORDER BY due_at LIMIT 1) - moment AS in_ms FROM ${NOW}`

const KEEP_LEASE = `
  INSERT INTO hosts (id, info, lease_until) SELECT $1, $2, moment + $3::bigint FROM ${NOW}
  ON CONFLICT (id) DO UPDATE SET info = excluded.info, lease_until = excluded.lease_until
  WHERE hosts.lease_until > moment_1() RETURNING lease_until`

const HOSTS = `
  SELECT id AS "hostId", info, lease_until > moment AS alive,
    (SELECT count(*) FROM tasks WHERE owner = hosts.id AND owner IS NOT NULL) AS tasks
  FROM hosts, ${NOW} ORDER BY id`

/**
 * The second column is as it was before the function changed anything: a statement sees what was there when it began. It
 * names those whose next owner's death is the last; which of them this call has failed is asked for after, when there are any.
 */
const FIND_ORPHANS = `
  SELECT find_orphans_6($1, $2, $3) AS wakes, (
    SELECT json_agg(json_build_object('id', id, 'tenant', tenant, 'agent', agent, 'epoch', epoch)) FROM tasks
    WHERE owner IS NOT NULL AND owner_deaths + 1 >= ${MAX_OWNER_DEATHS}
      AND owner NOT IN (SELECT h.id FROM hosts h, ${NOW} WHERE h.lease_until > moment)
  ) AS doomed`

const FAILED_OF = `
  SELECT tasks.id FROM tasks JOIN json_to_recordset($1::json) AS doomed (id text, epoch integer)
    ON tasks.id = doomed.id COLLATE "C" WHERE state = 'failed' AND tasks.epoch = doomed.epoch + 1`

const REOPEN = `
  WITH opened AS (
    UPDATE tasks SET state = 'queued', epoch = epoch + 1, owner_deaths = 0, last_event = last_event + 1, error = NULL,
      ended_at = NULL, waiting_for = NULL, updated_at = moment, runnable_at = moment, mail_read = mail_position
    FROM ${NOW} WHERE id = $1 AND state IN ('failed', 'cancelled')
    RETURNING ${WAKE_COLUMNS}, last_event, deadline, moment
  ), logged AS (
    INSERT INTO log (task, first_number, at, bodies)
    SELECT id, last_event, moment, '[{"type":"task.retried"}]' FROM opened
  ), timed AS (
    -- A deadline that has passed would end the retry at once; the person who retries has decided otherwise.
    INSERT INTO timers (task, id, due_at) SELECT id, '${DEADLINE_TIMER}', deadline FROM opened WHERE deadline > moment
  )
  SELECT ${WAKE_COLUMNS} FROM opened`

/** What belongs to the tasks that `gone` has deleted. */
export const BELONGINGS_GONE = `
  log_gone AS (DELETE FROM log WHERE task IN (SELECT id FROM gone)),
  outcomes_gone AS (DELETE FROM outcomes WHERE task IN (SELECT id FROM gone)),
  mail_gone AS (DELETE FROM mail WHERE task IN (SELECT id FROM gone)),
  timers_gone AS (DELETE FROM timers WHERE task IN (SELECT id FROM gone)),
  values_gone AS (DELETE FROM value_references WHERE task IN (SELECT id FROM gone)),
  keys_gone AS (DELETE FROM idempotency WHERE task IN (SELECT id FROM gone))`

// From tenant to tenant in the index of lists, and of each what is old enough: nothing younger is read.
const PURGE = `
  WITH RECURSIVE tenants AS (
    (SELECT tenant FROM tasks ORDER BY tenant LIMIT 1)
    UNION ALL
    SELECT (SELECT t.tenant FROM tasks t WHERE t.tenant > last.tenant ORDER BY t.tenant LIMIT 1)
    FROM tenants last WHERE last.tenant IS NOT NULL
  ), old AS (
    SELECT id FROM tenants, LATERAL (
      SELECT id FROM tasks t WHERE t.tenant = tenants.tenant AND created_at < $1 AND ended_at < $1
      ORDER BY created_at LIMIT $2) AS of_tenant LIMIT $2
  ), gone AS (
    DELETE FROM tasks WHERE id IN (
      SELECT id FROM tasks WHERE id IN (SELECT id FROM old) AND ended_at < $1 FOR UPDATE SKIP LOCKED)
    RETURNING id
  ), ${BELONGINGS_GONE}
  SELECT count(*) AS deleted FROM gone`

// The age is looked at again under the lock: who wrote the content anew in the meantime is about to name it.
const FORGET_VALUES = `
  WITH gone AS (
    DELETE FROM blobs b WHERE space = '${VALUE_SPACE}' AND touched_at < moment_1() - $1::bigint AND sha256 IN (
      SELECT sha256 FROM blobs o WHERE space = '${VALUE_SPACE}' AND touched_at < moment_1() - $1::bigint
        AND NOT EXISTS (SELECT 1 FROM value_references v WHERE v.sha256 = o.sha256) LIMIT $2)
    RETURNING sha256
  ) DELETE FROM blob_pieces WHERE space = '${VALUE_SPACE}' AND sha256 IN (SELECT sha256 FROM gone)`

// Pieces whose writer died before it could name them.
const FORGET_ARRIVING = `
  DELETE FROM blob_pieces WHERE sha256 LIKE 'arriving:%'
    AND split_part(sha256, ':', 2)::bigint < moment_1() - ${ENDED_LEASE_KEPT_MS}::bigint`

/** `renewals` have their own connection: a lease must not wait behind somebody's long list. */
export function sweeps(readers: Readers, renewals: Readers, leases: Leases) {
  return {
    async fireTimers(limit: number): Promise<{ woken: Wake[]; nextDueInMs: number | undefined }> {
      const woken: Wake[] = []
      const [next] = await readers.rows<{ in_ms: number | null }>('next-timer', NEXT_TIMER, [])
      const inMs = next?.in_ms ?? undefined
      if (inMs === undefined || inMs > 0) return { woken, nextDueInMs: inMs }
      const [fired] = await readers.rows<{ letters: Letter[] | null }>('fire', 'SELECT fire_timers_1($1) AS letters', [
        limit,
      ])
      for (const letter of fired?.letters ?? []) if (letter[1] === 'new') woken.push(wakeOf(letter))
      const [after] = await readers.rows<{ in_ms: number | null }>('next-timer', NEXT_TIMER, [])
      return { woken, nextDueInMs: after?.in_ms === null || after === undefined ? undefined : Math.max(0, after.in_ms) }
    },

    async keepLease({ hostId, info, leaseMs }: HostLease): Promise<{ held: boolean }> {
      // Who cannot renew in time must know in time, to stop its actors before others take them over.
      const patienceMs = Math.max(MIN_LEASE_PATIENCE_MS, leaseMs / 3)
      const values = [hostId, JSON.stringify(info), leaseMs]
      const [kept] = await renewals.rows<{ lease_until: number }>('keep-lease', KEEP_LEASE, values, patienceMs)
      leases.kept(hostId, kept?.lease_until)
      return { held: kept !== undefined }
    },

    async endLease(hostId: string): Promise<void> {
      leases.ended(hostId)
      await readers.rows('end-lease', 'UPDATE hosts SET lease_until = least(lease_until, moment_1()) WHERE id = $1', [
        hostId,
      ])
    },

    async hosts(): Promise<HostRow[]> {
      const rows = await readers.rows<HostRow & { info: string }>('hosts', HOSTS, [])
      return rows.map(({ hostId, info, alive, tasks }) => ({ hostId, info: JSON.parse(info), alive, tasks }))
    },

    async findOrphans({
      unclaimedMs,
      limit,
      forgottenMs = DEATHS_FORGOTTEN_MS,
      onPoisoned,
    }: Parameters<Journal['findOrphans']>[0]): Promise<Wake[]> {
      type Found = [string, string, string, string, Priority, number, string | null | undefined]
      type Doomed = PoisonedTask & { epoch: number }
      const [found] = await readers.rows<{ wakes: Found[] | null; doomed: Doomed[] | null }>('orphans', FIND_ORPHANS, [
        unclaimedMs,
        limit,
        forgottenMs,
      ])
      const doomed = found?.doomed ?? []
      if (doomed.length > 0 && onPoisoned !== undefined) {
        const failed = await readers.rows<{ id: string }>('poisoned', FAILED_OF, [JSON.stringify(doomed)])
        for (const { id } of failed) {
          const { tenant, agent } = doomed.find((task) => task.id === id)!
          onPoisoned({ id, tenant, agent })
        }
      }
      return (found?.wakes ?? []).map(([id, tenant, agent, agent_version, priority, epoch, owner = null]) =>
        toWake({ id, tenant, agent, agent_version, priority, epoch, owner }),
      )
    },

    async reopen(taskId: string): Promise<Wake | undefined> {
      const [row] = await readers.rows<WakeColumns>('reopen', REOPEN, [taskId])
      return row === undefined ? undefined : toWake(row)
    },

    async purge(endedBefore: number, limit: number): Promise<number> {
      const [row] = await readers.rows<{ deleted: number }>('purge', PURGE, [endedBefore, limit])
      await readers.rows('forget-hosts', 'DELETE FROM hosts WHERE lease_until < moment_1() - $1::bigint', [
        ENDED_LEASE_KEPT_MS,
      ])
      await readers.rows('forget-lanes', 'DELETE FROM lanes WHERE at < moment_1() - $1::bigint', [ENDED_LEASE_KEPT_MS])
      await readers.rows('forget-values', FORGET_VALUES, [UNNAMED_BLOB_KEPT_MS, limit])
      await readers.rows('forget-arriving', FORGET_ARRIVING, [])
      return row?.deleted ?? 0
    },

    async now(): Promise<number> {
      const [row] = await readers.rows<{ moment: number }>('now', 'SELECT moment_1() AS moment', [])
      return row!.moment
    },
  }
}
