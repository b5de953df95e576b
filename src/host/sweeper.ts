// Finds what has no owner and should have one (P5): tasks of hosts whose lease ended, and offers that the bus lost.
import type { Offer } from '../bus/bus.ts'
import type { Journal } from '../journal/journal.ts'

const SWEEP_MS = 1_000
/** A runnable task that nobody claimed for so long was lost on its way, or waits behind others: offering again is harmless. */
const UNCLAIMED_MS = 3_000
const BATCH = 1_000

export function keepSweeping(parts: {
  journal: Journal
  onWoken(woken: Offer[]): void
  onTrouble(what: string, error: unknown): void
}): () => void {
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  async function sweep(unclaimedMs: number): Promise<void> {
    try {
      const woken = await parts.journal.findOrphans({ unclaimedMs, limit: BATCH })
      if (!stopped) parts.onWoken(woken.map((wake) => ({ ...wake, found: true })))
    } catch (error) {
      parts.onTrouble('sweeping for orphans', error)
    }
    // Hosts that started together must not sweep together.
    if (!stopped) timer = setTimeout(() => void sweep(UNCLAIMED_MS), SWEEP_MS * (0.75 + Math.random() / 2))
  }

  // Whatever was offered before this host began may have been heard by nobody.
  void sweep(0)
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
