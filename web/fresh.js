// @ts-check
// Reading again while somebody looks. A hidden tab asks nothing; what is refused for a while is asked later.
import { Problem } from './api.js'

const MOST_MS = 30_000

/** @type {Set<(trouble: string | undefined) => void>} */
const listeners = new Set()

/**
 * @param {(trouble: string | undefined) => void} listener
 * @param {AbortSignal} signal
 */
export function onConnection(listener, signal) {
  listeners.add(listener)
  signal.addEventListener('abort', () => listeners.delete(listener))
}

/** @param {unknown} error undefined: there was an answer */
export function tellConnection(error) {
  const trouble = error === undefined ? undefined : error instanceof Error ? error.message : String(error)
  for (const listener of listeners) listener(trouble)
}

/**
 * Runs `work` now and again `ms` after it ended, until the signal. Gives a function that lets it run at once.
 * A refusal that will not pass ends it and goes to `onRefusal`.
 * @param {{ ms: number, signal: AbortSignal, work: () => Promise<void>, onRefusal: (problem: Problem) => void }} options
 */
export function keepFresh({ ms, signal, work, onRefusal }) {
  let wake = () => {}

  async function run() {
    let wait = ms
    while (!signal.aborted) {
      const woken = new Promise((/** @type {(value: void) => void} */ resolve) => {
        wake = resolve
      })
      try {
        await work()
        tellConnection(undefined)
        wait = ms
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof Problem && error.againInMs === undefined) return onRefusal(error)
        tellConnection(error)
        const least = error instanceof Problem ? (error.againInMs ?? 0) : 0
        wait = Math.min(Math.max(wait * 2, least), MOST_MS)
      }
      await Promise.race([pause(wait, signal), woken])
      await untilVisible(signal)
    }
  }

  void run()
  return () => wake()
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      // A page that stays open for days pauses often.
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}

/**
 * For what grows while nothing happens.
 * @param {() => void} work
 * @param {AbortSignal} signal
 */
export function everySecond(work, signal) {
  const timer = setInterval(() => document.visibilityState === 'visible' && work(), 1_000)
  signal.addEventListener('abort', () => clearInterval(timer))
}

/**
 * A signal that is aborted when the tab is hidden, too. `end` when it is not needed any more.
 * @param {AbortSignal} signal
 */
export function whileVisible(signal) {
  const hidden = new AbortController()
  const either = AbortSignal.any([signal, hidden.signal])
  const look = () => document.visibilityState === 'hidden' && hidden.abort()
  document.addEventListener('visibilitychange', look, { signal: either })
  return { signal: either, end: () => hidden.abort() }
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function untilVisible(signal) {
  if (document.visibilityState === 'visible' || signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const look = () => {
      if (document.visibilityState === 'visible') resolve()
    }
    document.addEventListener('visibilitychange', look, { signal })
    signal.addEventListener('abort', () => resolve())
  })
}
