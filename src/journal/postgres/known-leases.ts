// Which leases were renewed through this process, and how long each lasts at least: counted from before the renewal was
// asked for, so never longer than the database thinks, as long as both clocks run alike.
//
// A host that begins a new task under such a lease is not looked up again. Should the lease have ended all the same, because
// somebody saw the host die, nothing is lost: nobody else can have the task yet, and it is taken over with the host's others.
export class KnownLeases {
  readonly #until = new Map<string, number>()

  renewed(hostId: string, askedAt: number, leaseMs: number): void {
    for (const [other, until] of this.#until) if (until <= askedAt) this.#until.delete(other)
    this.#until.set(hostId, askedAt + leaseMs)
  }

  ended(hostId: string): void {
    this.#until.delete(hostId)
  }

  lasts(hostId: string): boolean {
    return performance.now() < (this.#until.get(hostId) ?? 0)
  }
}
