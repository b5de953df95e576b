// Labels of tasks, as a table that is searched, and the notices of poisoned tasks: what migrations add beside the
// functions of the hot path.
import { CALLBACK_EVENTS, DELIVERY_LABEL, WEBHOOK_AGENT } from '../../contract/callbacks.ts'
import { MAX_OWNER_DEATHS } from '../../contract/limits.ts'

const FAILED = CALLBACK_EVENTS.find((event) => event === 'task.failed')!

/** The second place of what is attached (../attached.ts) holds the labels. */
export const LABELS = `
CREATE TABLE labels (
  whose text COLLATE "C" NOT NULL,
  label text COLLATE "C" NOT NULL,
  accepted_at bigint NOT NULL,
  task text COLLATE "C" NOT NULL,
  PRIMARY KEY (whose, label, accepted_at, task)
);
CREATE FUNCTION unlabel_4() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  DELETE FROM labels USING json_each_text(OLD.metadata::json -> 1) AS l
  WHERE whose = OLD.tenant AND label = l.key || ':' || l.value AND accepted_at = OLD.created_at AND task = OLD.id;
  RETURN NULL;
END $body$;
CREATE TRIGGER tasks_unlabelled AFTER DELETE ON tasks FOR EACH ROW
  WHEN (OLD.metadata LIKE '[%') EXECUTE FUNCTION unlabel_4();
`

/** The rows of `labels` that belong to tasks. To be followed by a condition on the tasks. */
export const LABELS_OF_TASKS = `
    SELECT tenant, key || ':' || value, created_at, id FROM tasks, json_each_text(metadata::json -> 1)`

/**
 * Who inserts tasks writes their labels with them. A trigger costs each statement that inserts a task 20 to 30 µs, labelled
 * or not: Postgres reads its condition anew each time. A host of an earlier version would leave
 * labels out: it finds none of its functions.
 */
export const LABELLED_WITH_THE_ROW = `
  DROP FUNCTION IF EXISTS label_4 CASCADE;
  DROP FUNCTION IF EXISTS apply_5;
  DROP FUNCTION IF EXISTS find_orphans_5;
  DROP FUNCTION IF EXISTS take_over_5;
`

/**
 * As take_over_6; in the same transaction the callbacks of what it poisoned get their notices, as ../notices.ts makes
 * them. They are runnable, and offered by the next look.
 */
export const NOTICE_POISONED = `
CREATE FUNCTION find_orphans_6(unclaimed_ms bigint, most integer, forgotten_ms bigint) RETURNS json LANGUAGE plpgsql AS $body$
DECLARE
  doomed text[];
  notices text[];
  wakes json;
BEGIN
  doomed := ARRAY(SELECT id FROM tasks
    WHERE owner IS NOT NULL AND owner_deaths >= ${MAX_OWNER_DEATHS - 1} AND metadata LIKE '[%');
  wakes := take_over_6(unclaimed_ms, most, forgotten_ms);
  IF doomed <> '{}' THEN
    WITH made AS (
      INSERT INTO tasks (id, tenant, agent, agent_version, state, priority, created_at, updated_at, runnable_at, depth,
        traceparent, metadata, input)
      SELECT left(t.id, 15) || left(encode(sha256(convert_to(concat_ws(':', t.id, t.last_event, c.place - 1), 'UTF8')), 'hex'), 16),
        t.tenant, '${WEBHOOK_AGENT.name}', '${WEBHOOK_AGENT.version}', 'queued', t.priority, t.ended_at, t.ended_at, t.ended_at,
        t.depth + 1, t.traceparent, json_build_array(NULL, json_build_object('${DELIVERY_LABEL}', t.id), json_build_array())::text,
        json_build_object('task', t.id, 'number', t.last_event, 'event', '${FAILED}', 'callback', c.place - 1)::text
      FROM tasks t, json_array_elements(t.metadata::json -> 2) WITH ORDINALITY AS c (callback, place)
      WHERE t.id = ANY (doomed) AND t.state = 'failed' AND t.owner_deaths >= ${MAX_OWNER_DEATHS}
        AND (c.callback -> 'events' IS NULL OR c.callback ->> 'events' LIKE '%"${FAILED}"%')
      ON CONFLICT (id) DO NOTHING RETURNING id
    ) SELECT array_agg(id) INTO notices FROM made;
    INSERT INTO labels (whose, label, accepted_at, task) ${LABELS_OF_TASKS} WHERE id = ANY (notices);
  END IF;
  RETURN wakes;
END $body$;
`
