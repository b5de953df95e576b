// A clock that stands still until a test moves it. Timers fire in the order of their time, and what a timer sets off
// (promises, further timers) happens before the next one fires, as it would in real time.
import type { Clock } from '../../src/supervision/clock.ts'

export class SimulatedClock implements Clock {
  readonly #start: number
  /** What timers go by; a jump of the clock does not touch it, as it does not touch a real machine's timers. */
  #elapsed = 0
  #jumped = 0
  /** Timers by their time; those of the same time fire in the order they were set. */
  readonly #due = new Map<number, Set<() => void>>()
  /** How many timers were ever set. */
  timersSet = 0

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#start = start
  }

  now(): number {
    return this.#start + this.#elapsed + this.#jumped
  }

  setTimer(milliseconds: number, fire: () => void): () => void {
    this.timersSet++
    const at = this.#elapsed + Math.max(0, milliseconds)
    const timers = this.#due.get(at) ?? new Set()
    this.#due.set(at, timers)
    // A wrapper for each timer, or the same function set twice would fire once.
    const timer = (): void => fire()
    timers.add(timer)
    return () => {
      timers.delete(timer)
      if (timers.size === 0 && this.#due.get(at) === timers) this.#due.delete(at)
    }
  }

  /** How many timers wait: 0 at the end of a test that closed what it opened. */
  get pending(): number {
    let count = 0
    for (const timers of this.#due.values()) count += timers.size
    return count
  }

  /** Milliseconds until the next timer, or undefined. */
  get nextIn(): number | undefined {
    const next = this.#nextTime()
    return next === undefined ? undefined : next - this.#elapsed
  }

  /** Moves the time on, firing what becomes due, and lets everything settle. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#elapsed + milliseconds
    await settle()
    for (let next = this.#nextTime(); next !== undefined && next <= end; next = this.#nextTime()) {
      this.#elapsed = Math.max(this.#elapsed, next)
      // Looked up anew for each: a timer can cancel the next one, or set another for this very moment.
      for (let timers = this.#due.get(next); timers !== undefined; timers = this.#due.get(next)) {
        const [timer] = timers
        if (timer === undefined || timers.size === 1) this.#due.delete(next)
        if (timer === undefined) break
        timers.delete(timer)
        timer()
      }
      await settle()
    }
    this.#elapsed = end
    await settle()
  }

  /** Sets the clock without firing anything: a jump, as when an administrator corrects a machine's time. */
  jump(milliseconds: number): void {
    this.#jumped += milliseconds
  }

  #nextTime(): number | undefined {
    let next: number | undefined
    for (const at of this.#due.keys()) if (next === undefined || at < next) next = at
    return next
  }
}

/** Lets every promise that can go on without time or input go on. */
export async function settle(): Promise<void> {
  // One turn of the event loop runs all promise reactions; two, because a reaction may itself wait a turn.
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
}
