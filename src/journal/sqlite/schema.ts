// The tables, as numbered forward-only migrations. `PRAGMA user_version` is the number of the last one applied.
import type { DatabaseSync } from 'node:sqlite'
import { TroupeError } from '../../contract/errors.ts'
import { LABELLED_WITH_THE_ROW, LABELS } from './labels.ts'

/** The states that people look for and that few tasks are in. A list repeats this text, so that the index serves it. */
export const NOTICED = "state IN ('waiting', 'input-required', 'failed', 'cancelled', 'rejected')"

// The hot path decides the shape. A task that starts and ends at once touches one row of `tasks`, one row of `log` and
// one entry of `tasks_runnable`; every other index is partial and stays untouched. Event 1 (task.accepted) is not
// stored: the task's own row says all of it.
const MIGRATIONS = [
  `
  CREATE TABLE tasks (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    agent TEXT NOT NULL,
    agent_version TEXT NOT NULL,
    state TEXT NOT NULL,
    priority TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    updated_at INTEGER NOT NULL,
    ended_at INTEGER,
    deadline INTEGER,
    epoch INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    owner_deaths INTEGER NOT NULL DEFAULT 0,
    last_event INTEGER NOT NULL DEFAULT 1,
    mail_position INTEGER NOT NULL DEFAULT 0,
    mail_read INTEGER NOT NULL DEFAULT 0,
    -- since when the task wants a host and has none
    runnable_at INTEGER,
    depth INTEGER NOT NULL,
    parent_task TEXT,
    parent_step TEXT,
    traceparent TEXT,
    budget TEXT,
    metadata TEXT,
    usage TEXT,
    waiting_for TEXT,
    error TEXT,
    output TEXT,
    input TEXT NOT NULL,
    snapshot TEXT
  ) STRICT;
  CREATE INDEX tasks_runnable ON tasks (runnable_at) WHERE runnable_at IS NOT NULL;
  CREATE INDEX tasks_owned ON tasks (owner) WHERE owner IS NOT NULL;
  CREATE INDEX tasks_of_tenant ON tasks (tenant, created_at, id);
  CREATE INDEX tasks_of_parent ON tasks (parent_task) WHERE parent_task IS NOT NULL;
  CREATE INDEX tasks_noticed ON tasks (state, created_at, id) WHERE ${NOTICED};

  CREATE TABLE log (
    task INTEGER NOT NULL,
    first_number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    bodies TEXT NOT NULL,
    PRIMARY KEY (task, first_number)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE mail (
    task INTEGER NOT NULL,
    position INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (task, position)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX mail_once ON mail (task, message_id);

  CREATE TABLE steps (
    task INTEGER NOT NULL,
    step TEXT NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (task, step)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE timers (
    task INTEGER NOT NULL,
    id TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (task, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX timers_due ON timers (due_at);

  CREATE TABLE value_references (
    task INTEGER NOT NULL,
    slot TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (task, slot)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX value_references_by_value ON value_references (sha256);

  CREATE TABLE idempotency (
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT,
    task INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX idempotency_of_task ON idempotency (task);

  CREATE TABLE hosts (
    id TEXT PRIMARY KEY,
    info TEXT NOT NULL,
    lease_until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE counters (
    agent TEXT NOT NULL,
    state TEXT NOT NULL,
    tasks INTEGER NOT NULL,
    PRIMARY KEY (agent, state)
  ) STRICT, WITHOUT ROWID;
  `,
  LABELS,
  LABELLED_WITH_THE_ROW,
  // All that is kept of tasks that were erased: what their tenant has spent.
  `
  CREATE TABLE erased (tenant TEXT NOT NULL, created_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, usage TEXT) STRICT;
  CREATE INDEX erased_of_tenant ON erased (tenant, created_at);
  `,
]

/** 0: it has no tables. */
export function schemaOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0)
}

export function migrate(db: DatabaseSync, file: string): void {
  const version = schemaOf(db)
  if (version > MIGRATIONS.length) {
    throw new TroupeError(
      'journal_newer',
      `${file} has schema ${version}; this Troupe knows schemas up to ${MIGRATIONS.length}`,
    )
  }
  for (let next = version; next < MIGRATIONS.length; next++) {
    db.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[next]} PRAGMA user_version = ${next + 1}; COMMIT`)
  }
}
