// The hot path: one call applies everything that was gathered for a flight, in one transaction and one round trip.
//
// A function, not one statement of many CTEs, for correctness: each statement inside sees what was committed before it
// began, so after the rows are locked, positions, duplicates and fences are judged on what is true now. A single
// statement would judge by the state before it waited for the locks. Each statement works on all rows at once, and runs
// only when there is something for it: a call alone pays for what it needs.
//
// Rows are locked in the order of their ids, so two flights cannot wait for each other in a circle.

import { LASTING_SLOTS } from '../references.ts'
import { KNOWN_COMMITS, KNOWN_NEWS, UNLESS_TAKEN } from './known-again.ts'
import { LABELS_OF_TASKS } from './labels.ts'

/**
 * holders   tasks that get something besides their row and their log: it is looked for when they end
 * news      accepts; with `host` the task is accepted and claimed by its first commit at once, in one row written once:
 *           that commit's events are part of it
 * turns     commits of every kind
 * records   commits of a running task that only records: one narrow update
 * entries   those of them that only add to the log: its key is their fence
 * children  accepts that belong to a commit (`c`) and are made only if it was applied
 * apart     outcomes that the log row of their commit does not hold (outcomes.ts)
 * labelled  those of news and children that have labels
 *
 * again     this flight was asked for before; in_doubt: as a lone statement, whose answer was lost
 */
