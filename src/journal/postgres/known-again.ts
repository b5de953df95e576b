// Asked again, and the first time it was a lone statement (lone.ts), which keeps no answer in its lane: what it did is
// recognised by what it wrote. A number of the log is written once, and under it stand the very events and outcomes that are
// asked for now.
//
// All are parts of the function in apply-function.ts, and use its parameters and variables.

/**
 * The log's key refuses a number that is taken, and with it the whole flight. It is asked again then, and this tells the
 * commit that came too late from the others.
 */
export const UNLESS_TAKEN = `AND (NOT again OR NOT EXISTS (
          SELECT 1 FROM log WHERE log.task = c.id AND log.first_number > c.last_event))`

/** Those of `news` that are there already, and begun as asked. */
export const KNOWN_NEWS = `ARRAY(
          SELECT a.id FROM json_to_recordset(news) AS a (id text, tenant text, agent text, agent_version text, input text,
            key text, host text, events text)
          JOIN tasks t ON t.id = a.id AND t.tenant = a.tenant AND t.agent = a.agent
            AND t.agent_version = a.agent_version AND t.input = a.input
          WHERE a.key IS NULL AND a.id <> ALL (created)
            AND (a.host IS NULL OR t.epoch = 1 AND t.version = 1 AND t.first_events = a.events))`

/** What of `turns`, `records` and `entries` is written already is told as applied; nothing of it is done again. */
export const KNOWN_COMMITS = `
      SELECT string_agg(concat_ws(',', c.n, t.epoch, t.version, c.last_event + c.count, t.mail_position,
        (t.runnable_at IS NOT NULL)::integer), ','), array_agg(c.n), max(l.at)
      INTO recognised, known, known_at
      FROM (
        SELECT *, 1 AS grown FROM json_to_recordset(coalesce(turns, '[]')) AS r (n integer, id text, epoch integer,
          version integer, last_event integer, host text, count integer, events text, outcomes text)
        UNION ALL
        SELECT *, 1 FROM json_to_recordset(coalesce(records, '[]')) AS r (n integer, id text, epoch integer,
          version integer, last_event integer, host text, count integer, events text, outcomes text)
        UNION ALL
        SELECT *, 0 FROM json_to_recordset(coalesce(entries, '[]')) AS r (n integer, id text, epoch integer,
          version integer, last_event integer, host text, count integer, events text, outcomes text)
      ) c
      JOIN tasks t ON t.id = c.id AND t.epoch = c.epoch + (c.host IS NOT NULL)::integer AND t.version = c.version + c.grown
      JOIN log l ON l.task = t.id AND l.first_number = c.last_event + 1 AND l.bodies = c.events
        AND l.outcomes IS NOT DISTINCT FROM c.outcomes
      WHERE c.n <> ALL (applied) AND c.n <> ALL (noted) AND c.n <> ALL (added);`
