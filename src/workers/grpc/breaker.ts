// Protects a struggling worker from its callers: retries are at most a share of the calls, and after several failures
// in a row calls fail at once until one trial succeeds.
export interface BreakerOptions {
  /** Failures in a row that open it. */
  failures: number
  /** How long it stays open before one call may try, and then before the next one may. */
  openMs: number
  /** Retries earned by each call: 0.2 lets a fifth of the calls be repeated. */
  retryShare: number
  now?: () => number
}

const DEFAULTS: BreakerOptions = { failures: 5, openMs: 1_000, retryShare: 0.2 }
/** Retries that may be saved up: enough for one burst after a long calm. */
const MOST_RETRIES = 100

export class Breaker {
  readonly #options: BreakerOptions
  readonly #now: () => number
  #failuresInARow = 0
  #openUntil = 0
  #retries = 10

  constructor(options: Partial<BreakerOptions> = {}) {
    this.#options = { ...DEFAULTS, ...options }
    this.#now = options.now ?? Date.now
  }

  /**
   * May a call go out? While open, one is let through now and then to see whether the worker is back. What became of that one
   * is not waited for: its caller may give up, and then nobody would ever try again.
   */
  allows(): boolean {
    if (this.#failuresInARow < this.#options.failures) return true
    if (this.#now() < this.#openUntil) return false
    this.#openUntil = this.#now() + this.#options.openMs
    return true
  }

  succeeded(): void {
    this.#failuresInARow = 0
    this.#retries = Math.min(this.#retries + this.#options.retryShare, MOST_RETRIES)
  }

  failed(): void {
    if (++this.#failuresInARow >= this.#options.failures) this.#openUntil = this.#now() + this.#options.openMs
  }

  /** Of one that swallows calls enough is known at once: each trial costs its caller a deadline. */
  rest(): void {
    this.#failuresInARow = this.#options.failures
    this.#openUntil = this.#now() + this.#options.openMs
  }

  /** Takes one retry from the budget, if there is one. */
  takeRetry(): boolean {
    if (this.#retries < 1) return false
    this.#retries--
    return true
  }
}
