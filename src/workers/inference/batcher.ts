// Dynamic batching across callers. While the model is busy, requests gather; when it is free, those that fit together
// go as one run. A lone request never waits for company; only under load may a batch that is not full wait a little.
import { TroupeError } from '../../contract/errors.ts'

/** One request in the queue. */
export interface Job {
  rows: number
  bytes: number
  /** Jobs of one kind (same inputs, same shape of a row) may share a run. */
  kind: string
  /** Milliseconds since 1970; Infinity without one. */
  deadline: number
  /** Set by the caller that no longer wants it; a job that waits is then dropped. */
  cancelled: boolean
  queuedAt: number
  fail(error: TroupeError): void
}

export interface BatchLimits {
  /** Rows of one run. Absent: as many as suit the model (batch-size.ts). */
  maxRows?: number | undefined
  maxDelayMs: number
  maxQueueRows: number
  /** Bytes of waiting inputs: rows alone do not bound memory, a row may be an image. */
  maxQueueBytes: number
}

/** Time and turns of the event loop; tests drive their own. */
export interface Clock {
  now(): number
  /** Soon, after what is arriving right now has been read. */
  defer(run: () => void): void
  after(ms: number, run: () => void): void
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  defer: setImmediate,
  after: (ms, run) => void setTimeout(run, ms),
}

export class Batcher<Each extends Job> {
  /** Rows of one run. */
  maxRows: number
  readonly #limits: BatchLimits
  readonly #clock: Clock
  readonly #free: () => boolean
  readonly #run: (jobs: Each[]) => void
  #queue: Each[] = []
  #queuedRows = 0
  #queuedBytes = 0
  #running = 0
  #lastArrival = Number.NEGATIVE_INFINITY
  #pumping = false
  #waiting = false

  /** `free`: can the model take a run now? `run`: take it; call `finished` after it. */
  constructor(
    limits: BatchLimits & { maxRows: number },
    free: () => boolean,
    run: (jobs: Each[]) => void,
    clock = SYSTEM_CLOCK,
  ) {
    this.#limits = limits
    this.maxRows = limits.maxRows
    this.#free = free
    this.#run = run
    this.#clock = clock
  }

  get queuedRows(): number {
    return this.#queuedRows
  }

  get running(): number {
    return this.#running
  }

  add(job: Each): void {
    if (job.rows > this.#limits.maxQueueRows) {
      throw new TroupeError('invalid_input', `${job.rows} rows in one request, at most ${this.#limits.maxQueueRows}`)
    }
    if (this.#queuedRows + job.rows > this.#limits.maxQueueRows) {
      throw new TroupeError('overloaded', `the queue is full: ${this.#queuedRows} rows wait`)
    }
    if (this.#queuedRows > 0 && this.#queuedBytes + job.bytes > this.#limits.maxQueueBytes) {
      throw new TroupeError('overloaded', `the queue is full: ${this.#queuedBytes} bytes wait`)
    }
    this.#queue.push(job)
    this.#queuedRows += job.rows
    this.#queuedBytes += job.bytes
    this.#soon()
  }

  finished(): void {
    this.#running--
    this.pump()
  }

  /** Fails what waits; what runs goes on. */
  clear(error: TroupeError): void {
    const dropped = this.#queue
    this.#queue = []
    this.#queuedRows = 0
    this.#queuedBytes = 0
    for (const job of dropped) job.fail(error)
  }

  pump(): void {
    while (this.#queue.length > 0 && this.#free()) {
      const batch = this.#take()
      if (batch.length === 0) return
      this.#running++
      this.#run(batch)
    }
  }

  /** Requests that arrive in one packet are read one after another: a turn later all of them are here. */
  #soon(): void {
    if (this.#pumping) return
    this.#pumping = true
    this.#clock.defer(() => {
      this.#pumping = false
      this.pump()
    })
  }

  /** The oldest job and those behind it that can share its run; empty when it is worth waiting for more. */
  #take(): Each[] {
    const now = this.#clock.now()
    this.#dropDead(now)
    const first = this.#queue[0]
    if (first === undefined) return []
    let rows = 0
    let fitting = 0
    for (const job of this.#queue) {
      if (job.kind !== first.kind || (fitting > 0 && rows + job.rows > this.maxRows)) break
      rows += job.rows
      fitting++
    }
    const full = rows >= this.maxRows || fitting < this.#queue.length
    if (!full && this.#worthWaiting(first, now)) return []
    this.#lastArrival = this.#queue[fitting - 1]!.queuedAt
    const batch = this.#queue.splice(0, fitting)
    this.#queuedRows -= rows
    for (const job of batch) this.#queuedBytes -= job.bytes
    return batch
  }

  #worthWaiting(first: Each, now: number): boolean {
    const { maxDelayMs } = this.#limits
    const left = first.queuedAt + maxDelayMs - now
    const alone = this.#queue.length === 1 && this.#running === 0 && first.queuedAt - this.#lastArrival > maxDelayMs
    if (left <= 0 || alone) return false
    if (!this.#waiting) {
      this.#waiting = true
      this.#clock.after(left, () => {
        this.#waiting = false
        this.pump()
      })
    }
    return true
  }

  #dropDead(now: number): void {
    if (!this.#queue.some((job) => job.cancelled || job.deadline <= now)) return
    const dead = this.#queue.filter((job) => job.cancelled || job.deadline <= now)
    this.#queue = this.#queue.filter((job) => !job.cancelled && job.deadline > now)
    for (const job of dead) {
      this.#queuedRows -= job.rows
      this.#queuedBytes -= job.bytes
      job.fail(
        job.cancelled
          ? new TroupeError('cancelled', 'the caller gave up while the request waited')
          : new TroupeError('deadline_exceeded', 'the deadline passed while the request waited'),
      )
    }
  }
}
