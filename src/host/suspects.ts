// Two hosts died while they ran this task; with a third it is quarantined. Only one such task at a time is on probation
// on a host: when several ran where one of them killed the host, the innocent ones must not share its third death.
import { MAX_OWNER_DEATHS } from '../contract/limits.ts'

/** Who has run for so long without killing its host clears the way for the next. */
export const PROBATION_MS = 1_000

export interface Suspects {
  /** False: another one is on probation; come back in PROBATION_MS. */
  admit(task: { id: string; ownerDeaths: number }): boolean
  /** Its incarnation is over. */
  leave(taskId: string): void
}

export function createSuspects(now: () => number = () => performance.now()): Suspects {
  let onProbation: { id: string; until: number } | undefined
  return {
    admit({ id, ownerDeaths }) {
      if (ownerDeaths < MAX_OWNER_DEATHS - 1) return true
      if (onProbation !== undefined && onProbation.id !== id && now() < onProbation.until) return false
      onProbation = { id, until: now() + PROBATION_MS }
      return true
    },
    leave(taskId) {
      if (onProbation?.id === taskId) onProbation = undefined
    },
  }
}
