// Group commit: while one flush is under way, what comes queues, and goes as the next one. A few lanes, a connection
// each; all that concerns one task goes through one lane, so it stays in order (P4).
//
// A flush has a number. When the connection is cut while it is under way, it is in doubt: the lane asks again under the
// same number, and the database either applies it or returns the answer it gave the first time (apply-function.ts).
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { TroupeError } from '../../contract/errors.ts'
import { type Address, Line, pauseMs } from './connection.ts'
import { failureOf, storeError } from './errors.ts'
import { type Answer, flushValues, type Op, settle } from './flush.ts'

/** Ops in one flush, and waiting in one lane. More waiting means that the database is too slow for what comes. */
const MAX_FLUSH = 256
const MAX_QUEUE = 20_000

// A plan is made once per connection, perhaps while the tables are empty. These prices make it look rows up by their
// index even then, or it would scan whole tables for as long as it lives.
const SETTINGS = [
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'random_page_cost=0.1',
  'cpu_tuple_cost=0.1',
  'jit=off',
]

const CLOSE_LANE = 'DELETE FROM lanes WHERE id = $1'
const APPLY = 'SELECT apply_2($1, $2, $3, $4, $5, $6, $7, $8, $9) AS answer'

export class Lane {
  readonly #id = randomUUID()
  readonly #line: Line
  readonly #patienceMs: number
  readonly #closing: AbortSignal
  #queue: Op[] = []
  #number = 0
  #running: Promise<void> | undefined

  constructor(address: Address, closing: AbortSignal) {
    this.#line = new Line(address, SETTINGS)
    this.#patienceMs = address.patienceMs
    this.#closing = closing
  }

  put(op: Op): void {
    if (this.#closing.aborted) {
      op.reject(new TroupeError('journal_unavailable', 'the journal is closed'))
      return
    }
    if (this.#queue.length >= MAX_QUEUE) {
      op.reject(new TroupeError('overloaded', `${MAX_QUEUE} commits wait for Postgres`))
      return
    }
    this.#queue.push(op)
    this.#running ??= this.#run()
  }

  /** What was queued is still written. */
  async close(): Promise<void> {
    await this.#running
    await this.#line.close({ text: CLOSE_LANE, values: [this.#id] })
  }

  async #run(): Promise<void> {
    // The rest of this turn of the event loop belongs to the same flush.
    await new Promise(setImmediate)
    while (this.#queue.length > 0) await this.#flush(this.#take())
    this.#running = undefined
  }

  /** One commit per task and flush: the second could only be judged after the first. */
  #take(): Op[] {
    const tasks = new Set<string>()
    let end = 0
    for (; end < this.#queue.length && end < MAX_FLUSH; end++) {
      const op = this.#queue[end]!
      if (op.kind !== 'commit') continue
      if (tasks.has(op.prepared.commit.taskId)) break
      tasks.add(op.prepared.commit.taskId)
    }
    return this.#queue.splice(0, end)
  }

  async #flush(ops: Op[]): Promise<void> {
    try {
      settle(ops, await this.#apply(ops))
    } catch (thrown) {
      const refused = failureOf(thrown) === 'refused'
      if (refused && ops.length > 1) {
        // One of them is not to the database's liking; it must not take the others with it.
        for (const op of ops) await this.#flush([op])
        return
      }
      const error = storeError(thrown)
      for (const op of ops) op.reject(error)
      // The database is away: who waits behind would wait as long again, for nothing.
      if (!refused) for (const op of this.#queue.splice(0)) op.reject(error)
    }
  }

  async #apply(ops: Op[]): Promise<Answer> {
    const number = ++this.#number
    const values = [this.#id, number, ...flushValues(ops)]
    const until = performance.now() + this.#patienceMs
    for (let attempt = 0; ; attempt++) {
      try {
        const { rows } = await this.#line.query({ name: 'apply', text: APPLY, values })
        return JSON.parse(rows[0].answer)
      } catch (thrown) {
        const pause = pauseMs(attempt)
        const hopeless = failureOf(thrown) === 'refused' || performance.now() + pause > until || this.#closing.aborted
        if (hopeless) throw thrown
        await wait(pause, undefined, { signal: this.#closing }).catch(() => {})
      }
    }
  }
}
