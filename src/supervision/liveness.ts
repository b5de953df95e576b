// Is a process that runs also alive? One that hangs (stopped, or its event loop held for good) does not exit, so nobody
// hears of its end: it is asked again and again, and given up when it has not answered for too long.
//
// Silence is counted in looks of our own, not read off a clock: while the machine sleeps, or the whole tree is stopped,
// nobody looks, and nobody is accused of it. A look that comes late tells that we were away ourselves: it begins anew.
import type { Clock } from './clock.ts'

export interface Liveness {
  /** It gave a sign of life. */
  heard(): void
  stop(): void
}

const LOOKS = 4

export function watchLiveness(options: {
  clock: Clock
  /** Milliseconds of silence that are too many. It takes up to a half longer to tell them. */
  allowance: number
  /** Asks for a sign of life. */
  ask?: () => void
  onSilent(): void
}): Liveness {
  const { clock, allowance, ask, onSilent } = options
  const interval = allowance / LOOKS
  let lookedAt = clock.now()
  let heard = true
  let silentLooks = 0
  let cancel = clock.setTimer(interval, look)

  function look(): void {
    const now = clock.now()
    const elapsed = now - lookedAt
    lookedAt = now
    const wereAway = elapsed > 2 * interval || elapsed < 0
    silentLooks = heard || wereAway ? 0 : silentLooks + 1
    if (silentLooks >= LOOKS) {
      onSilent()
      return
    }
    heard = false
    ask?.()
    cancel = clock.setTimer(interval, look)
  }

  return {
    heard() {
      heard = true
    },
    stop: () => cancel(),
  }
}
