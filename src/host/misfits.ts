// A task that no agent here can run: that is said in the task, and it is left for a host that can.
import type { Journal, TaskRow } from '../journal/journal.ts'

interface Parts {
  journal: Journal
  onTrouble(what: string, error: unknown): void
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
