// A lane: one connection that carries flights, one at a time.
//
// A flight has a number. When the connection is cut while it is under way, it is in doubt: the lane asks again under the
// same number, and the database either applies it or returns the answer it gave the first time (apply-function.ts).
// A lone statement's answer is not kept, but what it wrote is recognised.
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { toTroupeError } from '../../contract/errors.ts'
import { settle } from './answers.ts'
import { type Address, Line, pauseMs } from './connection.ts'
import { failureOf, isTaken, storeError } from './errors.ts'
import { makeFlush, type Op } from './flush.ts'
import type { Leases } from './leases.ts'
import { loneFlight } from './lone.ts'

// A plan is made once per connection, perhaps while the tables are empty. These prices make it look rows up by their
// index even then, or it would scan whole tables for as long as it lives.
const SETTINGS = [
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'random_page_cost=0.1',
  'cpu_tuple_cost=0.1',
  'jit=off',
  'plan_cache_mode=force_generic_plan',
]

const CLOSE_LANE = 'DELETE FROM lanes WHERE id = $1'
const APPLY = `SELECT apply_6(${Array.from({ length: 22 }, (_, index) => `$${index + 1}`).join(', ')}) AS answer`

export class Lane {
  readonly #id = randomUUID()
  readonly #line: Line
  readonly #leases: Leases
  readonly #patienceMs: number
  readonly #closing: AbortSignal
  #number = 0

  constructor(address: Address, leases: Leases, closing: AbortSignal) {
    this.#line = new Line(address, SETTINGS)
    this.#leases = leases
    this.#patienceMs = address.patienceMs
    this.#closing = closing
  }

  /** Never fails: each op is told. False when the database is away, so that nobody waits as long again behind it. */
  async fly(ops: Op[]): Promise<boolean> {
    let tell: () => void
    try {
      tell = await this.#apply(ops)
    } catch (thrown) {
      const refused = failureOf(thrown) === 'refused'
      if (refused && ops.length > 1) {
        // One of them is not to the database's liking; it must not take the others with it.
        for (const op of ops) await this.fly([op])
        return true
      }
      const error = storeError(thrown)
      for (const op of ops) op.reject(error)
      return refused
    }
    try {
      tell()
    } catch (defect) {
      // Whoever was told keeps what he was told; nobody waits for ever.
      for (const op of ops) op.reject(toTroupeError(defect))
    }
    return true
  }

  async close(): Promise<void> {
    await this.#line.close({ text: CLOSE_LANE, values: [this.#id] })
  }

  /** What is to be told to whom, once it is on disk. */
  async #apply(ops: Op[]): Promise<() => void> {
    const number = ++this.#number
    const until = performance.now() + this.#patienceMs
    const lone = loneFlight(ops, this.#leases)
    let attempt = 0
    let inDoubt = false
    if (lone !== undefined) {
      try {
        const fields = await this.#line.ask(lone)
        if (fields !== undefined) return () => lone.tell(fields)
      } catch (thrown) {
        inDoubt = failureOf(thrown) === 'connection'
        if (!isTaken(thrown)) await this.#rest(thrown, attempt++, until)
      }
    }
    for (; ; attempt++) {
      try {
        const { values, firsts } = makeFlush(ops)
        const fields = await this.#line.ask({
          name: 'apply',
          text: APPLY,
          values: [this.#id, number, attempt > 0, inDoubt, ...values],
        })
        return () => settle(ops, firsts, JSON.parse(fields![0]!))
      } catch (thrown) {
        await this.#rest(thrown, attempt, until)
      }
    }
  }

  /** Before it is asked again; fails when that would be in vain. */
  async #rest(thrown: unknown, attempt: number, until: number): Promise<void> {
    const pause = pauseMs(attempt)
    const late = performance.now() + pause > until
    if (failureOf(thrown) === 'refused' || late || this.#closing.aborted) throw thrown
    await wait(pause, undefined, { signal: this.#closing }).catch(() => {})
  }
}
