// One version of a model that is being served: its instances, the queue before them, and what is measured on the way.
import { TroupeError } from '../../contract/errors.ts'
import { SpareBuffers } from '../grpc/spare-buffers.ts'
import { join, split } from './batch.ts'
import { BatchSize } from './batch-size.ts'
import { Batcher, type BatchLimits, type Job } from './batcher.ts'
import type { InferRequest } from './codec.ts'
import { DriftMonitor } from './drift.ts'
import { observe } from './drift-samples.ts'
import type { MovedTensor } from './instance-thread.ts'
import { type Computer, Instances, type InstancesOptions } from './instances.ts'
import type { PassedOver, Signature } from './runner.ts'
import { checkAgainst, checkTensor, type Tensor } from './tensor.ts'

export interface ServedModelOptions extends InstancesOptions {
  sha256: string
  /** What the probe found unavailable here. */
  passedOver: readonly PassedOver[]
  batching: BatchLimits
  /** Its threads died more often than replacing them can cure. */
  onFailed(error: TroupeError): void
}

interface InferJob extends Job {
  inputs: Tensor[]
  wanted: readonly string[]
  end: InferEnd
}

export type InferEnd = (error: TroupeError | null, outputs: Tensor[]) => void

export class ServedModel {
  readonly options: ServedModelOptions
  readonly signature: Signature
  readonly #instances: Instances
  readonly #batcher: Batcher<InferJob>
  readonly #drift: DriftMonitor | undefined
  readonly #buffers: SpareBuffers
  readonly #batchSize: BatchSize
  readonly #outputNames: readonly string[]
  #stopping = false

  static async start(options: ServedModelOptions): Promise<ServedModel> {
    const buffers = new SpareBuffers()
    return new ServedModel(options, await Instances.start(options, buffers), buffers)
  }

  private constructor(options: ServedModelOptions, instances: Instances, buffers: SpareBuffers) {
    this.#buffers = buffers
    this.options = options
    this.#instances = instances
    this.signature = instances.signature
    const limits = this.signature.batches ? options.batching : { ...options.batching, maxRows: 1, maxDelayMs: 0 }
    this.#batchSize = new BatchSize(limits.maxRows)
    this.#outputNames = this.signature.outputs.map(({ name }) => name)
    this.#batcher = new Batcher<InferJob>(
      { ...limits, maxRows: this.#batchSize.rows },
      () => this.#hasRoom(),
      (jobs) => this.#run(jobs, instances.choose(rowsOf(jobs)), () => this.#batcher.finished()),
    )
    instances.onReplaced = () => this.#batcher.pump()
    instances.onLost = (error) => {
      this.#batcher.clear(error)
      options.onFailed(error)
    }
    const { profile } = options.model
    if (profile !== undefined) {
      this.#drift = new DriftMonitor(profile, (report, tripped) => options.measurements.drift(options, report, tripped))
    }
  }

  /** Empty, or what no longer looks like training. */
  get moved(): string {
    return this.#drift?.moved ?? ''
  }

  get queuedRows(): number {
    return this.#batcher.queuedRows
  }

