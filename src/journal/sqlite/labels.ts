// Labels of tasks, as an index that SQLite keeps by itself: the second place of what is attached (../attached.ts).
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
