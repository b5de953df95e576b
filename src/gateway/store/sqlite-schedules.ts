// Schedules in gateway.db.
import type { DatabaseSync } from 'node:sqlite'
import type { ScheduleRow } from '../schedules/schedule.ts'
import type { ScheduleStore } from './store.ts'

/** What never changes of a version is one value; what firing changes has columns. */
export const SCHEDULE_TABLE = `
  CREATE TABLE schedule (tenant TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    next_at INTEGER, last_at INTEGER, last TEXT, PRIMARY KEY (tenant, name)) STRICT;
  CREATE INDEX schedule_due ON schedule (next_at) WHERE next_at IS NOT NULL;`

export function sqliteSchedules(database: DatabaseSync): ScheduleStore {
  const upsert = database.prepare('INSERT OR REPLACE INTO schedule VALUES (?, ?, ?, ?, ?, NULL, NULL)')
  const select = database.prepare('SELECT * FROM schedule WHERE tenant = ? AND name = ?')
  const selectPage = database.prepare('SELECT * FROM schedule WHERE tenant = ? AND name > ? ORDER BY name LIMIT ?')
  const count = database.prepare('SELECT count(*) AS count FROM schedule WHERE tenant = ?')
  const remove = database.prepare('DELETE FROM schedule WHERE tenant = ? AND name = ?')
  const selectDue = database.prepare('SELECT * FROM schedule WHERE next_at <= ? ORDER BY next_at LIMIT ?')
  const advance = database.prepare(
    'UPDATE schedule SET next_at = ?, last_at = ?, last = ? WHERE tenant = ? AND name = ? AND id = ? AND next_at = ?',
  )
  const forget = database.prepare('DELETE FROM schedule WHERE next_at IS NULL AND last_at < ?')

  return {
    async putSchedule(schedule) {
      const { tenant, name, id, nextAt = null } = schedule
      upsert.run(tenant, name, id, bodyOf(schedule), nextAt)
    },
    async schedule(tenant, name) {
      const row = select.get(tenant, name)
      return row === undefined ? undefined : scheduleOf(row)
    },
    async schedules(tenant, { after = '', limit }) {
      return selectPage.all(tenant, after, limit).map(scheduleOf)
    },
    async countSchedules(tenant) {
      return (count.get(tenant) as { count: number }).count
    },
    async removeSchedule(tenant, name) {
      return remove.run(tenant, name).changes > 0
    },
    async dueSchedules(now, limit) {
      return selectDue.all(now, limit).map(scheduleOf)
    },
    async advanceSchedule({ tenant, name, id, nextAt = null }, next) {
      const last = next.last === undefined ? null : JSON.stringify(next.last)
      const values = [next.nextAt ?? null, next.last?.at ?? null, last, tenant, name, id, nextAt]
      return advance.run(...values).changes > 0
    },
    async forgetSchedules(before) {
      forget.run(before)
    },
  }
}

/** Everything of it that has no column. */
export function bodyOf({ request, when, overlap, createdAt, createdBy }: ScheduleRow): string {
  return JSON.stringify({ request, when, overlap, createdAt, createdBy })
}

/** Numbers may come as text, from Postgres. */
export function scheduleOf(row: Record<string, unknown>): ScheduleRow {
  const { tenant, name, id } = row as { tenant: string; name: string; id: string }
  const schedule: ScheduleRow = { tenant, name, id, ...JSON.parse(row.body as string) }
  if (row.next_at !== null) schedule.nextAt = Number(row.next_at)
  if (row.last !== null) schedule.last = JSON.parse(row.last as string)
  return schedule
}
