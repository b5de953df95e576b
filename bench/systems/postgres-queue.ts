// A queue as one writes it by hand: a table, SKIP LOCKED, a commit a step. Workers are poked in the process, which is
// faster than LISTEN; each has its own connection. fsync is on.
import { Pool } from 'pg'
import { startPostgres } from '../../test/support/servers.ts'
import type { Subject } from '../measure.ts'

const WORKERS = 16

export async function postgresQueueSubject(workload: string): Promise<Subject> {
  const server = await startPostgres()
  const pool = new Pool({ connectionString: server.url, max: 2 * WORKERS })
  // Stopping the server at the end cuts the idle connections.
  pool.on('error', () => {})
  await pool.query(`CREATE TABLE jobs (id bigserial PRIMARY KEY, state text NOT NULL DEFAULT 'queued',
    data jsonb NOT NULL, result jsonb, created_at timestamptz NOT NULL DEFAULT now(), ended_at timestamptz)`)
  await pool.query(`CREATE INDEX ON jobs (id) WHERE state = 'queued'`)
  const waiting = new Map<string, () => void>()
  const early = new Set<string>()
  let idle: (() => void)[] = []
  let queued = 0
  let stopped = false

  async function work(): Promise<void> {
    while (!stopped) {
      if (queued === 0) {
        await new Promise<void>((resolve) => idle.push(resolve))
        continue
      }
      queued -= 1
      const { rows } = await pool.query(`UPDATE jobs SET state = 'running' WHERE id =
        (SELECT id FROM jobs WHERE state = 'queued' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, data`)
      const job = rows[0] as { id: string; data: object } | undefined
      if (job === undefined) {
        queued += 1
        continue
      }
      if (workload !== 'noop') {
        for (const step of ['one', 'two']) {
          await pool.query('UPDATE jobs SET data = $2 WHERE id = $1', [job.id, { ...job.data, [step]: 1 }])
        }
      }
      await pool.query(`UPDATE jobs SET state = 'done', result = $2, ended_at = now() WHERE id = $1`, [
        job.id,
        job.data,
      ])
      const resolve = waiting.get(job.id)
      if (resolve === undefined) early.add(job.id)
      else resolve()
      waiting.delete(job.id)
    }
  }
  const workers = Array.from({ length: WORKERS }, work)
  return {
    async run() {
      const { rows } = await pool.query('INSERT INTO jobs (data) VALUES ($1) RETURNING id', [{ n: 1 }])
      const { id } = rows[0] as { id: string }
      queued += 1
      idle.shift()?.()
      if (!early.delete(id)) await new Promise<void>((resolve) => waiting.set(id, resolve))
    },
    async close() {
      stopped = true
      for (const wake of idle) wake()
      idle = []
      await Promise.all(workers)
      await pool.end()
      await server.stop()
    },
  }
}
