// The lease: renewed each second at the journal, judged by the journal’s clock. A host that cannot renew in time
// must assume that others run its tasks, and stops its own actors (self-fencing) even if it only slept, or if a step
// kept the event loop for so long that the renewal came too late.
import { TroupeError, toTroupeError } from '../contract/errors.ts'
import { LEASE_MS, LEASE_RENEWAL_MS } from '../contract/limits.ts'
import type { Journal } from '../journal/journal.ts'
import { watchEventLoop } from './event-loop.ts'

/** A loop that stands still for so long is told: a second more, and the host loses its lease. */
const BLOCKED_MS = LEASE_MS - LEASE_RENEWAL_MS
/** A journal gives up a renewal early, for the sake of what runs. Who begins has nothing that runs: it can wait. */
const FIRST_TRIES = 5

export interface LeaseKeeper {
  /** As far as this host knows. */
  readonly live: boolean
  /** The journal refused a claim for want of a lease: it has ended, whatever the next renewal would say. */
  lost(): void
  stop(): void
}

export async function keepLease(parts: {
  journal: Journal
  hostId: string
  leaseMs?: number
  info(): Record<string, unknown>
  onLost(): void
  onTrouble(what: string, error: unknown): void
}): Promise<LeaseKeeper> {
  const { journal, hostId, leaseMs = LEASE_MS } = parts
  // When the last renewal that succeeded was sent, on the monotonic clock: a changed wall clock changes nothing.
  let renewedAt = performance.now()
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const loop = watchEventLoop()

  function reportLoop(): number {
    const ms = Math.round(loop.longest())
    if (ms >= BLOCKED_MS) parts.onTrouble('the event loop', blocked(ms))
    return ms
  }

  async function renew(): Promise<boolean> {
    const loopDelayMs = reportLoop()
    const sentAt = performance.now()
    const { held } = await journal.keepLease({ hostId, info: { ...parts.info(), loopDelayMs }, leaseMs })
    if (held) renewedAt = sentAt
    return held
  }

  function lose(): void {
    end()
    parts.onLost()
  }

  function end(): void {
    stopped = true
    clearTimeout(timer)
    loop.stop()
  }

  async function tick(): Promise<void> {
    if (stopped) return
    // Others may have taken the tasks already; what came due meanwhile must not be committed while the journal is asked.
    if (performance.now() - renewedAt > leaseMs) {
      reportLoop()
      lose()
      return
    }
    try {
      if (!(await renew())) {
        if (!stopped) lose()
        return
      }
    } catch (error) {
      parts.onTrouble('renewing the lease', error)
    }
    if (stopped) return
    if (performance.now() - renewedAt > leaseMs) lose()
    else timer = setTimeout(() => void tick(), LEASE_RENEWAL_MS)
  }

  for (let tries = 1; ; tries++) {
    try {
      await renew()
      break
    } catch (error) {
      if (tries < FIRST_TRIES && toTroupeError(error).code === 'journal_unavailable') continue
      end()
      throw error
    }
  }
  timer = setTimeout(() => void tick(), LEASE_RENEWAL_MS)
  return {
    get live() {
      return !stopped && performance.now() - renewedAt < leaseMs
    },
    lost() {
      if (!stopped) lose()
    },
    stop: end,
  }
}

function blocked(ms: number): TroupeError {
  const message = `It stood still for ${ms} ms: a step computes on it, or the process slept. In a cluster a lease lasts ${LEASE_MS} ms.`
  return new TroupeError('limit_exceeded', message, { detail: { ms } })
}
