// Tables, as numbered forward-only migrations under an advisory lock, so that many hosts may start at once. A migration
// only adds (expand); what old hosts still use is dropped by a later release (contract), or at once where an old host would
// do wrong with it. Functions carry the number of the migration that made them: a host calls the ones it was built with, and
// ends when they are gone (boot/host.ts). Its next look for orphans tells it, within about a second; until then the statements
// of lone commits, which call no function, go on. Where even that would be wrong, what they write to needs another name.
import type pg from 'pg'
import { TroupeError } from '../../contract/errors.ts'
import { APPLY } from './apply-function.ts'
import { ERASED } from './erasing.ts'
import { LABELLED_WITH_THE_ROW, LABELS, NOTICE_POISONED } from './labels.ts'
import { DELIVER, FIRE_TIMERS, MOMENT, TAKE_OVER } from './sweep-functions.ts'

// `text` for JSON: jsonb refuses \u0000 and re-orders keys. COLLATE "C" keeps ids in byte order and comparisons cheap.
const TABLES = `
  CREATE TABLE tasks (
    id text COLLATE "C" PRIMARY KEY,
    tenant text NOT NULL,
    agent text NOT NULL,
    agent_version text NOT NULL,
    state text NOT NULL,
    priority text NOT NULL,
    created_at bigint NOT NULL,
    started_at bigint,
    updated_at bigint NOT NULL,
    ended_at bigint,
    deadline bigint,
    epoch integer NOT NULL DEFAULT 0,
    version integer NOT NULL DEFAULT 0,
    owner text,
    owner_deaths integer NOT NULL DEFAULT 0,
    last_event integer NOT NULL DEFAULT 1,
    mail_position integer NOT NULL DEFAULT 0,
    mail_read integer NOT NULL DEFAULT 0,
    -- since when the task wants a host and has none
    runnable_at bigint,
    depth integer NOT NULL,
    parent_task text COLLATE "C",
    parent_step text,
    traceparent text,
    budget text,
    metadata text,
    usage text,
    waiting_for text,
    error text,
    output text,
    input text NOT NULL,
    snapshot text
  -- Room for the next version of a row on its own page, and early cleaning: every commit writes a new version.
  ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
  CREATE INDEX tasks_runnable ON tasks (runnable_at) WHERE runnable_at IS NOT NULL;
  CREATE INDEX tasks_owned ON tasks (owner) WHERE owner IS NOT NULL;
  CREATE INDEX tasks_of_tenant ON tasks (tenant, created_at, id);
  CREATE INDEX tasks_of_parent ON tasks (parent_task) WHERE parent_task IS NOT NULL;
  CREATE INDEX tasks_noticed ON tasks (state, created_at, id)
    WHERE state IN ('waiting', 'input-required', 'failed', 'cancelled', 'rejected');
  CREATE INDEX tasks_by_age ON tasks USING brin (created_at);

  CREATE TABLE log (
    task text COLLATE "C" NOT NULL,
    first_number integer NOT NULL,
    at bigint NOT NULL,
    bodies text NOT NULL,
    PRIMARY KEY (task, first_number)
  );
  CREATE TABLE mail (
    task text COLLATE "C" NOT NULL,
    position integer NOT NULL,
    message_id text COLLATE "C" NOT NULL,
    sender text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (task, position)
  );
  CREATE UNIQUE INDEX mail_once ON mail (task, message_id);
  CREATE TABLE steps (
    task text COLLATE "C" NOT NULL,
    step text NOT NULL,
    outcome text NOT NULL,
    PRIMARY KEY (task, step)
  );
  CREATE TABLE timers (
    task text COLLATE "C" NOT NULL,
    id text NOT NULL,
    due_at bigint NOT NULL,
    PRIMARY KEY (task, id)
  );
  CREATE INDEX timers_due ON timers (due_at);
  CREATE TABLE value_references (
    task text COLLATE "C" NOT NULL,
    slot text NOT NULL,
    sha256 text COLLATE "C" NOT NULL,
    PRIMARY KEY (task, slot)
  );
  CREATE INDEX value_references_by_value ON value_references (sha256);
  CREATE TABLE idempotency (
    tenant text NOT NULL,
    key text NOT NULL,
    request_hash text,
    task text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, key)
  );
  CREATE INDEX idempotency_of_task ON idempotency (task);
  CREATE TABLE hosts (id text PRIMARY KEY, info text NOT NULL, lease_until bigint NOT NULL);
  -- The last flush of each connection that writes, and its answer, for a host that lost the answer.
  CREATE TABLE lanes (id text PRIMARY KEY, flush bigint NOT NULL, answer text, at bigint NOT NULL) WITH (fillfactor = 10);
  CREATE TABLE blobs (
    space text NOT NULL,
    sha256 text COLLATE "C" NOT NULL,
    bytes bigint NOT NULL,
    touched_at bigint NOT NULL,
    PRIMARY KEY (space, sha256)
  );
  CREATE TABLE blob_pieces (
    space text NOT NULL,
    sha256 text COLLATE "C" NOT NULL,
    number integer NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (space, sha256, number)
  );
  ALTER TABLE blob_pieces ALTER COLUMN content SET STORAGE EXTERNAL;
`

