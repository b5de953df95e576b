// The functions below apply-function.ts and beside it: delivering mail, firing timers, finding orphans.
import { MAX_MAILBOX, MAX_OWNER_DEATHS } from '../../contract/limits.ts'
import { CAME_FURTHER, DEADLINE_TIMER } from '../rules.ts'
import { CURRENT_TASKS } from './newest.ts'

/** The store's clock, in milliseconds: the moment of the call, not of the transaction's begin. */
export const MOMENT = `
CREATE FUNCTION moment_1() RETURNS bigint LANGUAGE sql VOLATILE AS
  $body$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint $body$;
`

/**
 * Puts letters into mailboxes. The caller has locked the receivers, so positions and duplicates are judged on what is
 * true; `c` names the commit a letter belongs to, and letters of a refused commit are not sent.
 */
export const DELIVER = `
CREATE FUNCTION deliver_1(letters json, applied integer[], moment bigint) RETURNS json LANGUAGE plpgsql AS $body$
DECLARE
  letter_rows json;
BEGIN
  WITH arrived AS (
    SELECT m.place, m.n, m.receiver, m.id, m.sender, m.body, m.event,
      (t.id IS NULL OR m.tenant <> t.tenant) AS unknown, t.tenant, t.agent, t.agent_version, t.priority, t.epoch,
      t.owner, t.ended_at, t.mail_position, t.mail_read,
      EXISTS (SELECT 1 FROM mail WHERE mail.task = m.receiver AND mail.message_id = m.id) AS known,
      row_number() OVER (PARTITION BY m.receiver, m.id ORDER BY m.place) AS copy
    FROM ROWS FROM (json_to_recordset(letters) AS (
      n integer, c integer, receiver text, tenant text, id text, sender text, body text, event boolean
    )) WITH ORDINALITY AS m (n, c, receiver, tenant, id, sender, body, event, place)
    LEFT JOIN tasks t ON t.id = m.receiver
    WHERE m.c IS NULL OR m.c = ANY (applied)
  ), judged AS (
    SELECT *, CASE
      WHEN unknown THEN 'unknown_task'
      WHEN ended_at IS NOT NULL THEN 'ended'
      WHEN known OR copy > 1 THEN 'duplicate'
      WHEN event AND mail_position - mail_read >= ${MAX_MAILBOX} THEN 'mailbox_full'
      ELSE 'new' END AS verdict
    FROM arrived
  ), placed AS (
    SELECT *, mail_position + row_number() OVER (PARTITION BY receiver ORDER BY place) AS position
    FROM judged WHERE verdict = 'new'
  ), put AS (
    INSERT INTO mail (task, position, message_id, sender, body)
    SELECT receiver, position, id, sender, body FROM placed
  ), woken AS (
    UPDATE tasks t SET mail_position = p.position,
      runnable_at = CASE WHEN t.owner IS NULL THEN coalesce(t.runnable_at, moment) END
    FROM (SELECT receiver, max(position) AS position FROM placed GROUP BY receiver) p WHERE t.id = p.receiver
  )
  SELECT json_agg(json_build_array(n, verdict, receiver, tenant, agent, agent_version, priority, epoch, owner) ORDER BY place)
  INTO letter_rows FROM judged;
  RETURN letter_rows;
END $body$;
`

/** Due timers become mail. Tasks that others hold are passed over: their timers stay due for the next look. */
export const FIRE_TIMERS = `
CREATE FUNCTION fire_timers_1(most integer) RETURNS json LANGUAGE plpgsql AS $body$
DECLARE
  moment bigint := moment_1();
  due text[];
  letters json;
BEGIN
  SELECT array_agg(DISTINCT task) INTO due
  FROM (SELECT task FROM timers WHERE due_at <= moment ORDER BY due_at LIMIT most) t;
  IF due IS NULL THEN
    RETURN NULL;
  END IF;
  due := ARRAY(SELECT id FROM tasks WHERE id = ANY (due) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED);
  WITH fired AS (
    DELETE FROM timers WHERE task = ANY (due) AND due_at <= moment RETURNING task, id, due_at
  )
  -- A timer set anew under its old id is another firing, even in the same millisecond: the mailbox has grown since.
  SELECT json_agg(json_build_object('n', 0, 'receiver', task, 'sender', 'timer', 'event', false,
    'id', concat_ws(':', 'timer', fired.id, due_at, mail_position),
    'body', CASE WHEN fired.id = '${DEADLINE_TIMER}' THEN '{"kind":"deadline"}'
      ELSE json_build_object('kind', 'timer', 'timerId', fired.id)::text END) ORDER BY due_at)
  INTO letters FROM fired JOIN tasks ON tasks.id = fired.task;
  IF letters IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN deliver_1(letters, '{}', moment);
END $body$;
`

/**
 * A death is a row of its own in the log. The text is compared, where each body begins with its type: of a body that has
 * a \u0000 anywhere Postgres reads nothing.
 */
