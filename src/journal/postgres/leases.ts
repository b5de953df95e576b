// Until when this process's hosts hold their leases: what the store answered each renewal, by the store's clock, and judged by
// that clock again in the statement that begins a task, which need not look the lease up (ADR 22).
//
// It may be older than what the store knows, never newer: nobody takes a task from a host before this moment has come. Only a host
// itself ends its lease earlier, or who saw its process end.
export class Leases {
  readonly #until = new Map<string, number>()

  kept(hostId: string, until: number | undefined): void {
    if (until === undefined) this.#until.delete(hostId)
    else this.#until.set(hostId, until)
  }

  ended(hostId: string): void {
    this.#until.delete(hostId)
  }

  /** Undefined: the store must look. */
  until(hostId: string): number | undefined {
    return this.#until.get(hostId)
  }
}
