// The statements of lone.ts. $1 and $2 are the lane and the number of the flight; what follows is in the order of its values.

const NOW = '(SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS moment) AS now'

/** The same text that apply_2 would keep: a lost answer is looked up there. */
const COMMITTED = `concat('{"at":', t.updated_at, ',"commits":[0,', concat_ws(',', t.epoch, t.version, t.last_event,
  t.mail_position, (t.runnable_at IS NOT NULL)::integer),
  '],"live":[],"fresh":null,"refused":null,"letters":null}') AS answer`

const KEEP = `kept AS (
    UPDATE lanes SET flush = $2::bigint, answer = u.answer, at = u.updated_at FROM u
    WHERE lanes.id = $1 AND lanes.flush < $2 RETURNING 1
  )
  SELECT answer, EXISTS (SELECT 1 FROM kept) AS kept FROM u`

// Not "owner IS NOT NULL": see apply-function.ts.
export const RECORD = `
  WITH u AS (
    UPDATE tasks t SET version = t.version + 1, state = 'running', last_event = t.last_event + $6::integer,
      updated_at = moment, waiting_for = NULL, snapshot = coalesce($10::text, t.snapshot)
    FROM ${NOW}
    WHERE t.id = $3 AND t.epoch = $4::integer AND t.version = $5::integer
      AND CASE WHEN t.owner IS NULL THEN false ELSE true END
    RETURNING t.id, t.last_event, t.updated_at, ${COMMITTED}
  ), l AS (
    INSERT INTO log (task, first_number, at, bodies)
    SELECT id, last_event - $6 + 1, updated_at, $7::text FROM u WHERE $6 > 0
  ), s AS (
    INSERT INTO steps (task, step, outcome) SELECT id, $8::text, $9::text FROM u WHERE $8 IS NOT NULL
    ON CONFLICT DO NOTHING
  ), ${KEEP}`

export const BEGIN = `
  WITH u AS (
    INSERT INTO tasks AS t (id, tenant, agent, agent_version, state, priority, created_at, started_at, updated_at,
      ended_at, epoch, version, owner, last_event, runnable_at, depth, parent_task, parent_step, traceparent, budget,
      metadata, usage, waiting_for, error, output, input, snapshot)
    SELECT $3, $4, $5, $6, CASE WHEN begun THEN $20::text ELSE 'queued' END, $7, moment, CASE WHEN begun THEN moment END,
      moment, CASE WHEN begun AND $18::boolean THEN moment END, begun::integer, begun::integer,
      CASE WHEN begun AND NOT $17::boolean THEN $16::text END, CASE WHEN begun THEN 1 + $21::integer ELSE 1 END,
      CASE WHEN NOT begun OR ($17 AND NOT $18 AND $19::boolean) THEN moment END, $8::integer, $9, $10, $11, $12, $13,
      CASE WHEN begun THEN $15::text END, CASE WHEN begun THEN $24::text END, CASE WHEN begun THEN $26::text END,
      CASE WHEN begun THEN $25::text END, $14, CASE WHEN begun THEN $23::text END
    FROM (
      SELECT moment, EXISTS (SELECT 1 FROM hosts WHERE id = $16 AND lease_until > moment) AS begun FROM ${NOW} OFFSET 0
    ) AS judged
    ON CONFLICT (id) DO NOTHING
    RETURNING t.id, t.version, t.updated_at, concat('{"at":', t.updated_at, ',"commits":[],"live":',
      CASE WHEN t.version = 1 THEN json_build_array($16::text)::text ELSE '[]' END,
      ',"fresh":null,"refused":null,"letters":null}') AS answer
  ), l AS (
    INSERT INTO log (task, first_number, at, bodies)
    SELECT id, 2, updated_at, $22::text FROM u WHERE version = 1 AND $22 IS NOT NULL
  ), ${KEEP}`

const turn = (more: string, cleaning: string) => `
  WITH u AS (
    UPDATE tasks t SET
      epoch = CASE WHEN $6::text IS NULL THEN t.epoch ELSE t.epoch + 1 END,
      version = t.version + 1,
      state = $10,
      owner = CASE WHEN $7::boolean THEN NULL ELSE coalesce($6, t.owner) END,
      last_event = t.last_event + $11::integer,
      mail_read = least(t.mail_position, greatest(t.mail_read, $13::integer)),
      updated_at = moment,
      started_at = coalesce(t.started_at, moment),
      ended_at = CASE WHEN $8::boolean THEN moment END,
      runnable_at = CASE WHEN $7 AND NOT $8 AND ($9::boolean OR t.mail_position > greatest(t.mail_read, $13))
        THEN moment END,
      waiting_for = $16::text,
      snapshot = CASE WHEN $14::boolean THEN $15::text ELSE t.snapshot END,
      output = coalesce($17::text, t.output),
      error = coalesce($18::text, t.error),
      usage = coalesce($19::text, t.usage)
    FROM ${NOW}
    WHERE t.id = $3 AND t.epoch = $4::integer AND t.version = $5::integer ${more}
      AND CASE WHEN $6::text IS NULL THEN t.owner IS NOT NULL ELSE t.owner IS NULL AND t.ended_at IS NULL
        AND EXISTS (SELECT 1 FROM hosts h WHERE h.id = $6 AND h.lease_until > moment) END
    RETURNING t.id, t.last_event, t.updated_at, ${COMMITTED}
  ), l AS (
    INSERT INTO log (task, first_number, at, bodies)
    SELECT id, last_event - $11 + 1, updated_at, $12::text FROM u WHERE $11 > 0
  ), s AS (
    ${cleaning}
  ), ${KEEP}`

export const TURN = turn(
  '',
  `INSERT INTO steps (task, step, outcome) SELECT id, $20::text, $21::text FROM u WHERE $20 IS NOT NULL
    ON CONFLICT DO NOTHING`,
)

// A task that has mail takes the function: mail that came while this statement waited would stay behind.
export const COMPLETE = turn(
  'AND t.mail_position = 0',
  `DELETE FROM steps USING u WHERE steps.task = u.id
  ), r AS (
    DELETE FROM value_references v USING u WHERE v.task = u.id AND v.slot NOT IN ('input', 'output', 'error')
  ), a AS (
    DELETE FROM timers USING u WHERE timers.task = u.id`,
)