// A host that looks for outcomes in `steps` would not see those in the log and repeat their steps (P3). So nothing is left of
// that name, nor of the functions that wrote there: such a host fails until it is replaced, and its tasks are taken over.
const OUTCOMES_IN_LOG = `
  DROP FUNCTION IF EXISTS apply_1;
  DROP FUNCTION IF EXISTS apply_2;
  ALTER TABLE log ADD COLUMN outcomes text;
  ALTER TABLE steps RENAME TO outcomes;
  -- Up to which event its task had come: the order in which outcomes were recorded.
  ALTER TABLE outcomes ADD COLUMN number integer NOT NULL DEFAULT 0;
  -- Of a first commit that came with the acceptance, as the log would hold them.
  ALTER TABLE tasks ADD COLUMN first_events text;
  -- False: there may be more of this task than its row, its log and its mail.
  ALTER TABLE tasks ADD COLUMN plain boolean NOT NULL DEFAULT false;
  -- Tasks that came together move on together: each of a page's rows needs room for its next version there at once.
  ALTER TABLE tasks SET (fillfactor = 50);
  -- A tenth of what an accept and an end cost, for a purge that finds the old by tenant as well (sweeps.ts).
  DROP INDEX tasks_by_age;
`

// A host that takes a task's row for all that there is of it would give a number of its log away twice, and take tasks over
// without fencing who still adds to their logs. It finds no function of its own, and its tasks are taken over.
const ENTRIES_ALONE = `
  DROP FUNCTION IF EXISTS apply_3;
  DROP FUNCTION IF EXISTS find_orphans_1;
  DROP FUNCTION IF EXISTS find_orphans_4;
`

/** Functions that a later one replaces are no longer made: the second made nothing else. */
const MIGRATIONS = [
  TABLES + MOMENT + DELIVER + FIRE_TIMERS,
  '',
  OUTCOMES_IN_LOG,
  LABELS,
  ENTRIES_ALONE,
  LABELLED_WITH_THE_ROW + APPLY + TAKE_OVER + NOTICE_POISONED,
  ERASED,
]

/** A number that only Troupe's migrations lock. */
const MIGRATION_LOCK = 7_245_001

export async function migrate(client: pg.ClientBase, schema: string): Promise<void> {
  await client.query('BEGIN')
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK])
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
    await client.query(
      'CREATE TABLE IF NOT EXISTS migrations (number integer PRIMARY KEY, at timestamptz DEFAULT now())',
    )
    const { rows } = await client.query('SELECT coalesce(max(number), 0) AS number FROM migrations')
    const applied = Number(rows[0].number)
    if (applied > MIGRATIONS.length) {
      throw new TroupeError(
        'journal_newer',
        `the schema ${schema} has version ${applied}; this Troupe knows versions up to ${MIGRATIONS.length}`,
      )
    }
    for (let next = applied; next < MIGRATIONS.length; next++) {
      if (MIGRATIONS[next] !== '') await client.query(MIGRATIONS[next]!)
      await client.query('INSERT INTO migrations (number) VALUES ($1)', [next + 1])
    }
    await client.query('COMMIT')
  } catch (thrown) {
    await client.query('ROLLBACK').catch(() => {})
    throw thrown
  }
}
