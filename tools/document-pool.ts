// Reading a file or searching a text for names is CPU work, and the file may be hostile. It runs here, off the event
// loop, in threads that can be ended: a job that outlives its time or its memory costs its thread, never the process.
//   documents/thread.ts    what runs inside a thread: one function a job
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type ErrorCode, TroupeError } from '@troupe/sdk'

/** Often enough to stop a thread before it has unpacked a gigabyte more. */
const WATCH_MS = 200

export interface PoolOptions {
  threads: number
  /** Jobs that may wait; the next one is refused with `overloaded`. */
  queue: number
  /** V8 heap of one thread. A reader that needs more is ended with `limit_exceeded`. */
  heapMegabytes: number
  /** Buffers of one thread, which stand outside the heap: what a stream unpacks to. Default twice the heap. */
  bufferMegabytes?: number
}

export interface JobOptions {
  signal: AbortSignal
  /** Milliseconds a job may run, counted from when a thread takes it up. */
  time: number
  /** Buffers handed over instead of copied; the caller can no longer use them. */
  transfer?: ArrayBuffer[]
}

export interface DocumentPool {
  run(job: string, payload: unknown, options: JobOptions): Promise<unknown>
  /** Ends all threads; jobs under way fail with `cancelled`. */
  close(): Promise<void>
}

export type ThreadReply =
  | { ok: true; value: unknown }
  | { ok: false; code: ErrorCode; message: string; detail?: Record<string, unknown> }

interface Job {
  name: string
  payload: unknown
  options: JobOptions
  settle: { resolve(value: unknown): void; reject(error: unknown): void }
  /** Called by its signal while it waits. */
  leave(): void
}

interface Thread {
  worker: Worker
  /** Only a busy thread has a job and a way to end it. */
  current: { job: Job; finish(): void } | undefined
}

export function createDocumentPool(options: PoolOptions): DocumentPool {
  const threads = new Set<Thread>()
  const waiting: Job[] = []
  let closed = false

  function run(name: string, payload: unknown, jobOptions: JobOptions): Promise<unknown> {
    if (closed) return Promise.reject(new TroupeError('draining', 'The document threads are closed'))
    if (jobOptions.signal.aborted) return Promise.reject(jobOptions.signal.reason)
    if (waiting.length >= options.queue) {
      return Promise.reject(new TroupeError('overloaded', `${waiting.length} documents are waiting already`))
    }
    return new Promise((resolve, reject) => {
      // One that nobody wants any more neither waits for a thread nor takes another's place in the queue.
      const leave = () => {
        waiting.splice(waiting.indexOf(job), 1)
        reject(jobOptions.signal.reason)
      }
      const job: Job = { name, payload, options: jobOptions, settle: { resolve, reject }, leave }
      waiting.push(job)
      jobOptions.signal.addEventListener('abort', leave, { once: true })
      next()
    })
  }

  function next(): void {
    while (waiting.length > 0) {
      const thread = [...threads].find((candidate) => candidate.current === undefined) ?? start()
      if (thread === undefined) return
      give(thread, dequeue())
    }
  }

  function dequeue(): Job {
    const job = waiting.shift()!
    job.options.signal.removeEventListener('abort', job.leave)
    return job
  }

  function start(): Thread | undefined {
    if (threads.size >= options.threads) return undefined
    const worker = new Worker(new URL('./documents/thread.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: options.heapMegabytes, maxYoungGenerationSizeMb: 96 },
      // What a parser prints belongs to nobody's log.
      stdout: true,
      stderr: true,
    })
    const thread: Thread = { worker, current: undefined }
    threads.add(thread)
    worker.on('message', (reply: ThreadReply) => {
      const job = release(thread)
      if (job === undefined) return
      if (reply.ok) job.settle.resolve(reply.value)
      else job.settle.reject(new TroupeError(reply.code, reply.message, reply.detail ? { detail: reply.detail } : {}))
      next()
    })
    worker.on('error', (error) => end(thread, asFailure(error, options)))
    worker.on('exit', () => end(thread, new TroupeError('document_unreadable', 'The document ended its reader')))
    return thread
  }

  function give(thread: Thread, job: Job): void {
    const { signal, time } = job.options
    const expire = () =>
      end(thread, new TroupeError('limit_exceeded', `${job.name} took longer than ${time} ms and was ended`))
    const abort = () => end(thread, signal.reason)
    const timer = setTimeout(expire, time)
    const watch = setInterval(() => void endWhenGreedy(thread, job), WATCH_MS)
    signal.addEventListener('abort', abort, { once: true })
    const finish = () => {
      clearTimeout(timer)
      clearInterval(watch)
      signal.removeEventListener('abort', abort)
    }
    thread.current = { job, finish }
    // A busy thread keeps the process alive, an idle one does not.
    thread.worker.ref()
    thread.worker.postMessage({ job: job.name, payload: job.payload }, job.options.transfer ?? [])
  }

  /** V8 limits its own heap only; a bomb in a stream of a PDF would grow until the machine is full. */
  async function endWhenGreedy(thread: Thread, job: Job): Promise<void> {
    const limit = options.bufferMegabytes ?? options.heapMegabytes * 2
    const used = await thread.worker.getHeapStatistics?.().catch(() => undefined)
    if (used === undefined || thread.current?.job !== job || used.external_memory <= limit * 1024 * 1024) return
    end(thread, new TroupeError('limit_exceeded', `Reading this document needs more than ${limit} MB of buffers`))
  }

  function release(thread: Thread): Job | undefined {
    const current = thread.current
    if (current === undefined) return undefined
    current.finish()
    thread.current = undefined
    thread.worker.unref()
    return current.job
  }

  function end(thread: Thread, reason: unknown): void {
    if (!threads.delete(thread)) return
    release(thread)?.settle.reject(reason)
    void thread.worker.terminate()
    if (!closed) next()
  }

  async function close(): Promise<void> {
    closed = true
    const reason = new TroupeError('cancelled', 'The document threads were closed')
    while (waiting.length > 0) dequeue().settle.reject(reason)
    const all = [...threads]
    for (const thread of all) end(thread, reason)
    await Promise.all(all.map((thread) => thread.worker.terminate()))
  }

  return { run, close }
}

function asFailure(error: unknown, options: PoolOptions): TroupeError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    const message = `Reading this document needs more than ${options.heapMegabytes} MB of memory`
    return new TroupeError('limit_exceeded', message, { cause: error })
  }
  const message = `The document broke its reader: ${error instanceof Error ? error.message : String(error)}`
  return new TroupeError('document_unreadable', message, { cause: error })
}

// Two lanes, so that a scanned book under OCR does not hold up the letter behind it.
const LANES = {
  read: { threads: Math.max(2, availableParallelism() - 1), queue: 256, heapMegabytes: 512 },
  ocr: { threads: 1, queue: 64, heapMegabytes: 512 },
} satisfies Record<string, PoolOptions>

const lanes = new Map<keyof typeof LANES, DocumentPool>()

/** The process's threads for a kind of work, started when first asked for. */
export function documentPool(lane: keyof typeof LANES): DocumentPool {
  let pool = lanes.get(lane)
  if (pool === undefined) {
    pool = createDocumentPool(LANES[lane])
    lanes.set(lane, pool)
  }
  return pool
}

/** For a clean shutdown; the next use starts fresh threads. */
export async function closeDocumentPools(): Promise<void> {
  const open = [...lanes.values()]
  lanes.clear()
  await Promise.all(open.map((pool) => pool.close()))
}
