/**
 * Does one thing after another. What concerns one child must not overlap (a start with a stop, two restarts), and under
 * a strategy that couples siblings nothing of the whole family may.
 */
export class Lane {
  #last: Promise<unknown> = Promise.resolve()

  run<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const result = this.#last.then(work)
    // The caller hears of the failure; the next in line must run all the same.
    this.#last = result.catch(() => undefined)
    return result
  }
}