const FORGETS = `EXISTS (
      SELECT 1 FROM (
        SELECT log.first_number, log.at FROM log
        WHERE log.task = task.id AND bodies LIKE '[{"type" : "task.owner_lost"%'
        ORDER BY log.first_number DESC LIMIT 1) AS death
      WHERE death.at <= moment - forgotten_ms AND EXISTS (
        SELECT 1 FROM log, json_array_elements(bodies::json) AS body
        WHERE log.task = task.id AND log.first_number > death.first_number
          AND body::text LIKE ANY (ARRAY[${CAME_FURTHER.map((type) => `'{"type":"${type}"%'`).join(', ')}])))`

/**
 * Tasks whose host's lease ended lose their owner. Found first and locked after, by plain columns: a lock that waited
 * would recheck a subquery on hosts with the old snapshot, and take a task from a host that had just claimed it.
 *
 * What says so in the log has the number that the late owner would write next, and keeps it out from then on (P2): an entry
 * of its own is fenced by nothing else. One that it writes at this moment is waited for by the key, and comes before.
 */
export const TAKE_OVER = `
CREATE FUNCTION take_over_6(unclaimed_ms bigint, most integer, forgotten_ms bigint) RETURNS json LANGUAGE plpgsql AS $body$
DECLARE
  moment bigint := moment_1();
  wakes json[] := '{}';
  orphan record;
  task tasks%ROWTYPE;
  deaths integer;
  failure json;
  said json[];
  last integer;
  letters json;
BEGIN
  WITH named AS (
    UPDATE tasks SET runnable_at = moment WHERE id IN (
      SELECT id FROM tasks WHERE runnable_at <= moment - unclaimed_ms ORDER BY runnable_at LIMIT most
      FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING id, tenant, agent, agent_version, priority, epoch
  )
  SELECT array_agg(json_build_array(id, tenant, agent, agent_version, priority, epoch)) INTO wakes FROM named;
  wakes := coalesce(wakes, '{}');

  FOR orphan IN
    SELECT id, owner, epoch FROM tasks
    WHERE owner IS NOT NULL AND owner NOT IN (SELECT h.id FROM hosts h WHERE h.lease_until > moment)
    ORDER BY id LIMIT most
  LOOP
    SELECT * INTO task FROM tasks t WHERE t.id = orphan.id AND t.owner = orphan.owner AND t.epoch = orphan.epoch
    FOR NO KEY UPDATE SKIP LOCKED;
    CONTINUE WHEN task.id IS NULL;
    deaths := CASE WHEN task.owner_deaths > 0 AND ${FORGETS} THEN 1 ELSE task.owner_deaths + 1 END;
    said := ARRAY[json_build_object('type', 'task.owner_lost', 'host', task.owner, 'deaths', deaths)];
    IF deaths >= ${MAX_OWNER_DEATHS} THEN
      failure := json_build_object('code', 'task_poisoned', 'message',
        deaths || ' hosts died while they ran ' || task.id, 'detail', json_build_object('taskId', task.id, 'deaths', deaths));
      said := said || json_build_object('type', 'task.failed', 'error', failure);
    END IF;
    LOOP
      SELECT greatest(tasks.last_event, newest.last_event) INTO last FROM ${CURRENT_TASKS} WHERE tasks.id = task.id;
      INSERT INTO log (task, first_number, at, bodies) VALUES (task.id, last + 1, moment, array_to_json(said))
      ON CONFLICT DO NOTHING;
      EXIT WHEN FOUND;
    END LOOP;
    IF deaths < ${MAX_OWNER_DEATHS} THEN
      UPDATE tasks t SET owner = NULL, epoch = t.epoch + 1, owner_deaths = deaths, last_event = last + 1,
        updated_at = moment, runnable_at = moment WHERE t.id = task.id;
      wakes := wakes || json_build_array(task.id, task.tenant, task.agent, task.agent_version, task.priority, task.epoch + 1);
      CONTINUE;
    END IF;
    UPDATE tasks t SET owner = NULL, epoch = t.epoch + 1, owner_deaths = deaths, last_event = last + 2,
      updated_at = moment, ended_at = moment, state = 'failed', error = failure, waiting_for = NULL, runnable_at = NULL,
      mail_read = t.mail_position WHERE t.id = task.id;
    DELETE FROM mail m WHERE m.task = task.id;
    DELETE FROM timers m WHERE m.task = task.id;
    CONTINUE WHEN task.parent_task IS NULL;
    PERFORM 1 FROM tasks t WHERE t.id = task.parent_task FOR NO KEY UPDATE;
    letters := deliver_1(json_build_array(json_build_object('n', 0, 'receiver', task.parent_task,
      'id', 'reply:' || task.id, 'sender', task.id, 'event', false,
      'body', json_build_object('kind', 'reply', 'stepId', task.parent_step, 'invocation', 0, 'childId', task.id,
        'outcome', json_build_object('ok', false, 'error', failure), 'state', 'failed')::text)), '{}', moment);
    IF letters -> 0 ->> 1 = 'new' THEN
      wakes := wakes || json_build_array(letters -> 0 -> 2, letters -> 0 -> 3, letters -> 0 -> 4, letters -> 0 -> 5,
        letters -> 0 -> 6, letters -> 0 -> 7, letters -> 0 -> 8);
    END IF;
  END LOOP;
  RETURN array_to_json(wakes);
END $body$;
`
