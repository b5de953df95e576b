// The statements of lone.ts, in the order of its values. They answer with what the caller does not know yet.

const NOW = '(SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS moment) AS now'

// Not "owner IS NOT NULL": see apply-function.ts.
export const RECORD = `
  WITH u AS (
    UPDATE tasks t SET version = t.version + 1, state = 'running', last_event = t.last_event + $4::integer,
      updated_at = moment, waiting_for = NULL, snapshot = coalesce($7::text, t.snapshot)
    FROM ${NOW}
    WHERE t.id = $1 AND t.epoch = $2::integer AND t.version = $3::integer
      AND CASE WHEN t.owner IS NULL THEN false ELSE true END
    RETURNING t.id, t.updated_at, t.epoch, t.last_event, t.mail_position
  ), l AS (
    INSERT INTO log (task, first_number, at, bodies, outcomes)
    SELECT id, last_event - $4 + 1, updated_at, $5::text, $6::text FROM u
  )
  SELECT updated_at AS at, epoch, last_event, mail_position, false AS runnable FROM u`

export const BEGIN = `
  INSERT INTO tasks (id, tenant, agent, agent_version, state, priority, created_at, started_at, updated_at,
      ended_at, epoch, version, owner, last_event, runnable_at, depth, parent_task, parent_step, traceparent, budget,
      metadata, usage, waiting_for, error, output, input, snapshot, plain, first_events)
    SELECT $1, $2, $3, $4, CASE WHEN begun THEN $18::text ELSE 'queued' END, $5, moment, CASE WHEN begun THEN moment END,
      moment, CASE WHEN begun AND $16::boolean THEN moment END, begun::integer, begun::integer,
      CASE WHEN begun AND NOT $15::boolean THEN $14::text END, CASE WHEN begun THEN 1 + $19::integer ELSE 1 END,
      CASE WHEN NOT begun OR ($15 AND NOT $16 AND $17::boolean) THEN moment END, $6::integer, $7, $8, $9, $10, $11,
      CASE WHEN begun THEN $13::text END, CASE WHEN begun THEN $22::text END, CASE WHEN begun THEN $24::text END,
      CASE WHEN begun THEN $23::text END, $12, CASE WHEN begun THEN $21::text END, true,
      CASE WHEN begun THEN $20::text END
    FROM (
      SELECT moment, EXISTS (SELECT 1 FROM hosts WHERE id = $14 AND lease_until > moment) AS begun FROM ${NOW} OFFSET 0
    ) AS judged
  ON CONFLICT (id) DO NOTHING
  RETURNING updated_at AS at, version = 1 AS begun`

const turn = (more: string) => `
  WITH u AS (
    UPDATE tasks t SET
      epoch = CASE WHEN $4::text IS NULL THEN t.epoch ELSE t.epoch + 1 END,
      version = t.version + 1,
      state = $8,
      owner = CASE WHEN $5::boolean THEN NULL ELSE coalesce($4, t.owner) END,
      last_event = t.last_event + $9::integer,
      mail_read = least(t.mail_position, greatest(t.mail_read, $11::integer)),
      updated_at = moment,
      started_at = coalesce(t.started_at, moment),
      ended_at = CASE WHEN $6::boolean THEN moment END,
      runnable_at = CASE WHEN $5 AND NOT $6 AND ($7::boolean OR t.mail_position > greatest(t.mail_read, $11))
        THEN moment END,
      waiting_for = $14::text,
      snapshot = CASE WHEN $12::boolean THEN $13::text ELSE t.snapshot END,
      output = coalesce($15::text, t.output),
      error = coalesce($16::text, t.error),
      usage = coalesce($17::text, t.usage)
    FROM ${NOW}
    WHERE t.id = $1 AND t.epoch = $2::integer AND t.version = $3::integer ${more}
      AND CASE WHEN $4::text IS NULL THEN t.owner IS NOT NULL ELSE t.owner IS NULL AND t.ended_at IS NULL
        AND EXISTS (SELECT 1 FROM hosts h WHERE h.id = $4 AND h.lease_until > moment) END
    RETURNING t.id, t.updated_at, t.epoch, t.last_event, t.mail_position, t.runnable_at
  ), l AS (
    INSERT INTO log (task, first_number, at, bodies, outcomes)
    SELECT id, last_event - $9 + 1, updated_at, $10::text, $18::text FROM u
  )
  SELECT updated_at AS at, epoch, last_event, mail_position, runnable_at IS NOT NULL AS runnable FROM u`

export const TURN = turn('')

/** What has mail, timers or more takes the function, which clears it away. */
export const END = turn('AND t.plain AND t.mail_position = 0')
