// Who runs a task, as the journal has it. The tree knows a host by the first of its leases; one that lost it holds another.
import type { Journal } from '../../src/journal/journal.ts'
import { eventually } from './eventually.ts'

export interface Owner {
  hostId: string
  info: { pid: number; label: string }
}

/** Waits until somebody does. */
export async function ownerOf(journal: Journal, taskId: string): Promise<Owner> {
  let owner: Owner | undefined
  await eventually(`somebody runs ${taskId}`, async () => {
    const hostId = (await journal.load(taskId))?.task.owner
    owner = (await journal.hosts()).find((host) => host.hostId === hostId) as Owner | undefined
    return owner !== undefined
  })
  return owner!
}
