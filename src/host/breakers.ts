// An agent whose tasks crash again and again rests: each crash costs commits and time that other agents want. What is
// offered meanwhile waits. After the rest one task is tried; if it lives the others follow, if it crashes the rest is
// longer. Kept in memory: another host finds out for itself, with a handful of crashes.
import { backoffDelay } from '../supervision/backoff.ts'

/** So many more crashes than good ends. An agent that fails at every other task is left to its tasks' own budgets. */
export const CRASHES_TO_REST = 10
const REST = { first: 1_000, factor: 2, max: 60_000, jitter: 0.2 }
/** Who was tried and has not crashed for so long clears the way for the next. */
export const TRIAL_MS = 5_000

interface State {
  /** Crashes less good ends, never below zero. */
  excess: number
  rests: number
  restsUntil: number
  trial?: { task: string; until: number }
}

export interface Breakers {
  /** Milliseconds until this task may be looked at again; zero: it may run. */
  wait(agent: string, task: string): number
  /** The length of the rest that this crash began. */
  crashed(agent: string): number | undefined
  /** An incarnation went well. True: the agent had rested, and serves again. */
  lived(agent: string): boolean
  /** Agents that rest or are being tried. */
  resting(): string[]
}

export function createBreakers(
  now: () => number = () => performance.now(),
  random: () => number = Math.random,
): Breakers {
  const states = new Map<string, State>()

  return {
    wait(agent, task) {
      const state = states.get(agent)
      if (state === undefined || state.rests === 0) return 0
      if (now() < state.restsUntil) return Math.ceil(state.restsUntil - now())
      const { trial } = state
      if (trial !== undefined && trial.task !== task && now() < trial.until) return Math.ceil(trial.until - now())
      state.trial = { task, until: now() + TRIAL_MS }
      return 0
    },

    crashed(agent) {
      let state = states.get(agent)
      if (state === undefined) {
        state = { excess: 0, rests: 0, restsUntil: 0 }
        states.set(agent, state)
      }
      state.excess += 1
      // Those that still ran when the rest began tell nothing new.
      if (state.excess < CRASHES_TO_REST || now() < state.restsUntil) return undefined
      state.rests += 1
      delete state.trial
      const ms = backoffDelay(state.rests, REST, random)
      state.restsUntil = now() + ms
      return ms
    },

    lived(agent) {
      const state = states.get(agent)
      if (state === undefined) return false
      // Who began before the rest and ends well in it is no trial.
      if (state.rests > 0 && now() < state.restsUntil) return false
      state.excess = Math.max(0, state.excess - 1)
      if (state.rests === 0 && state.excess > 0) return false
      const rested = state.rests > 0
      states.delete(agent)
      return rested
    },

    resting: () => [...states].filter(([, { rests }]) => rests > 0).map(([agent]) => agent),
  }
}