export const APPLY = `
CREATE FUNCTION apply_6(
  lane_id text, flush_number bigint, again boolean, in_doubt boolean, touched text[], claimants text[], holders text[],
  keys json, news json, news_count integer, turns json, turn_count integer, records json,
  record_count integer, entries json, entry_count integer, children json, letters json, apart json, alarms json,
  named json, labelled text[]
) RETURNS text LANGUAGE plpgsql AS $body$
DECLARE
  moment bigint;
  last_flush bigint;
  result text;
  live text[] := '{}';
  made_count integer;
  created text[];
  fresh json;
  turned text;
  recorded text;
  applied integer[] := '{}';
  noted integer[] := '{}';
  entered text;
  added integer[] := '{}';
  resumed text[];
  known integer[] := '{}';
  known_at bigint;
  recognised text;
  refused_rows json;
  ended_tasks text[];
  completed_tasks text[];
  letter_rows json;
BEGIN
  -- A flush whose answer was lost may still be at work on its lost connection: who asks again waits for it here.
  result := pg_advisory_xact_lock(hashtextextended(lane_id, 0))::text;
  result := NULL;
  IF again THEN
    SELECT flush, answer INTO last_flush, result FROM lanes WHERE id = lane_id;
    IF last_flush = flush_number THEN
      RETURN result;
    END IF;
  END IF;

  IF touched IS NOT NULL THEN
    PERFORM 1 FROM tasks WHERE id = ANY (touched) ORDER BY id FOR NO KEY UPDATE;
  END IF;
  moment := extract(epoch FROM clock_timestamp()) * 1000;
  IF claimants IS NOT NULL THEN
    live := ARRAY(SELECT id FROM hosts WHERE id = ANY (claimants) AND lease_until > moment);
  END IF;

  IF news IS NOT NULL THEN
    IF keys IS NOT NULL THEN
      INSERT INTO idempotency (tenant, key, request_hash, task)
      SELECT tenant, key, hash, id FROM json_to_recordset(keys) AS k (id text, tenant text, key text, hash text)
      ORDER BY tenant, key ON CONFLICT DO NOTHING;
    END IF;
    WITH made AS (
      INSERT INTO tasks (id, tenant, agent, agent_version, state, priority, created_at, started_at, updated_at, ended_at,
        deadline, epoch, version, owner, last_event, runnable_at, depth, parent_task, parent_step, traceparent, budget,
        metadata, usage, waiting_for, error, output, input, snapshot, plain, first_events)
      SELECT id, tenant, agent, agent_version, CASE WHEN begun THEN state ELSE 'queued' END, priority,
        moment, CASE WHEN begun THEN moment END, moment, CASE WHEN begun AND ended THEN moment END,
        deadline, begun::integer, begun::integer, CASE WHEN begun AND NOT released THEN host END,
        CASE WHEN begun THEN 1 + count ELSE 1 END,
        CASE WHEN NOT begun OR (released AND NOT ended AND wanted) THEN moment END,
        depth, parent_task, parent_step, traceparent, budget, metadata, CASE WHEN begun THEN usage END,
        CASE WHEN begun THEN waiting_for END, CASE WHEN begun THEN error END, CASE WHEN begun THEN output END,
        input, CASE WHEN begun THEN snapshot END, deadline IS NULL, CASE WHEN begun THEN events END
      FROM json_to_recordset(news) AS a (id text, tenant text, agent text, agent_version text, priority text,
        deadline bigint, depth integer, parent_task text, parent_step text, traceparent text, budget text, metadata text,
        input text, key text, host text, released boolean, ended boolean, wanted boolean, state text, count integer,
        events text, snapshot text, waiting_for text, output text, error text, usage text),
        LATERAL (SELECT host IS NOT NULL AND host = ANY (live) AS begun) AS b
      WHERE key IS NULL OR EXISTS (
        SELECT 1 FROM idempotency i WHERE i.tenant = a.tenant AND i.key = a.key AND i.task = a.id)
      ON CONFLICT (id) DO NOTHING
      RETURNING tasks.id, tasks.deadline, tasks.ended_at
    ), timed AS (
      INSERT INTO timers (task, id, due_at)
      SELECT id, 'deadline', deadline FROM made WHERE deadline IS NOT NULL AND ended_at IS NULL
    )
    SELECT array_agg(id), count(*) INTO created, made_count FROM made;
    -- Which ones were made is told only when some were not.
    IF made_count < news_count THEN
      created := coalesce(created, '{}');
      IF in_doubt THEN
        created := created || ${KNOWN_NEWS};
      END IF;
      fresh := to_json(created);
    END IF;
  END IF;

  IF turns IS NOT NULL THEN
    WITH c AS (
      SELECT * FROM json_to_recordset(turns) AS c (
        n integer, id text, epoch integer, version integer, host text, released boolean, ended boolean, wanted boolean,
        state text, mail_read integer, last_event integer, count integer, events text, outcomes text, resnap boolean,
        snapshot text, waiting_for text, output text, error text, usage text)
    ), u AS (
      UPDATE tasks t SET
        epoch = CASE WHEN c.host IS NULL THEN t.epoch ELSE t.epoch + 1 END,
        version = t.version + 1,
        state = c.state,
        owner = CASE WHEN c.released THEN NULL ELSE coalesce(c.host, t.owner) END,
        last_event = c.last_event + c.count,
        mail_read = least(t.mail_position, greatest(t.mail_read, c.mail_read)),
        updated_at = moment,
        started_at = coalesce(t.started_at, moment),
        ended_at = CASE WHEN c.ended THEN moment END,
        runnable_at = CASE
          WHEN c.released AND NOT c.ended AND (c.wanted OR t.mail_position > greatest(t.mail_read, c.mail_read))
          THEN moment END,
        waiting_for = c.waiting_for,
        snapshot = CASE WHEN c.resnap THEN c.snapshot ELSE t.snapshot END,
        output = coalesce(c.output, t.output),
        error = coalesce(c.error, t.error),
        usage = coalesce(c.usage, t.usage)
      FROM c
      WHERE t.id = c.id AND t.epoch = c.epoch AND t.version = c.version
        -- A claim takes what nobody owns and has not ended, under a lease; any other commit is made by the owner.
        AND CASE WHEN c.host IS NULL THEN t.owner IS NOT NULL
          ELSE t.owner IS NULL AND t.ended_at IS NULL AND c.host = ANY (live) END
        ${UNLESS_TAKEN}
      RETURNING c.n, t.id, t.epoch, t.version, t.last_event, t.mail_position, t.runnable_at IS NOT NULL AS runnable,
        c.ended AND (NOT t.plain OR t.mail_position > 0 OR t.id = ANY (holders)) AS holding, t.state, c.count, c.events,
        c.outcomes
    ), l AS (
      INSERT INTO log (task, first_number, at, bodies, outcomes)
      SELECT id, last_event - count + 1, moment, events, outcomes FROM u WHERE count > 0
    )
    SELECT string_agg(concat_ws(',', n, epoch, version, last_event, mail_position, runnable::integer), ','), array_agg(n),
      array_agg(id) FILTER (WHERE holding), array_agg(id) FILTER (WHERE holding AND state = 'completed')
    INTO turned, applied, ended_tasks, completed_tasks FROM u;
    applied := coalesce(applied, '{}');
  END IF;

  IF records IS NOT NULL THEN
    WITH c AS (
      SELECT * FROM json_to_recordset(records) AS c (n integer, id text, epoch integer, version integer,
        last_event integer, count integer, events text, outcomes text, snapshot text)
    ), u AS (
      UPDATE tasks t SET version = t.version + 1, state = 'running', last_event = c.last_event + c.count,
        updated_at = moment, waiting_for = NULL, snapshot = coalesce(c.snapshot, t.snapshot)
      -- Not "owner IS NOT NULL": on a table that was empty when the plan was made, the index of owned tasks would look as
      -- good as the one of ids, and be scanned whole for as long as the plan lives.
      FROM c WHERE t.id = c.id AND t.epoch = c.epoch AND t.version = c.version
        AND CASE WHEN t.owner IS NULL THEN false ELSE true END
        ${UNLESS_TAKEN}
      RETURNING c.n, t.id, t.epoch, t.version, t.last_event, t.mail_position, c.count, c.events, c.outcomes
    ), l AS (
      INSERT INTO log (task, first_number, at, bodies, outcomes)
      SELECT id, last_event - count + 1, moment, events, outcomes FROM u WHERE count > 0
    )
    SELECT string_agg(concat_ws(',', n, epoch, version, last_event, mail_position, 0), ','), array_agg(n)
    INTO recorded, noted FROM u;
    noted := coalesce(noted, '{}');
  END IF;

  IF entries IS NOT NULL THEN
    WITH c AS (
      SELECT c.*, t.mail_position, t.state <> 'running' OR t.waiting_for IS NOT NULL AS rested
      FROM json_to_recordset(entries) AS c (n integer, id text, epoch integer, version integer, last_event integer,
        count integer, events text, outcomes text)
      JOIN tasks t ON t.id = c.id AND t.epoch = c.epoch AND t.version = c.version
        AND CASE WHEN t.owner IS NULL THEN false ELSE true END
        ${UNLESS_TAKEN}
    ), l AS (
      INSERT INTO log (task, first_number, at, bodies, outcomes)
      SELECT id, last_event + 1, moment, events, outcomes FROM c
    )
    SELECT string_agg(concat_ws(',', n, epoch, version, last_event + count, mail_position, 0), ','), array_agg(n),
      array_agg(id) FILTER (WHERE rested)
    INTO entered, added, resumed FROM c;
    added := coalesce(added, '{}');
    IF resumed IS NOT NULL THEN
      UPDATE tasks SET state = 'running', waiting_for = NULL WHERE id = ANY (resumed) AND owner IS NOT NULL;
    END IF;
  END IF;

  IF cardinality(applied) < turn_count OR cardinality(noted) < record_count OR cardinality(added) < entry_count THEN
    IF in_doubt THEN
      ${KNOWN_COMMITS}
      known := coalesce(known, '{}');
      moment := coalesce(known_at, moment);
    END IF;
    SELECT json_agg(json_build_array(c.n,
      CASE WHEN t.id IS NULL THEN 'unknown_task' WHEN t.ended_at IS NOT NULL THEN 'ended'
        WHEN c.host IS NOT NULL AND c.host <> ALL (live) THEN 'lease' ELSE 'epoch' END))
    INTO refused_rows
    FROM (
      SELECT * FROM json_to_recordset(coalesce(turns, '[]')) AS c (n integer, id text, host text)
      WHERE n <> ALL (applied) AND n <> ALL (known)
      UNION ALL
      SELECT * FROM json_to_recordset(coalesce(records, '[]')) AS c (n integer, id text, host text)
      WHERE n <> ALL (noted) AND n <> ALL (known)
      UNION ALL
      SELECT * FROM json_to_recordset(coalesce(entries, '[]')) AS c (n integer, id text, host text)
      WHERE n <> ALL (added) AND n <> ALL (known)
    ) c LEFT JOIN tasks t ON t.id = c.id;
  END IF;

  IF children IS NOT NULL THEN
    WITH made AS (
      INSERT INTO tasks (id, tenant, agent, agent_version, state, priority, created_at, updated_at, runnable_at, deadline,
        depth, parent_task, parent_step, traceparent, budget, metadata, input, plain)
      SELECT id, tenant, agent, agent_version, 'queued', priority, moment, moment, moment, deadline,
        depth, parent_task, parent_step, traceparent, budget, metadata, input, deadline IS NULL
      FROM json_to_recordset(children) AS a (c integer, id text, tenant text, agent text, agent_version text,
        priority text, deadline bigint, depth integer, parent_task text, parent_step text, traceparent text,
        budget text, metadata text, input text)
      WHERE c = ANY (applied)
      ON CONFLICT (id) DO NOTHING
      RETURNING id, tasks.deadline
    )
    INSERT INTO timers (task, id, due_at) SELECT id, 'deadline', deadline FROM made WHERE deadline IS NOT NULL;
  END IF;

  IF labelled IS NOT NULL THEN
    INSERT INTO labels (whose, label, accepted_at, task) ${LABELS_OF_TASKS} WHERE id = ANY (labelled)
    ON CONFLICT DO NOTHING;
  END IF;

  IF letters IS NOT NULL THEN
    letter_rows := deliver_1(letters, applied, moment);
  END IF;

  IF apart IS NOT NULL THEN
    INSERT INTO outcomes (task, step, outcome, number)
    SELECT task, step, outcome, last_event FROM json_to_recordset(apart) AS o (c integer, task text, step text, outcome text)
    JOIN tasks t ON t.id = o.task WHERE c = ANY (applied) ON CONFLICT DO NOTHING;
  END IF;

  IF alarms IS NOT NULL THEN
    DELETE FROM timers USING json_to_recordset(alarms) AS a (c integer, task text, id text, ms bigint)
    WHERE timers.task = a.task AND timers.id = a.id AND a.ms IS NULL AND a.c = ANY (applied);
    INSERT INTO timers (task, id, due_at)
    SELECT task, id, moment + ms FROM json_to_recordset(alarms) AS a (c integer, task text, id text, ms bigint)
    WHERE ms IS NOT NULL AND c = ANY (applied)
    ON CONFLICT (task, id) DO UPDATE SET due_at = excluded.due_at;
  END IF;

  IF named IS NOT NULL THEN
    INSERT INTO value_references (task, slot, sha256)
    SELECT DISTINCT ON (task, slot) task, slot, sha256
    FROM json_to_recordset(named) AS v (c integer, task text COLLATE "C", slot text, sha256 text)
    WHERE (c IS NULL OR c = ANY (applied)) AND EXISTS (SELECT 1 FROM tasks WHERE tasks.id = v.task)
    ON CONFLICT (task, slot) DO UPDATE SET sha256 = excluded.sha256 WHERE value_references.slot <> 'input';
  END IF;

  IF holders IS NOT NULL THEN
    UPDATE tasks SET plain = false WHERE id = ANY (holders) AND plain;
  END IF;

  IF ended_tasks IS NOT NULL THEN
    WITH t AS (DELETE FROM timers WHERE task = ANY (ended_tasks)), m AS (DELETE FROM mail WHERE task = ANY (ended_tasks)),
      o AS (DELETE FROM outcomes WHERE task = ANY (completed_tasks))
    DELETE FROM value_references WHERE task = ANY (completed_tasks)
      AND slot NOT IN (${LASTING_SLOTS.map((slot) => `'${slot}'`).join(', ')});
  END IF;

  result := concat('{"at":', moment, ',"commits":[', concat_ws(',', turned, recorded, entered, recognised),
    '],"live":', to_json(live), ',"fresh":', coalesce(fresh::text, 'null'),
    ',"refused":', coalesce(refused_rows::text, 'null'), ',"letters":', coalesce(letter_rows::text, 'null'), '}');
  UPDATE lanes SET flush = flush_number, answer = result, at = moment WHERE id = lane_id AND flush < flush_number;
  IF NOT FOUND THEN
    -- The lane's first flush, or the row was forgotten while the lane had nothing to do. What comes too late, after it was
    -- asked again, finds a higher number: then all of it is undone.
    INSERT INTO lanes (id, flush, answer, at) VALUES (lane_id, flush_number, result, moment);
  END IF;
  RETURN result;
END $body$;
`
