// The hot path: one call applies everything that a lane gathered, in one transaction and one round trip.
//
// A function, not one statement of many CTEs, for correctness: each statement inside sees what was committed before it
// began, so after the rows are locked, positions, duplicates and fences are judged on what is true now. A single
// statement would judge by the state before it waited for the locks. Each statement works on all rows at once.
//
// Rows are locked in the order of their ids, so two flushes cannot wait for each other in a circle.

import { LASTING_SLOTS } from '../references.ts'

/** (lane, flush, touched, news, commits, letters, outcomes, alarms, named) → { at, commits, refused, created, letters } */
export const APPLY = `
CREATE FUNCTION apply_2(
  lane_id text, flush_number bigint, touched text[],
  news json, commits json, letters json, outcomes json, alarms json, named json
) RETURNS text LANGUAGE plpgsql AS $body$
DECLARE
  moment bigint;
  last_flush bigint;
  result text;
  applied integer[] := '{}';
  live text[];
  ended text[];
  completed text[];
  commit_rows json;
  refused_rows json;
  created_rows json;
  letter_rows json;
BEGIN
  -- Asked again because the answer was lost: the answer is here, and nothing is done twice.
  SELECT flush, answer INTO last_flush, result FROM lanes WHERE id = lane_id FOR UPDATE;
  IF NOT FOUND THEN
    -- Waits here if the lost connection is still at work on the lane's very first flush.
    INSERT INTO lanes (id, flush, at) VALUES (lane_id, 0, 0) ON CONFLICT DO NOTHING;
    SELECT flush, answer INTO last_flush, result FROM lanes WHERE id = lane_id FOR UPDATE;
  END IF;
  IF last_flush = flush_number THEN
    RETURN result;
  END IF;

  IF touched IS NOT NULL THEN
    PERFORM 1 FROM tasks WHERE id = ANY (touched) ORDER BY id FOR NO KEY UPDATE;
  END IF;
  moment := moment_1();

  IF commits IS NOT NULL THEN
    live := ARRAY(SELECT id FROM hosts WHERE lease_until > moment);
    WITH c AS (
      SELECT * FROM json_to_recordset(commits) AS c (
        n integer, id text, epoch integer, version integer, host text, released boolean, ended boolean, wanted boolean,
        state text, mail_read integer, count integer, events text, resnap boolean, snapshot text, waiting_for text,
        output text, error text, usage text)
    ), u AS (
      UPDATE tasks t SET
        epoch = CASE WHEN c.host IS NULL THEN t.epoch ELSE t.epoch + 1 END,
        version = t.version + 1,
        state = c.state,
        owner = CASE WHEN c.released THEN NULL ELSE coalesce(c.host, t.owner) END,
        last_event = t.last_event + c.count,
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
      RETURNING c.n, t.id, t.epoch, t.version, t.last_event, t.mail_position, t.runnable_at IS NOT NULL AS runnable,
        c.ended, t.state, c.count, c.events
    ), l AS (
      INSERT INTO log (task, first_number, at, bodies)
      SELECT id, last_event - count + 1, moment, events FROM u WHERE count > 0
    )
    SELECT json_agg(json_build_array(n, epoch, version, last_event, mail_position, runnable)), array_agg(n),
      array_agg(id) FILTER (WHERE u.ended), array_agg(id) FILTER (WHERE state = 'completed')
    INTO commit_rows, applied, ended, completed FROM u;
    applied := coalesce(applied, '{}');

    IF cardinality(applied) < json_array_length(commits) THEN
      SELECT json_agg(json_build_array(c.n,
        CASE WHEN t.id IS NULL THEN 'unknown_task' WHEN t.ended_at IS NOT NULL THEN 'ended'
          WHEN c.host <> ALL (live) THEN 'lease' ELSE 'epoch' END))
      INTO refused_rows
      FROM json_to_recordset(commits) AS c (n integer, id text, host text) LEFT JOIN tasks t ON t.id = c.id
      WHERE c.n <> ALL (applied);
    END IF;
  END IF;

  IF news IS NOT NULL THEN
    INSERT INTO idempotency (tenant, key, request_hash, task)
    SELECT tenant, key, hash, id FROM json_to_recordset(news) AS a (id text, tenant text, key text, hash text)
    WHERE key IS NOT NULL ORDER BY tenant, key ON CONFLICT DO NOTHING;

    WITH created AS (
      INSERT INTO tasks (id, tenant, agent, agent_version, state, priority, created_at, updated_at, runnable_at, deadline,
        depth, parent_task, parent_step, traceparent, budget, metadata, input)
      SELECT id, tenant, agent, agent_version, 'queued', priority, moment, moment, moment, deadline,
        depth, parent_task, parent_step, traceparent, budget, metadata, input
      FROM json_to_recordset(news) AS a (c integer, id text, tenant text, agent text, agent_version text, priority text,
        deadline bigint, depth integer, parent_task text, parent_step text, traceparent text, budget text,
        metadata text, input text, key text)
      WHERE (c IS NULL OR c = ANY (applied)) AND (key IS NULL OR EXISTS (
        SELECT 1 FROM idempotency i WHERE i.tenant = a.tenant AND i.key = a.key AND i.task = a.id))
      ON CONFLICT (id) DO NOTHING
      RETURNING id, tasks.deadline
    ), timed AS (
      INSERT INTO timers (task, id, due_at) SELECT id, 'deadline', deadline FROM created WHERE deadline IS NOT NULL
    )
    SELECT json_agg(id) INTO created_rows FROM created;
  END IF;

  IF letters IS NOT NULL THEN
    letter_rows := deliver_1(letters, applied, moment);
  END IF;

  IF outcomes IS NOT NULL THEN
    INSERT INTO steps (task, step, outcome)
    SELECT task, step, outcome FROM json_to_recordset(outcomes) AS o (c integer, task text, step text, outcome text)
    WHERE c = ANY (applied) ON CONFLICT DO NOTHING;
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

  IF ended IS NOT NULL THEN
    DELETE FROM timers WHERE task = ANY (ended);
    DELETE FROM mail WHERE task = ANY (ended);
    DELETE FROM steps WHERE task = ANY (completed);
    DELETE FROM value_references WHERE task = ANY (completed)
      AND slot NOT IN (${LASTING_SLOTS.map((slot) => `'${slot}'`).join(', ')});
  END IF;

  result := json_build_object('at', moment, 'commits', commit_rows, 'refused', refused_rows, 'created', created_rows,
    'letters', letter_rows);
  UPDATE lanes SET flush = flush_number, answer = result, at = moment WHERE id = lane_id;
  RETURN result;
END $body$;
`
