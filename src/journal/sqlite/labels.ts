// Labels of tasks, for searching: written with the task's row, deleted with it by SQLite itself, which finds them in the
// second place of what is attached (../attached.ts).
import type { DatabaseSync } from 'node:sqlite'
import { labelsOf } from '../attached.ts'
import type { NewTask } from '../journal.ts'

const ATTACHED = (row: 'NEW' | 'OLD') => `substr(${row}.metadata, 1, 1) = '['`

export const LABELS = `
  CREATE TABLE labels (
    whose TEXT NOT NULL,
    label TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    task TEXT NOT NULL,
    PRIMARY KEY (whose, label, accepted_at, task)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER tasks_labelled AFTER INSERT ON tasks WHEN ${ATTACHED('NEW')} BEGIN
    INSERT INTO labels SELECT NEW.tenant, key || ':' || value, NEW.created_at, NEW.id FROM json_each(NEW.metadata, '$[1]');
  END;
  CREATE TRIGGER tasks_unlabelled AFTER DELETE ON tasks WHEN ${ATTACHED('OLD')} BEGIN
    DELETE FROM labels WHERE (whose, label, accepted_at, task) IN (
      SELECT OLD.tenant, key || ':' || value, OLD.created_at, OLD.id FROM json_each(OLD.metadata, '$[1]'));
  END;
`

/**
 * The hot path has no trigger: SQLite notes what each page was before it runs a statement that has one, which costs each
 * task as much as two of its indexes, labelled or not.
 */
export const LABELLED_WITH_THE_ROW = 'DROP TRIGGER tasks_labelled;'

export function labeller(db: DatabaseSync): (task: NewTask, at: number) => void {
  const label = db.prepare('INSERT INTO labels (whose, label, accepted_at, task) VALUES (?, ?, ?, ?)')
  return ({ id, tenant, labels }, at) => {
    if (labels !== undefined) for (const name of labelsOf(labels)) label.run(tenant, name, at, id)
  }
}
