// Labels of tasks, as an index that Postgres keeps by itself, and the notices of poisoned tasks: what the fourth
// migration and the fifth add beside the functions of the hot path.
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
CREATE FUNCTION label_4() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO labels (whose, label, accepted_at, task)
  SELECT NEW.tenant, key || ':' || value, NEW.created_at, NEW.id FROM json_each_text(NEW.metadata::json -> 1);
  RETURN NULL;
END $body$;
CREATE FUNCTION unlabel_4() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  DELETE FROM labels USING json_each_text(OLD.metadata::json -> 1) AS l
  WHERE whose = OLD.tenant AND label = l.key || ':' || l.value AND accepted_at = OLD.created_at AND task = OLD.id;
  RETURN NULL;
END $body$;
CREATE TRIGGER tasks_labelled AFTER INSERT ON tasks FOR EACH ROW
  WHEN (NEW.metadata LIKE '[%') EXECUTE FUNCTION label_4();
CREATE TRIGGER tasks_unlabelled AFTER DELETE ON tasks FOR EACH ROW
  WHEN (OLD.metadata LIKE '[%') EXECUTE FUNCTION unlabel_4();
`

/**
 * As take_over_5; in the same transaction the callbacks of what it poisoned get their notices, as ../notices.ts makes
 * them. They are runnable, and offered by the next look.
 */
export const NOTICE_POISONED = `
CREATE FUNCTION find_orphans_5(unclaimed_ms bigint, most integer) RETURNS json LANGUAGE plpgsql AS $body$
DECLARE
  doomed text[];
  wakes json;
BEGIN
  doomed := ARRAY(SELECT id FROM tasks
    WHERE owner IS NOT NULL AND owner_deaths >= ${MAX_OWNER_DEATHS - 1} AND metadata LIKE '[%');
  wakes := take_over_5(unclaimed_ms, most);
  IF doomed <> '{}' THEN
    INSERT INTO tasks (id, tenant, agent, agent_version, state, priority, created_at, updated_at, runnable_at, depth,
      traceparent, metadata, input)
    SELECT left(t.id, 15) || left(encode(sha256(convert_to(concat_ws(':', t.id, t.last_event, c.place - 1), 'UTF8')), 'hex'), 16),
      t.tenant, '${WEBHOOK_AGENT.name}', '${WEBHOOK_AGENT.version}', 'queued', t.priority, t.ended_at, t.ended_at, t.ended_at,
      t.depth + 1, t.traceparent, json_build_array(NULL, json_build_object('${DELIVERY_LABEL}', t.id), json_build_array())::text,
      json_build_object('task', t.id, 'number', t.last_event, 'event', '${FAILED}', 'callback', c.place - 1)::text
    FROM tasks t, json_array_elements(t.metadata::json -> 2) WITH ORDINALITY AS c (callback, place)
    WHERE t.id = ANY (doomed) AND t.state = 'failed' AND t.owner_deaths >= ${MAX_OWNER_DEATHS}
      AND (c.callback -> 'events' IS NULL OR c.callback ->> 'events' LIKE '%"${FAILED}"%')
    ON CONFLICT (id) DO NOTHING;
  END IF;
  RETURN wakes;
END $body$;
`
