// How many rows one run takes. Who knows the model says it (model.json, the worker's options). Where nobody does, 64, and
// more for a model that computes so quickly that handing a batch over costs more than its rows.
//
// And how many rows are worth lying ready in the thread while it computes others: a full run's, since one that is not
// full rather gathers; fewer of a quick model, whose thread would go to sleep and be woken for each run.
const USUAL_ROWS = 64
const MOST_ROWS = 256
const READY_ROWS = 16
/** A run of more rows than usual may take this long: others wait behind it. */
const QUICK_MS = 2
/** Of what the last run took, in the mean. */
const WEIGHT = 0.2

export class BatchSize {
  readonly #fixed: boolean
  #rows: number
  #msOfRow = Number.POSITIVE_INFINITY

  constructor(fixed: number | undefined) {
    this.#fixed = fixed !== undefined
    this.#rows = fixed ?? USUAL_ROWS
  }

  get rows(): number {
    return this.#rows
  }

  get readyRows(): number {
    return this.#rows > USUAL_ROWS && !this.#fixed ? READY_ROWS : this.#rows
  }

  ran(rows: number, ms: number): void {
    // A small run tells more of what a run costs than of what a row does.
    if (this.#fixed || rows < USUAL_ROWS / 2) return
    const now = ms / rows
    const mean = Number.isFinite(this.#msOfRow) ? this.#msOfRow * (1 - WEIGHT) + now * WEIGHT : now
    // Careful both ways: it grows with the mean, and shrinks with the first run that was slow.
    this.#msOfRow = Math.max(mean, now)
    this.#rows = Math.min(MOST_ROWS, Math.max(USUAL_ROWS, Math.floor(QUICK_MS / this.#msOfRow)))
  }
}
