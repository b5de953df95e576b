// How a submission becomes a task on disk (P1). Between processes a host accepts and begins it in one commit and says so;
// what no host confirms is accepted here, under the same id: should a host have accepted it after all, it is found.
import type { Bus, Entrusting, Offer, Wanted } from '../bus/bus.ts'
import type { Journal, NewTask, TaskRow } from '../journal/journal.ts'
import { acceptedRow } from '../journal/rows.ts'
import type { Patience } from './patience.ts'

/** What is asked for, checked and with an id; nothing has happened yet. */
export interface Draft {
  task: NewTask
  /** It stays in its row. */
  small: boolean
}

export interface AcceptedDraft {
  task: TaskRow
  created: boolean
  /** The host that has it tells of its end, if that is watched. */
  entrusted?: Entrusting
}

export type Accept = (draft: Draft, wants: Wanted | undefined, acceptedHere: () => void) => Promise<AcceptedDraft>

/** `acceptedHere` is called before this process accepts the task itself: its end is told to nobody in particular. */
export function createAccept(parts: { journal: Journal; bus: Bus; patience: Patience }): Accept {
  const { journal, bus, patience } = parts
  const entruster = bus.entruster?.()

  async function acceptHere({ task, small }: Draft): Promise<AcceptedDraft> {
    const entered = patience.enter()
    // A promise for each submission is more than the question costs.
    const place = typeof entered === 'number' ? entered : await entered
    try {
      const accepting = journal.accept(task)
      // With an idempotency key the task may be an earlier one; a large input is on its way to the blob store first.
      const early = journal.inOrder && task.idempotencyKey === undefined && small
      const taken = early && (bus.offerEarly?.(offerOf(acceptedRow(task, Date.now()))) ?? false)
      const accepted = await accepting
      if (accepted.created && !taken) bus.offer(offerOf(accepted.task))
      return accepted
    } finally {
      patience.leave(place)
    }
  }

  async function entrust(draft: Draft, entrusted: Entrusting, acceptedHere: () => void): Promise<AcceptedDraft> {
    const { task } = draft
    const at = await entrusted.accepted
    if (at !== undefined) return { task: acceptedRow(task, at), created: true, entrusted }
    acceptedHere()
    const accepted = await acceptHere(draft)
    if (accepted.created || accepted.task.id !== task.id) return accepted
    // A host accepted it and could not say so in time. Should nobody have it now, nobody was told of it either.
    const row = accepted.task
    if (row.owner === undefined && row.state === 'queued') bus.offer(offerOf(row))
    return { task: row, created: true }
  }

  return (draft, wants, acceptedHere) => {
    const entrusted = draft.small ? entruster?.give(draft.task, wants) : undefined
    if (entrusted !== undefined) return entrust(draft, entrusted, acceptedHere)
    acceptedHere()
    return acceptHere(draft)
  }
}

function offerOf(task: TaskRow): Offer {
  const { id: taskId, tenant, agent, agentVersion, priority, epoch } = task
  return { taskId, tenant, agent, agentVersion, priority, epoch, task }
}
