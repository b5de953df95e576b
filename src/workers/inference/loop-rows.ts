// How many rows of a model may be computed on the event loop: as many as were seen to take no longer than others may be
// kept waiting for. Every run tells, those of threads too, so a model that is slow for a while comes back by itself.
const MOST_ROWS = 64
/** Times what a run may take. On a machine that is busy with others a run looks slow while it only waits. */
const SLOW = 4
const SLOW_IN_A_ROW = 3
/** This slow is no accident. */
const FAR_TOO_SLOW_MS = 100

export class LoopRows {
  readonly #mostMs: number
  #rows = 0
  #slow = 0

  /** `mostMs`: what one run may take; 0 leaves all to threads. */
  constructor(mostMs: number) {
    this.#mostMs = mostMs
  }

  get rows(): number {
    return this.#rows
  }

  ran(rows: number, ms: number): void {
    if (ms <= this.#mostMs) {
      this.#slow = 0
      this.#rows = Math.max(this.#rows, Math.min(rows, MOST_ROWS))
    } else if (rows <= this.#rows && ms > this.#mostMs * SLOW) {
      this.#slow++
      if (ms > FAR_TOO_SLOW_MS) this.#rows = 0
      else if (this.#slow >= SLOW_IN_A_ROW) this.#rows = rows >> 1
      else return
      this.#slow = 0
    }
  }
}
