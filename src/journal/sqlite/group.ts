// Group commit: the works queued in one turn of the event loop go into one transaction, so they share one fsync.
//
// A work decides by reading (row counts, states) and refuses by returning or throwing a TroupeError *before* its first
// write; then its neighbours are untouched. Anything else that is thrown is a failure of the store: the transaction
// is rolled back and each work runs again alone, so that the one that fails takes nobody with it.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { TroupeError } from '../../contract/errors.ts'
import { sqliteCode, storeError } from './database.ts'

interface Waiting {
  work: (at: number) => unknown
  resolve: (value: never) => void
  reject: (error: unknown) => void
}

/** What a transaction gathers beside its works, and writes once before it commits. */
export interface Gathering {
  write(): void
  /** The transaction was rolled back. */
  forget(): void
}

/** More than this in one turn is a flood, not a group. */
const MAX_QUEUE = 50_000

export class CommitGroup {
  readonly #db: DatabaseSync
  readonly #file: string
  readonly #clock: () => number
  readonly #gatherings: Gathering[]
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  #queue: Waiting[] = []
  #lastTime = 0
  #closed = false

  constructor(db: DatabaseSync, file: string, clock: () => number, gatherings: Gathering[]) {
    this.#db = db
    this.#file = file
    this.#clock = clock
    this.#gatherings = gatherings
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#commit = db.prepare('COMMIT')
  }

  /** Runs the work inside the next transaction; resolves after its fsync (P1). */
  run<T>(work: (at: number) => T): Promise<T> {
    if (this.#closed) return Promise.reject(new TroupeError('journal_unavailable', `${this.#file} is closed`))
    if (this.#queue.length >= MAX_QUEUE) {
      return Promise.reject(new TroupeError('overloaded', `${MAX_QUEUE} commits wait for ${this.#file}`))
    }
    return new Promise<T>((resolve, reject) => {
      if (this.#queue.push({ work, resolve, reject }) === 1) setImmediate(() => this.#flush())
    })
  }

  /** A read; like a commit it fails with a coded error. */
  async read<T>(ask: () => T | Promise<T>): Promise<T> {
    if (this.#closed) throw new TroupeError('journal_unavailable', `${this.#file} is closed`)
    try {
      return await ask()
    } catch (thrown) {
      throw storeError(thrown, this.#file)
    }
  }

  /** The store's time: never behind what it said before. */
  now(): number {
    const now = this.#clock()
    if (now > this.#lastTime) this.#lastTime = now
    return this.#lastTime
  }

  /** What was queued is still written. False when it was closed before. */
  close(): boolean {
    if (this.#closed) return false
    this.#flush()
    this.#closed = true
    return true
  }

  #flush(): void {
    const queue = this.#queue
    if (queue.length === 0) return
    this.#queue = []
    try {
      settle(queue, this.#transaction(queue))
    } catch (thrown) {
      if (queue.length === 1 || failsForAll(thrown)) {
        const error = storeError(thrown, this.#file)
        for (const { reject } of queue) reject(error)
        return
      }
      for (const one of queue) this.#alone(one)
    }
  }

  #alone(one: Waiting): void {
    try {
      settle([one], this.#transaction([one]))
    } catch (thrown) {
      one.reject(storeError(thrown, this.#file))
    }
  }

  #transaction(queue: Waiting[]): Outcome[] {
    const at = this.now()
    this.#begin.run()
    try {
      const outcomes: Outcome[] = []
      for (const { work } of queue) outcomes.push(attempt(work, at))
      for (const gathering of this.#gatherings) gathering.write()
      this.#commit.run()
      return outcomes
    } catch (thrown) {
      for (const gathering of this.#gatherings) gathering.forget()
      // SQLite ends the transaction itself after some failures (a full disk is one).
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw thrown
    }
  }
}

type Outcome = { value: unknown } | { refused: TroupeError }

function attempt(work: (at: number) => unknown, at: number): Outcome {
  try {
    return { value: work(at) }
  } catch (thrown) {
    if (thrown instanceof TroupeError) return { refused: thrown }
    throw thrown
  }
}

function settle(queue: Waiting[], outcomes: Outcome[]): void {
  for (let index = 0; index < queue.length; index++) {
    const { resolve, reject } = queue[index]!
    const outcome = outcomes[index]!
    if ('refused' in outcome) reject(outcome.refused)
    else resolve(outcome.value as never)
  }
}

function failsForAll(thrown: unknown): boolean {
  const code = storeError(thrown, '').code
  return sqliteCode(thrown) !== undefined && code !== 'internal'
}
