// A host is known to be dead: its lease ends now instead of in three seconds, and what it ran is offered at once.
// Everybody who hears of the death does this; the journal gives each task to one of them.
import type { Bus } from '../bus/bus.ts'
import type { Journal } from '../journal/journal.ts'

const BATCH = 1_000
/** What nobody has claimed yet is the sweep's business, not ours: it may be on its way. */
const NEVER_MS = Number.MAX_SAFE_INTEGER

export async function takeOver(parts: {
  journal: Journal
  bus: Bus
  /** The id under which the dead process began its first lease; fenced since, it may hold another. */
  origin: string
  onTrouble(what: string, error: unknown): void
}): Promise<void> {
  const { journal, bus, origin } = parts
  try {
    const held = (await journal.hosts()).filter(({ alive, info }) => alive && info.origin === origin)
    for (const { hostId } of held) await journal.endLease(hostId)
    for (;;) {
      const woken = await journal.findOrphans({ unclaimedMs: NEVER_MS, limit: BATCH })
      for (const wake of woken) {
        if (wake.owner === undefined) bus.offer(wake)
        else bus.nudge(wake.owner, wake.taskId)
      }
      if (woken.length < BATCH) return
    }
  } catch (error) {
    parts.onTrouble(`taking over from ${origin}`, error)
  }
}
