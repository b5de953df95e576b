// What a gateway gives to this host before it is on disk: accept and first turn are one commit here, and the gateway is
// told (P1). Whatever is not begun here is refused at once: the gateway accepts it by itself, as it does with what is
// not answered in time. Both may then accept the same task under the same id: the journal makes it once, and its epoch
// lets one host begin it (P2).
import type { Bus, Entrusted, TellEntruster } from '../bus/bus.ts'
import { idTime } from '../contract/ids.ts'
import type { Journal, NewTask, TaskRow } from '../journal/journal.ts'
import { acceptedRow } from '../journal/rows.ts'
import type { AgentRegistry } from '../plugins/registry.ts'

/**
 * Who gave it has long accepted it by himself. It may even have ended and been forgotten since, and would begin a second
 * time: what lay about in a paused or cut-off process is not begun any more. A clock that is wrong by more refuses all.
 */
const STALE_MS = 5_000

/** Who wants to hear of an entrusted task. */
export interface Interest {
  /** The giver, as soon as the end is on disk. Absent: he does not watch. */
  onEnd?: TellEntruster['ended']
  /** Nobody has been told that there is such a task: whoever asks for it later finds in the journal what happened until now. */
  isUntold(): boolean
}

export interface TakesEntrusted {
  journal: Journal
  bus: Bus
  agents: AgentRegistry
  /** How many tasks of this agent this host may begin. */
  room(agent: string): number
  /** Takes a place for one of them, if there is one. */
  admit(agent: string): boolean
  /** Nothing was begun in the place. */
  free(agent: string): void
  /** Begins a task in its place; it may not be on disk yet. */
  begin(task: TaskRow, interest: Interest): void
  onTrouble(what: string, error: unknown): void
}

/** Stops when nothing more comes, and what came is accepted or refused. */
export function takeEntrusted(parts: TakesEntrusted): Entrusted {
  const { journal, bus } = parts
  const accepting = new Set<Promise<void>>()

  function onEntrusted(task: NewTask, tell: TellEntruster): void {
    const stale = Math.abs(Date.now() - idTime(task.id)) > STALE_MS
    if (stale || !parts.admit(task.agent)) {
      tell.refused()
      return
    }
    // Under a key it may be an earlier task: that is known when it is accepted.
    const known = task.idempotencyKey === undefined
    const accepted = accept(task, known, tell).finally(() => accepting.delete(accepted))
    accepting.add(accepted)
  }

  async function accept(task: NewTask, known: boolean, tell: TellEntruster): Promise<void> {
    let isTold = false
    const interest: Interest = { isUntold: () => !isTold }
    if (tell.ended !== undefined) interest.onEnd = tell.ended
    try {
      const answer = journal.accept(task)
      // In the same turn of the event loop, so that it is in the same commit.
      if (known) parts.begin(acceptedRow(task, Date.now()), interest)
      const { task: row, created } = await answer
      if (!created) {
        // Its giver finds out which one it is.
        tell.refused()
        if (!known) parts.free(task.agent)
        return
      }
      tell.accepted(row.createdAt)
      // What is told in this turn leaves after it: a commit that is answered in this turn, too, was on disk before.
      process.nextTick(() => {
        isTold = true
      })
      if (!known) parts.begin(row, interest)
    } catch (error) {
      tell.refused()
      if (!known) parts.free(task.agent)
      parts.onTrouble(`accepting the entrusted task ${task.id}`, error)
    }
  }

  const taken = parts.agents.list().flatMap(({ name, version }) => {
    const isHere = parts.agents.agent(name, version) !== undefined
    return isHere ? (bus.onEntrusted?.(name, version, { take: onEntrusted, room: () => parts.room(name) }) ?? []) : []
  })
  return {
    async stop() {
      await Promise.all(taken.map((one) => one.stop()))
      await Promise.all(accepting)
    },
  }
}
