// Puts on disk what was committed. SQLite writes its log and leaves the fsync of a commit to this, so that the event loop
// can do other work meanwhile. P1 is kept by whoever answers: only after a sync that began after the commit.
// docs/adr/0031-the-disk-works-while-requests-are-read.md
import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs'

/**
 * Node's threads may all be held up by something else (four look-ups of names while the name server is away): then the
 * event loop does it itself, or leases would end.
 */
const PATIENCE_MS = 50

/** The system's calls, which a test replaces to make a disk slow or broken. */
export interface Disk {
  sync(file: number, done: (error: Error | null) => void): void
  syncNow(file: number): void
}

const DISK: Disk = { sync: fdatasync, syncNow: fdatasyncSync }

export class LogSync {
  readonly #file: number
  readonly #disk: Disk
  readonly #patienceMs: number
  #running: PromiseWithResolvers<void> | undefined
  #failure: unknown
  /** Calls that a thread has not come back from, those done in its place included. */
  #calls = 0
  #closed = false

  /** The log of an open database: SQLite keeps its file until the last connection closes. */
  constructor(log: string, disk = DISK, patienceMs = PATIENCE_MS) {
    this.#file = openSync(log, 'r+')
    this.#disk = disk
    this.#patienceMs = patienceMs
  }

  /** The sync that runs; nothing is committed meanwhile. */
  get pending(): Promise<void> | undefined {
    return this.#running?.promise
  }

  /**
   * Why nothing can be promised any more. A kernel says once that pages could not be written and takes them for clean
   * afterwards, so a sync that works later proves nothing: only opening the journal again shows what is on disk.
   */
  get failure(): unknown {
    return this.#failure
  }

  now(): void {
    try {
      this.#disk.syncNow(this.#file)
    } catch (thrown) {
      this.#failure ??= thrown
      throw thrown
    }
  }

  /** By a thread, while the event loop goes on. */
  soon(): Promise<void> {
    const running = Promise.withResolvers<void>()
    this.#running = running
    const late = setTimeout(() => this.#insteadOf(running), this.#patienceMs)
    this.#calls++
    this.#disk.sync(this.#file, (error) => {
      clearTimeout(late)
      this.#calls--
      this.#ended(running, error)
      if (this.#closed && this.#calls === 0) closeSync(this.#file)
    })
    return running.promise
  }

  /** After the last commit. */
  close(): void {
    this.#closed = true
    if (this.#calls === 0) closeSync(this.#file)
  }

  #insteadOf(running: PromiseWithResolvers<void>): void {
    try {
      this.now()
      this.#ended(running, null)
    } catch (thrown) {
      this.#ended(running, thrown)
    }
  }

  #ended(running: PromiseWithResolvers<void>, error: unknown): void {
    if (error !== null) this.#failure ??= error
    if (this.#running === running) this.#running = undefined
    if (error === null) running.resolve()
    else running.reject(error)
  }
}
