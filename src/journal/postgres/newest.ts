// How far a task has come. A commit that only adds to the log leaves the task's row as it was (ADR 22): until the task
// ends, the log knows better than the row when something happened last, and what its number was.

/** The newest row of a task's log, of one that has not ended. */
export const NEWEST = `(
  SELECT first_number + json_array_length(bodies::json) - 1 AS last_event, at AS updated_at
  FROM log WHERE log.task = tasks.id AND tasks.ended_at IS NULL ORDER BY first_number DESC LIMIT 1) AS newest`

/** FROM this, the columns of `tasks` are read by `current`. */
export const CURRENT_TASKS = `tasks LEFT JOIN LATERAL ${NEWEST} ON true`

export function current(columns: string): string {
  return columns.replaceAll(
    /\b(?:last_event|updated_at)\b/g,
    (name) => `greatest(tasks.${name}, newest.${name}) AS ${name}`,
  )
}
