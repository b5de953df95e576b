// Group commit: works that come together go into one transaction, so they share one fsync. While the disk works on one
// group the event loop gathers the next.
//
// A work decides by reading (row counts, states) and refuses by returning or throwing a TroupeError *before* its first
// write; then its neighbours are untouched. Anything else that is thrown is a failure of the store: the transaction
// is rolled back and each work runs again alone, so that the one that fails takes nobody with it.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { TroupeError } from '../../contract/errors.ts'
import { sqliteCode, storeError } from './database.ts'
import type { LogSync } from './log-sync.ts'

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
/** For fewer works than this nothing is gained by a thread: its answer comes later than the disk's. */
const COMPANY = 8

export class CommitGroup {
  readonly #db: DatabaseSync
  readonly #sync: LogSync
  readonly #file: string
  readonly #clock: () => number
  readonly #gatherings: Gathering[]
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #changes: StatementSync
  #queue: Waiting[] = []
  /** So many were in a group during whose sync nobody came, or would have come: all callers there are. */
  #everybody = Number.POSITIVE_INFINITY
  #changed: unknown
  #lastTime = 0
  #closed = false

  constructor(db: DatabaseSync, sync: LogSync, file: string, clock: () => number, gatherings: Gathering[]) {
    this.#db = db
    this.#sync = sync
    this.#file = file
    this.#clock = clock
    this.#gatherings = gatherings
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#commit = db.prepare('COMMIT')
    this.#changes = db.prepare('SELECT total_changes() AS changes')
  }

  /** Runs the work inside the next transaction; resolves after its fsync (P1). */
  run<T>(work: (at: number) => T): Promise<T> {
    const unusable = this.#unusable()
    if (unusable !== undefined) return Promise.reject(unusable)
    if (this.#queue.length >= MAX_QUEUE) {
      return Promise.reject(new TroupeError('overloaded', `${MAX_QUEUE} commits wait for ${this.#file}`))
    }
    return new Promise<T>((resolve, reject) => {
      if (this.#queue.push({ work, resolve, reject }) === 1) setImmediate(this.#look)
    })
  }

  /** A read; like a commit it fails with a coded error. Nobody is told what a power failure could still take back. */
  async read<T>(ask: () => T | Promise<T>): Promise<T> {
    const unusable = this.#unusable()
    if (unusable !== undefined) throw unusable
    try {
      const answer = await ask()
      if (this.#sync.pending !== undefined) await this.#sync.pending
      const failed = this.#failed()
      if (failed !== undefined) throw failed
      return answer
    } catch (thrown) {
      throw this.#failed() ?? storeError(thrown, this.#file)
    }
  }

  /** The store's time: never behind what it said before. */
  now(): number {
    const now = this.#clock()
    if (now > this.#lastTime) this.#lastTime = now
    return this.#lastTime
  }

  /** What was queued is still written. False when it was closed before. */
  async close(): Promise<boolean> {
    if (this.#closed) return false
    this.#closed = true
    while (this.#sync.pending !== undefined) await this.#sync.pending.catch(() => {})
    this.#flush('in place')
    return true
  }

  #unusable(): TroupeError | undefined {
    if (this.#closed) return new TroupeError('journal_unavailable', `${this.#file} is closed`)
    return this.#failed()
  }

  #failed(): TroupeError | undefined {
    const cause = this.#sync.failure
    if (cause === undefined) return undefined
    const message = `${this.#file} could not be put on disk; only a restart shows what is there`
    return new TroupeError('journal_unavailable', message, { cause })
  }

  readonly #look = (): void => {
    // When the disk has done its work, what waits is looked at again.
    if (this.#sync.pending !== undefined) return
    const { length } = this.#queue
    if (length < COMPANY) this.#flush('in place')
    else if (length < this.#everybody) this.#flush('meanwhile')
    else {
      // All callers wait for the disk, so the event loop has nothing better to do.
      this.#everybody = length
      this.#flush('in place')
    }
  }

  #flush(synced: 'in place' | 'meanwhile'): void {
    const queue = this.#queue
    if (queue.length === 0) return
    this.#queue = []
    const failed = this.#failed()
    if (failed !== undefined) {
      rejectAll(queue, failed)
      return
    }
    let outcomes: Outcome[]
    try {
      outcomes = this.#transaction(queue)
    } catch (thrown) {
      if (queue.length === 1 || failsForAll(thrown)) rejectAll(queue, storeError(thrown, this.#file))
      else for (const one of queue) this.#alone(one)
      return
    }
    if (!this.#wrote()) settle(queue, outcomes)
    else if (synced === 'in place') this.#syncInPlace(queue, outcomes)
    else void this.#syncMeanwhile(queue, outcomes)
  }

  #alone(one: Waiting): void {
    let outcomes: Outcome[]
    try {
      outcomes = this.#transaction([one])
    } catch (thrown) {
      one.reject(storeError(thrown, this.#file))
      return
    }
    if (this.#wrote()) this.#syncInPlace([one], outcomes)
    else settle([one], outcomes)
  }

  /** Without a change there is nothing to put on disk: all that was committed before is there. */
  #wrote(): boolean {
    const changed = this.#changes.get()?.changes
    const wrote = changed !== this.#changed
    this.#changed = changed
    return wrote
  }

  #syncInPlace(queue: Waiting[], outcomes: Outcome[]): void {
    try {
      this.#sync.now()
    } catch {
      rejectAll(queue, this.#failed()!)
      return
    }
    settle(queue, outcomes)
  }

  async #syncMeanwhile(queue: Waiting[], outcomes: Outcome[]): Promise<void> {
    try {
      await this.#sync.soon()
    } catch {
      rejectAll(queue, this.#failed()!)
      // Refused as well.
      this.#flush('in place')
      return
    }
    settle(queue, outcomes)
    // Their callers go on when this returns: by then the disk works on the next group.
    if (this.#queue.length >= COMPANY) this.#flush('meanwhile')
    else if (this.#queue.length > 0) setImmediate(this.#look)
    else this.#everybody = queue.length
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

function rejectAll(queue: Waiting[], error: TroupeError): void {
  for (const { reject } of queue) reject(error)
}

function failsForAll(thrown: unknown): boolean {
  const code = storeError(thrown, '').code
  return sqliteCode(thrown) !== undefined && code !== 'internal'
}
