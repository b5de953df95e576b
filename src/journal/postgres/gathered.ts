// Reads by id that are asked for in one turn of the event loop become one query.
interface Waiting<Row> {
  id: string
  resolve: (row: Row | undefined) => void
  reject: (error: unknown) => void
}

const MAX_IDS = 500

export class Gathered<Row extends { id: string }> {
  readonly #fetch: (ids: string[]) => Promise<Row[]>
  #waiting: Waiting<Row>[] = []

  constructor(fetch: (ids: string[]) => Promise<Row[]>) {
    this.#fetch = fetch
  }

  get(id: string): Promise<Row | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ id, resolve, reject }) === 1) setImmediate(() => this.#ask())
    })
  }

  #ask(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (let start = 0; start < waiting.length; start += MAX_IDS) this.#answer(waiting.slice(start, start + MAX_IDS))
  }

  async #answer(waiting: Waiting<Row>[]): Promise<void> {
    try {
      const rows = await this.#fetch([...new Set(waiting.map(({ id }) => id))])
      const byId = new Map(rows.map((row) => [row.id, row]))
      for (const { id, resolve } of waiting) {
        // Each caller gets a row of its own: large values are filled in in place.
        const row = byId.get(id)
        resolve(row === undefined ? undefined : { ...row })
      }
    } catch (thrown) {
      for (const { reject } of waiting) reject(thrown)
    }
  }
}
