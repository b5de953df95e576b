// Remembers answers for a short time and never more than `size` of them: the least recently used one goes first.

export class BoundedCache<Value> {
  readonly #entries = new Map<string, { value: Value; until: number }>()
  readonly #size: number
  readonly #ttlMs: number
  readonly #now: () => number

  constructor(options: { size: number; ttlMs: number; now?: () => number }) {
    this.#size = options.size
    this.#ttlMs = options.ttlMs
    this.#now = options.now ?? Date.now
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.until <= this.#now()) {
      this.#entries.delete(key)
      return undefined
    }
    // A Map keeps the order of insertion: the entry just used becomes the youngest. While there is much room nobody has
    // to go, and the order is not worth what keeping it costs at each request.
    if (this.#entries.size > this.#size / 2) {
      this.#entries.delete(key)
      this.#entries.set(key, entry)
    }
    return entry.value
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, until: this.#now() + this.#ttlMs })
    if (this.#entries.size <= this.#size) return
    const oldest = this.#entries.keys().next().value
    if (oldest !== undefined) this.#entries.delete(oldest)
  }

  deleteWhere(matches: (value: Value) => boolean): void {
    for (const [key, entry] of this.#entries) if (matches(entry.value)) this.#entries.delete(key)
  }
}
