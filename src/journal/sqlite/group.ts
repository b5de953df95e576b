// Group commit: works that come together go into one transaction, so they share one fsync; what comes while the disk
// works is the next group.
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
/** Fewer works than this are synced in place: a thread's answer would come later than the disk's. */
const COMPANY = 8
/**
 * Where the last group had company, the next one gathers its own for as long as the disk needs for a sync, within these
 * bounds: shorter, and each request pays for more of the disk's and of SQLite's work; longer, and only waiting is won.
 */
const GATHER_MS = { least: 1, most: 8 }

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
  #seen = 0
  #gatheredSince = 0
  #hadCompany = false
  #changed = 0
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
      if (this.#queue.push({ work, resolve, reject }) === 1) this.#gather()
    })
  }

  /** A read; like a commit it fails with a coded error. Nobody is told what a power failure could still take back. */
  async read<T>(ask: () => T | Promise<T>): Promise<T> {
    const unusable = this.#unusable()
    if (unusable !== undefined) throw unusable
    const { pending } = this.#sync
    try {
      const answer = await ask()
      if (pending !== undefined) await pending
      return answer
    } catch (thrown) {
      throw this.#unusable() ?? storeError(thrown, this.#file)
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
    await this.#sync.pending?.catch(() => {})
    this.#flush(true)
    return true
  }

  #unusable(): TroupeError | undefined {
    if (this.#closed) return new TroupeError('journal_unavailable', `${this.#file} is closed`)
    const cause = this.#sync.failure
    return cause === undefined ? undefined : this.#failed(cause)
  }

  #failed(cause: unknown): TroupeError {
    const message = `${this.#file} could not be put on disk; only a restart shows what is there`
    return new TroupeError('journal_unavailable', message, { cause })
  }

  #gather(): void {
    this.#seen = 0
    this.#gatheredSince = performance.now()
    setImmediate(this.#look)
  }

  readonly #look = (): void => {
    // When the disk has done its work, what waits is looked at again.
    if (this.#sync.pending !== undefined) return
    const { length } = this.#queue
    const grew = length > this.#seen
    const gatherMs = Math.min(GATHER_MS.most, Math.max(GATHER_MS.least, this.#sync.lastMs))
    if (grew && this.#hadCompany && performance.now() - this.#gatheredSince < gatherMs) {
      this.#seen = length
      setImmediate(this.#look)
      return
    }
    this.#flush(!grew)
  }

  /** `all`: a turn of the event loop brought nobody, so there is nothing to do while the disk works. */
  #flush(all: boolean): void {
    const queue = this.#queue
    if (queue.length === 0) return
    this.#queue = []
    const cause = this.#sync.failure
    if (cause !== undefined) {
      rejectAll(queue, this.#failed(cause))
      return
    }
    this.#hadCompany = queue.length >= COMPANY
    let outcomes: Outcome[]
    try {
      outcomes = this.#transaction(queue)
    } catch (thrown) {
      if (queue.length === 1 || failsForAll(thrown)) rejectAll(queue, storeError(thrown, this.#file))
      else for (const one of queue) this.#alone(one)
      return
    }
    this.#settle(queue, outcomes, all || queue.length < COMPANY)
  }

  #alone(one: Waiting): void {
    let outcomes: Outcome[]
    try {
      outcomes = this.#transaction([one])
    } catch (thrown) {
      one.reject(storeError(thrown, this.#file))
      return
    }
    this.#settle([one], outcomes, true)
  }

  /** P1: after the sync. */
  #settle(queue: Waiting[], outcomes: Outcome[], inPlace: boolean): void {
    const changed = Number(this.#changes.get()?.changes)
    const wrote = changed !== this.#changed
    this.#changed = changed
    if (!inPlace && wrote) {
      const fail = (cause: unknown) => rejectAll(queue, this.#failed(cause))
      void this.#sync
        .soon()
        .then(() => answer(queue, outcomes), fail)
        .then(this.#again)
      return
    }
    try {
      if (wrote) this.#sync.now()
    } catch (cause) {
      rejectAll(queue, this.#failed(cause))
      return
    }
    answer(queue, outcomes)
  }

  readonly #again = (): void => {
    if (this.#queue.length > 0) this.#gather()
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

function answer(queue: Waiting[], outcomes: Outcome[]): void {
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
