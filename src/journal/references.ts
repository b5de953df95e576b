// Which large values a task still names. A blob that no row names, and that nobody has written for a while, is swept
// away; until then it stays, because a value is written before the commit that names it.
import type { PreparedCommit, PreparedMessage, PreparedTask } from './prepare.ts'
import { isReference, referencedBlob } from './values.ts'

/** A place in a task that holds one large value at a time. */
export interface Reference {
  task: string
  slot: string
  sha256: string
}

/** How long a blob may be unnamed: far longer than any commit takes. */
export const UNNAMED_BLOB_KEPT_MS = 60 * 60 * 1000

/** What remains named after a task completed; its snapshot, steps and mail are gone. */
export const LASTING_SLOTS = ['input', 'output', 'error'] as const

export function taskReferences({ task, input }: PreparedTask): Reference[] {
  return isReference(input) ? [reference(task.id, 'input', input)] : []
}

export function messageReferences({ message, body }: PreparedMessage): Reference[] {
  return isReference(body) ? [reference(message.to, `mail:${message.id}`, body)] : []
}

export function commitReferences({ commit, snapshot, output, error, steps }: PreparedCommit): Reference[] {
  const found: Reference[] = []
  const named = { snapshot, output, error }
  for (const slot of ['snapshot', 'output', 'error'] as const) {
    const column = named[slot]
    if (column !== undefined && isReference(column)) found.push(reference(commit.taskId, slot, column))
  }
  for (const { id, outcome } of steps) {
    if (isReference(outcome)) found.push(reference(commit.taskId, `step:${id}`, outcome))
  }
  return found
}

function reference(task: string, slot: string, column: string): Reference {
  return { task, slot, sha256: referencedBlob(column).sha256 }
}
