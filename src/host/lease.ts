// The lease: renewed each second at the journal, judged by the journal's clock. A host that cannot renew in time must
// assume that others run its tasks, and stops its own actors (self-fencing) even if it only slept.
import { LEASE_MS, LEASE_RENEWAL_MS } from '../contract/limits.ts'
import type { Journal } from '../journal/journal.ts'

export interface LeaseKeeper {
  /** The journal refused a claim for want of a lease: it has ended, whatever the next renewal would say. */
  lost(): void
  stop(): void
}

export async function keepLease(parts: {
  journal: Journal
  hostId: string
  info(): Record<string, unknown>
  onLost(): void
  onTrouble(what: string, error: unknown): void
}): Promise<LeaseKeeper> {
  const { journal, hostId } = parts
  // When the last renewal that succeeded was sent, on the monotonic clock: a changed wall clock changes nothing.
  let renewedAt = performance.now()
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  async function renew(): Promise<boolean> {
    const sentAt = performance.now()
    const { held } = await journal.keepLease({ hostId, info: parts.info(), leaseMs: LEASE_MS })
    if (held) renewedAt = sentAt
    return held
  }

  function lose(): void {
    stopped = true
    clearTimeout(timer)
    parts.onLost()
  }

  async function tick(): Promise<void> {
    if (stopped) return
    try {
      if (!(await renew())) {
        if (!stopped) lose()
        return
      }
    } catch (error) {
      parts.onTrouble('renewing the lease', error)
    }
    if (stopped) return
    if (performance.now() - renewedAt > LEASE_MS) lose()
    else timer = setTimeout(() => void tick(), LEASE_RENEWAL_MS)
  }

  await renew()
  timer = setTimeout(() => void tick(), LEASE_RENEWAL_MS)
  return {
    lost() {
      if (!stopped) lose()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
