// Tasks that are deleted because somebody wants them gone. Only what they spent is kept, and their ids: for a day what a late
// owner still writes into the log of one is deleted after it, since nothing is left that would keep its entries out.
import { WEBHOOK_AGENT } from '../../contract/callbacks.ts'
import type { Erasure } from '../journal.ts'
import type { Readers } from './readers.ts'
import { BELONGINGS_GONE } from './sweeps.ts'

const LATE_ENTRIES_MS = 24 * 60 * 60 * 1000

export const ERASED = `
  CREATE TABLE erased (
    task text COLLATE "C" NOT NULL,
    tenant text NOT NULL,
    created_at bigint NOT NULL,
    ended_at bigint NOT NULL,
    usage text,
    erased_at bigint NOT NULL
  );
  CREATE INDEX erased_of_tenant ON erased (tenant, created_at);
  CREATE INDEX erased_lately ON erased (erased_at);
`

// Locked before it is judged: a task that is reopened in this moment is waited for, and has not ended then.
const ERASE = `
  WITH wanted AS (
    SELECT id, ended_at FROM tasks WHERE id = ANY ($2) AND tenant = $1 ORDER BY id FOR UPDATE
  ), open AS (
    SELECT id FROM wanted WHERE ended_at IS NULL
  ), gone AS (
    DELETE FROM tasks WHERE id IN (SELECT id FROM wanted) AND NOT EXISTS (SELECT 1 FROM open)
    RETURNING id, tenant, agent, created_at, ended_at, usage
  ), spent AS (
    INSERT INTO erased (task, tenant, created_at, ended_at, usage, erased_at)
    SELECT id, tenant, created_at, ended_at, usage, moment_1() FROM gone WHERE agent <> '${WEBHOOK_AGENT.name}'
  ), ${BELONGINGS_GONE}
  SELECT (SELECT count(*) FROM gone) AS erased, (SELECT array_agg(id) FROM open) AS "notEnded"`

const FORGET_LATE_ENTRIES = `
  DELETE FROM log USING erased WHERE log.task = erased.task AND erased_at > moment_1() - ${LATE_ENTRIES_MS}::bigint`

export function erasing(readers: Readers) {
  return {
    async erase(tenant: string, taskIds: readonly string[]): Promise<Erasure> {
      const [row] = await readers.rows<{ erased: number; notEnded: string[] | null }>('erase', ERASE, [tenant, taskIds])
      return { erased: row!.erased, notEnded: row!.notEnded ?? [] }
    },

    async forgetErased(endedBefore: number): Promise<void> {
      await readers.rows('forget-late-entries', FORGET_LATE_ENTRIES, [])
      await readers.rows('forget-erased', 'DELETE FROM erased WHERE ended_at < $1', [endedBefore])
    },
  }
}
