// What an end means. Pure, because everything else rests on it.
import type { Outcome, RestartType } from './child-spec.ts'

export interface Decision {
  /** Start the child again? */
  restart: boolean
  /** Does that restart spend the budget? */
  charged: boolean
}

export function decide(restart: RestartType, outcome: Outcome): Decision {
  switch (restart) {
    case 'permanent':
      return { restart: true, charged: isCharged(outcome) }
    case 'transient':
      return { restart: outcome.kind === 'crashed', charged: true }
    case 'temporary':
      return { restart: false, charged: false }
  }
}

/**
 * P8: a deploy is not a crash. Here Troupe leaves OTP, which charges a permanent child for every end. A permanent child
 * that says it is finished is charged, as in OTP: it does not do what it was hired for.
 */
function isCharged(outcome: Outcome): boolean {
  switch (outcome.kind) {
    case 'crashed':
    case 'normal':
      return true
    case 'shutdown':
    case 'drained':
    case 'lease_lost':
      return false
  }
}
