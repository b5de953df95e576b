// A host is known to be dead: its lease ends now instead of in three seconds, and what it ran is offered at once.
// Everybody who hears of the death does this; the journal gives each task to one of them.
import type { Bus } from '../bus/bus.ts'
import type { Journal } from '../journal/journal.ts'

const BATCH = 1_000
/** Offers that the dead host had taken and not yet claimed: older than this, they are not just on their way. */
const UNCLAIMED_MS = 100
/** After the first look only orphans count, or a long queue would be offered anew with each death. */
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
    for (let unclaimedMs = UNCLAIMED_MS; ; unclaimedMs = NEVER_MS) {
      const woken = await journal.findOrphans({ unclaimedMs, limit: BATCH })
      for (const wake of woken) {
        if (wake.owner === undefined) bus.offer({ ...wake, because: origin, found: true })
        else bus.nudge(wake.owner, wake.taskId)
      }
      if (woken.length < BATCH) return
    }
  } catch (error) {
    parts.onTrouble(`taking over from ${origin}`, error)
  }
}
