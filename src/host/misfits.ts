// A task that no agent here can run, or of which a large value is lost: that is said in the task, and it is left for a host that
// can, or until somebody has brought the value back.
import { toTroupeError } from '../contract/errors.ts'
import type { Journal, TaskRow } from '../journal/journal.ts'

interface Parts {
  journal: Journal
  onTrouble(what: string, error: unknown): void
}

const LOST = 'journal_corrupt: a large value of this task is missing or damaged'

export function noteUnreadable(parts: Parts, hostId: string, taskId: string, thrown: unknown): void {
  parts.onTrouble(`reading the offered task ${taskId}`, thrown)
  if (toTroupeError(thrown).code !== 'journal_corrupt') return
  parts.journal.get(taskId).then(
    (task) => {
      if (task !== undefined && task.owner === undefined) noteMisfit(parts, hostId, task, LOST)
    },
    (error: unknown) => parts.onTrouble(`noting that ${taskId} lacks a value`, error),
  )
}

export function noteMisfit(parts: Parts, hostId: string, task: TaskRow, reason: string): void {
  if (task.waitingFor?.detail === reason) return
  const { id: taskId, epoch, version, lastEvent } = task
  parts.journal
    .commit({
      taskId,
      epoch,
      version,
      lastEvent,
      claim: { hostId },
      release: true,
      state: 'queued',
      waitingFor: { kind: 'host', detail: reason },
      events: [{ type: 'task.waiting', for: { kind: 'host', detail: reason } }],
    })
    .catch((error: unknown) => parts.onTrouble(`noting that ${taskId} waits for a host`, error))
}