  /** Checks a request and puts it into the queue; `end` is called once. Returns what cancels it. */
  submit(request: InferRequest, deadline: number, end: InferEnd): () => void {
    if (this.#stopping) throw new TroupeError('worker_unavailable', `${this.#title} is being unloaded`)
    const { inputs, rows, kind } = this.#check(request)
    const now = performance.timeOrigin + performance.now()
    const job: InferJob = {
      inputs,
      rows,
      bytes: inputs.reduce((sum, { bytes }) => sum + bytes.length, 0),
      kind,
      deadline,
      wanted: request.outputs,
      cancelled: false,
      queuedAt: now,
      end,
      fail: (error) => end(error, []),
    }
    this.#batcher.add(job)
    return () => {
      job.cancelled = true
    }
  }

  /** What waits and runs is still answered within the grace; then the instances end. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    const until = performance.now() + graceMs
    while (this.#batcher.running + this.#batcher.queuedRows > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    this.#batcher.clear(new TroupeError('worker_unavailable', `${this.#title} was unloaded`))
    await this.#instances.stop()
  }

  get #title(): string {
    return `model ${this.options.name} version ${this.options.version}`
  }

  #check(request: InferRequest): { inputs: Tensor[]; rows: number; kind: string } {
    const { inputs: specs, outputs, batches } = this.signature
    if (request.malformed !== undefined) throw request.malformed
    if (request.inputs.length !== specs.length) {
      const names = specs.map(({ name }) => name).join(', ')
      throw new TroupeError(
        'invalid_input',
        `${request.inputs.length} inputs; the model takes ${specs.length}: ${names}`,
      )
    }
    let rows = -1
    let kind = ''
    const inputs = specs.map((spec) => {
      const tensor = request.inputs.find(({ name }) => name === spec.name)
      if (tensor === undefined) throw new TroupeError('invalid_input', `input ${spec.name} is missing`)
      checkAgainst(spec, tensor)
      checkTensor(tensor)
      if (!batches) return tensor
      if (rows !== -1 && rows !== tensor.shape[0]) {
        throw new TroupeError('invalid_input', `input ${spec.name} has ${tensor.shape[0]} rows, another one ${rows}`)
      }
      rows = tensor.shape[0]!
      for (let index = 1; index < tensor.shape.length; index++) kind += `${tensor.shape[index]},`
      kind += ';'
      return tensor
    })
    if (rows === 0) throw new TroupeError('invalid_input', 'a request without rows')
    const unknown = request.outputs.find((wanted) => !outputs.some(({ name }) => name === wanted))
    if (unknown !== undefined) throw new TroupeError('invalid_input', `the model has no output ${unknown}`)
    return { inputs, rows: Math.max(rows, 1), kind }
  }

  #hasRoom(): boolean {
    const { rows, readyRows } = this.#batchSize
    const room = this.#instances.room(this.#batcher.queuedRows, rows, readyRows)
    if (room > 0) this.#batcher.maxRows = room
    return room > 0
  }

  #run(jobs: InferJob[], computer: Computer, finished: () => void): void {
    const { measurements } = this.options
    const startedAt = performance.timeOrigin + performance.now()
    for (const job of jobs) measurements.queued(this.options, startedAt - job.queuedAt)
    const rows = rowsOf(jobs)
    computer.run(join(jobs, this.#buffers), (error, outputs, computeMs) => {
      // One bad request must not fail those that happened to share its run.
      if (error !== null && jobs.length > 1 && error.code !== 'worker_unavailable') return this.#runEach(jobs, finished)
      if (error === null) {
        measurements.ran(this.options, rows, computeMs)
        this.#instances.ran(rows, computeMs)
        this.#batchSize.ran(rows, computeMs)
      }
      // First the next batch, then these answers: a thread computes while they are written.
      finished()
      if (error === null) this.#answer(jobs, outputs)
      else for (const job of jobs) job.end(error, [])
    })
  }

  #runEach(jobs: InferJob[], finished: () => void): void {
    let left = jobs.length
    const one = (): void => {
      if (--left === 0) finished()
    }
    for (const job of jobs) {
      const thread = this.#instances.leastBusy()
      if (thread !== undefined) this.#run([job], thread, one)
      else {
        job.end(new TroupeError('worker_unavailable', `${this.#title} has no instance left`), [])
        one()
      }
    }
  }

  #answer(jobs: InferJob[], outputs: MovedTensor[]): void {
    let parts: Tensor[][]
    try {
      parts = split(jobs, outputs)
    } catch (error) {
      for (const job of jobs) job.end(error as TroupeError, [])
      return
    }
    jobs.forEach((job, index) => {
      const all = parts[index]!
      if (this.#drift !== undefined) observe(this.#drift, this.options.model, job.inputs, all)
      const wanted = job.wanted.length === 0 ? this.#outputNames : job.wanted
      job.end(null, wanted.length === all.length ? all : all.filter(({ name }) => wanted.includes(name)))
    })
  }
}

function rowsOf(jobs: readonly Job[]): number {
  let rows = 0
  for (const job of jobs) rows += job.rows
  return rows
}
