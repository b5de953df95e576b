// What a submitter attaches to a task beside its input, in the one column `metadata`: the object of its metadata, as ever,
// or, when there are labels or callbacks too, the array [metadata, labels, callbacks]. Postgres
// finds the labels in the array's second place, and so do the triggers of both databases that take them away with the task. The
// metadata are JSON within a string there: Postgres could not read past half a character or a NUL in them.
import { TroupeError } from '../contract/errors.ts'
import { MAX_MESSAGE_BYTES } from '../contract/limits.ts'
import type { NewTask, TaskRow } from './journal.ts'
import { type Column, encodeValue } from './values.ts'

/** Of several labels the rarest is searched first; counting them ends here. */
export const LABELS_COUNTED = 1_000

type Attached = Pick<NewTask, 'metadata' | 'labels' | 'callbacks'>

export function encodeAttached({ metadata, labels, callbacks }: Attached): Column | null {
  if (labels === undefined && callbacks === undefined) {
    return metadata === undefined ? null : encodeValue(metadata, 'the metadata', MAX_MESSAGE_BYTES)
  }
  for (const label of labelsOf(labels ?? {})) checkLabel(label)
  const text = metadata === undefined ? null : JSON.stringify(metadata)
  return encodeValue([text, labels ?? {}, callbacks ?? []], 'what is attached', MAX_MESSAGE_BYTES)
}

export function readAttached(column: Column, row: TaskRow): void {
  const value = JSON.parse(column)
  if (!Array.isArray(value)) {
    row.metadata = value
    return
  }
  const [metadata, labels, callbacks] = value
  if (metadata !== null) row.metadata = JSON.parse(metadata)
  if (Object.keys(labels).length > 0) row.labels = labels
  if (callbacks.length > 0) row.callbacks = callbacks
}

/** As they are searched for: `key:value`. */
export function labelsOf(labels: Record<string, string>): string[] {
  return Object.entries(labels).map(([key, value]) => `${key}:${value}`)
}

/** Postgres cannot hold a NUL or half a character in what it indexes; both adapters refuse what one of them could not keep. */
function checkLabel(label: string): void {
  if (!label.includes('\0') && label.isWellFormed()) return
  throw new TroupeError('invalid_input', `the label ${JSON.stringify(label)} is not text`)
}
