// The instances of one version: its threads, replaced when they die, and for a quick model one on the event loop.
import type { TroupeError } from '../../contract/errors.ts'
import type { SpareBuffers } from '../grpc/spare-buffers.ts'
import { type Instance, startInstance } from './instance.ts'
import { type LoopInstance, startLoopInstance, suitsLoop } from './loop-instance.ts'
import { LoopRows } from './loop-rows.ts'
import type { Measurements, ModelVersion } from './measurements.ts'
import type { OnnxFacts } from './onnx-scan.ts'
import type { RunnerSettings, Signature } from './runner.ts'

export interface InstancesOptions extends ModelVersion, RunnerSettings {
  facts: OnnxFacts
  /** Threads that compute at once. */
  instances: number
  /** What a run on the event loop may take; 0: none is made there. */
  loopMs: number
  measurements: Measurements
}

export type Computer = Pick<Instance, 'run'>

/** A thread that computes may hold one batch more: it lies there when it is needed. */
const MOST_BATCHES_OF_A_THREAD = 2
/** What handing a batch to a thread costs the event loop, counted in rows of a small network. */
const FEW_ROWS = 16
/** Times what a run on the event loop may take. A busy machine makes a quick model look slow; one that is not keeps out. */
const FAR_TOO_SLOW = 10
const MAX_DEATHS = 3
const DEATHS_WITHIN_MS = 60_000

export class Instances {
  readonly signature: Signature
  /** A thread has taken the place of a dead one. */
  onReplaced: () => void = () => {}
  /** Its threads died more often than replacing them can cure. */
  onLost: (error: TroupeError) => void = () => {}
  readonly #options: InstancesOptions
  readonly #settings: RunnerSettings
  readonly #buffers: SpareBuffers
  readonly #threads = new Set<Instance>()
  readonly #loopRows: LoopRows
  #loop: LoopInstance | undefined
  #loopWasLast = false
  #deaths: number[] = []
  #stopping = false

  static async start(options: InstancesOptions, buffers: SpareBuffers): Promise<Instances> {
    const { folder, model, providers, threads } = options
    const settings: RunnerSettings = { folder, model, providers, threads }
    const made: { instances?: Instances } = {}
    const onDeath = (error: TroupeError, thread: Instance): void => made.instances?.died(error, thread)
    const starting = await Promise.allSettled(
      Array.from({ length: options.instances }, () => startInstance(settings, onDeath, buffers)),
    )
    const started = starting.filter((each) => each.status === 'fulfilled').map(({ value }) => value)
    try {
      const failed = starting.find((each) => each.status === 'rejected')
      if (failed !== undefined) throw failed.reason
      made.instances = new Instances(options, settings, started, buffers)
      await made.instances.#startLoop(started[0]!)
      return made.instances
    } catch (error) {
      await Promise.all(started.map((thread) => thread.stop()))
      throw error
    }
  }

  private constructor(
    options: InstancesOptions,
    settings: RunnerSettings,
    threads: readonly Instance[],
    buffers: SpareBuffers,
  ) {
    this.#options = options
    this.#settings = settings
    this.#buffers = buffers
    for (const thread of threads) this.#threads.add(thread)
    this.signature = threads[0]!.signature
    this.#loopRows = new LoopRows(options.loopMs)
  }

  async #startLoop({ signature, smallRunMs }: Instance): Promise<void> {
    const { model, facts, loopMs } = this.#options
    if (smallRunMs > loopMs * FAR_TOO_SLOW || !suitsLoop(model, facts, signature)) return
    this.#loop = await startLoopInstance(this.#settings, this.#buffers)
  }

  /**
   * Rows of the run that can be made now, where so many wait; 0: none can. A thread takes `threadRows`, and of `readyRows`
   * a second batch. The loop takes few: their callers go on while it computes the next.
   */
  room(waitingRows: number, threadRows: number, readyRows: number): number {
    const running = this.leastBusy()?.running
    if (this.#suitsLoop(waitingRows)) return this.#loop!.busy || (running ?? 0) > 0 ? 0 : Math.min(threadRows, FEW_ROWS)
    const depth = waitingRows >= readyRows ? MOST_BATCHES_OF_A_THREAD : 1
    return running !== undefined && running < depth ? threadRows : 0
  }

  /** For a batch that there was `room` for. */
  choose(rows: number): Computer {
    this.#loopWasLast = this.#suitsLoop(rows) && !this.#loop!.busy
    return this.#loopWasLast ? this.#loop! : this.leastBusy()!
  }

  /** What any run took, wherever it was made. */
  ran(rows: number, ms: number): void {
    this.#loopRows.ran(rows, ms)
  }

  leastBusy(): Instance | undefined {
    let found: Instance | undefined
    for (const thread of this.#threads) {
      if (found === undefined || thread.running < found.running) found = thread
    }
    return found
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all([...this.#threads, this.#loop].map((instance) => instance?.stop()))
  }

  /**
   * The loop begins with few rows, and then keeps on with more, because computing them here costs less in all. Where more
   * wait than that, threads compute beside the loop; it comes back when again only few wait.
   */
  #suitsLoop(rows: number): boolean {
    const most = this.#loopRows.rows
    return this.#loop !== undefined && rows <= (this.#loopWasLast ? most : Math.min(most, FEW_ROWS))
  }

  private died(error: TroupeError, thread: Instance): void {
    this.#threads.delete(thread)
    if (this.#stopping) return
    const now = performance.now()
    this.#deaths = [...this.#deaths.filter((at) => at > now - DEATHS_WITHIN_MS), now]
    this.#options.measurements.died(this.#options, error)
    if (this.#deaths.length > MAX_DEATHS) this.#fail(error)
    else void this.#replace()
  }

  async #replace(): Promise<void> {
    try {
      const thread = await startInstance(this.#settings, (error, died) => this.died(error, died), this.#buffers)
      this.#threads.add(thread)
      if (this.#stopping) await thread.stop()
      else this.onReplaced()
    } catch (error) {
      this.#fail(error as TroupeError)
    }
  }

  #fail(error: TroupeError): void {
    if (this.#stopping || this.#threads.size > 0) return
    const loop = this.#loop
    this.#loop = undefined
    void loop?.stop()
    this.onLost(error)
  }
}
