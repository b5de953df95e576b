// Schedules in Postgres: the same table, for many gateways.
import { bodyOf, scheduleOf } from './sqlite-schedules.ts'
import type { ScheduleStore } from './store.ts'

export const SCHEDULE_TABLE = `
  CREATE TABLE schedule (tenant text NOT NULL, name text COLLATE "C" NOT NULL, id text NOT NULL, body text NOT NULL,
    next_at bigint, last_at bigint, last text, PRIMARY KEY (tenant, name));
  CREATE INDEX schedule_due ON schedule (next_at) WHERE next_at IS NOT NULL;`

type Rows = <Row>(sql: string, values: unknown[]) => Promise<Row[]>

export function postgresSchedules(rows: Rows): ScheduleStore {
  type Row = Record<string, unknown>
  return {
    async putSchedule(schedule) {
      const { tenant, name, id, nextAt = null } = schedule
      const sql = `INSERT INTO schedule VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant, name) DO UPDATE
        SET id = excluded.id, body = excluded.body, next_at = excluded.next_at, last_at = NULL, last = NULL`
      await rows(sql, [tenant, name, id, bodyOf(schedule), nextAt])
    },
    async schedule(tenant, name) {
      const [row] = await rows<Row>('SELECT * FROM schedule WHERE tenant = $1 AND name = $2', [tenant, name])
      return row === undefined ? undefined : scheduleOf(row)
    },
    async schedules(tenant, { after = '', limit }) {
      const sql = 'SELECT * FROM schedule WHERE tenant = $1 AND name > $2 ORDER BY name LIMIT $3'
      return (await rows<Row>(sql, [tenant, after, limit])).map(scheduleOf)
    },
    async countSchedules(tenant) {
      const [row] = await rows<Row>('SELECT count(*) AS count FROM schedule WHERE tenant = $1', [tenant])
      return Number(row!.count)
    },
    async removeSchedule(tenant, name) {
      const sql = 'DELETE FROM schedule WHERE tenant = $1 AND name = $2 RETURNING name'
      return (await rows(sql, [tenant, name])).length > 0
    },
    async dueSchedules(now, limit) {
      const sql = 'SELECT * FROM schedule WHERE next_at <= $1 ORDER BY next_at LIMIT $2'
      return (await rows<Row>(sql, [now, limit])).map(scheduleOf)
    },
    async advanceSchedule({ tenant, name, id, nextAt = null }, next) {
      const sql = `UPDATE schedule SET next_at = $1, last_at = $2, last = $3
        WHERE tenant = $4 AND name = $5 AND id = $6 AND next_at = $7 RETURNING name`
      const last = next.last === undefined ? null : JSON.stringify(next.last)
      const values = [next.nextAt ?? null, next.last?.at ?? null, last, tenant, name, id, nextAt]
      return (await rows(sql, values)).length > 0
    },
    async forgetSchedules(before) {
      await rows('DELETE FROM schedule WHERE next_at IS NULL AND last_at < $1', [before])
    },
  }
}
