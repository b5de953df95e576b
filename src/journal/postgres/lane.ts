// A lane: one connection that carries flights, one at a time.
//
// A flight has a number. When the connection is cut while it is under way, it is in doubt: the lane asks again under the
// same number, and the database either applies it or returns the answer it gave the first time (apply-function.ts).
// A lone statement's answer is not kept, but what it wrote is recognised.
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { type TroupeError, toTroupeError } from '../../contract/errors.ts'
import { type Answer, settle } from './answers.ts'
import { type Address, Line, pauseMs } from './connection.ts'
import { failureOf, isTaken, storeError } from './errors.ts'
import { makeFlush, type Op } from './flush.ts'
import type { Leases } from './leases.ts'
import { type Lone, loneFlight } from './lone.ts'

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

interface Flight {
  ops: Op[]
  number: number
  /** When patience ends. */
  until: number
}

interface Applied {
  answer: Answer
  firsts: ReadonlyMap<number, number>
}

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

  /**
   * Each op is told, whatever happens. `landed` with false: the database is away, and nobody shall wait as long again behind
   * this flight.
   */
  fly(ops: Op[], landed: (answered: boolean) => void): void {
    const flight = { ops, number: ++this.#number, until: performance.now() + this.#patienceMs }
    const carry = (failed?: unknown) => void this.#carry(flight, failed).then(landed)
    let lone: Lone | undefined
    try {
      lone = loneFlight(ops, this.#leases)
    } catch (defect) {
      rejectAll(ops, toTroupeError(defect))
      landed(true)
      return
    }
    if (lone === undefined) {
      carry()
      return
    }
    const { tell } = lone
    this.#line.put(lone, {
      failed: carry,
      answered(fields) {
        if (fields !== undefined) {
          tellAll(ops, () => tell(fields))
          landed(true)
        } else carry()
      },
    })
  }

  async close(): Promise<void> {
    await this.#line.close({ text: CLOSE_LANE, values: [this.#id] })
  }

  /** By the function; `failed`: how the short way did. */
  async #carry(flight: Flight, failed: unknown): Promise<boolean> {
    const { ops } = flight
    try {
      const { answer, firsts } = await this.#apply(flight, failed)
      tellAll(ops, () => settle(ops, firsts, answer))
      return true
    } catch (thrown) {
      const refused = failureOf(thrown) === 'refused'
      if (refused && ops.length > 1) {
        // One of them is not to the database's liking; it must not take the others with it.
        for (const op of ops) await new Promise<boolean>((landed) => this.fly([op], landed))
        return true
      }
      rejectAll(ops, storeError(thrown))
      return refused
    }
  }

  async #apply({ ops, number, until }: Flight, failed: unknown): Promise<Applied> {
    const inDoubt = failed !== undefined && failureOf(failed) === 'connection'
    let attempt = 0
    if (failed !== undefined && !isTaken(failed)) await this.#rest(failed, attempt++, until)
    for (; ; attempt++) {
      try {
        const { values, firsts } = makeFlush(ops)
        const asked = [this.#id, number, attempt > 0, inDoubt, ...values]
        const fields = await this.#line.ask({ name: 'apply', text: APPLY, values: asked })
        return { answer: JSON.parse(fields![0]!), firsts }
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

/** Whoever was told keeps what he was told; nobody waits for ever. */
function tellAll(ops: readonly Op[], tell: () => void): void {
  try {
    tell()
  } catch (defect) {
    rejectAll(ops, toTroupeError(defect))
  }
}

function rejectAll(ops: readonly Op[], error: TroupeError): void {
  for (const op of ops) op.reject(error)
}
