// Synchronous work in a thread of its own, called like async functions: SQLite and text preparation hold whatever
// thread they run on, and must not hold the one that answers gRPC.
import { parentPort, Worker } from 'node:worker_threads'
import {
  ERROR_CODES,
  type ErrorCode,
  type ErrorRecord,
  fromErrorRecord,
  TroupeError,
  toErrorRecord,
} from '../../contract/errors.ts'

export type Methods = Record<string, (...args: never[]) => unknown>

export type Remote<M extends Methods> = {
  [Name in keyof M]: (...args: Parameters<M[Name]>) => Promise<Awaited<ReturnType<M[Name]>>>
}

interface Request {
  id: number
  method: string
  args: unknown[]
}
type Answer = { id: number; value: unknown } | { id: number; error: ErrorRecord }

/** In the thread: answers calls, one at a time, in order. */
export function serveCalls(methods: Methods): void {
  const port = parentPort
  if (port === null) throw new TroupeError('internal', 'serveCalls runs in a worker thread')
  port.on('message', ({ id, method, args }: Request) => {
    try {
      const call = methods[method] as (...args: unknown[]) => unknown
      port.postMessage({ id, value: call(...args) } satisfies Answer)
    } catch (error) {
      port.postMessage({ id, error: toErrorRecord(error) } satisfies Answer)
    }
  })
}

export interface Thread<M extends Methods> {
  call: Remote<M>
  /** Calls sent and not answered. */
  readonly waiting: number
  /** Lets what was sent be answered, then ends the thread. */
  stop(): Promise<void>
}

const MAX_WAITING = 1_024

export function startThread<M extends Methods>(file: URL, data: unknown): Thread<M> {
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let last = 0
  let stopped = false
  let worker: Worker | undefined = start()

  function start(): Worker {
    const started = new Worker(file, { workerData: data })
    started.on('message', (answer: Answer) => {
      const waiting = pending.get(answer.id)
      pending.delete(answer.id)
      if ('error' in answer) waiting?.reject(fromErrorRecord(answer.error))
      else waiting?.resolve(answer.value)
      if (pending.size === 0) started.unref()
    })
    // What it died of may have been one call: the next gets another thread, or the worker would serve nobody any more.
    const end = (error: TroupeError): void => {
      if (worker !== started) return
      worker = undefined
      for (const { reject } of pending.values()) reject(error)
      pending.clear()
    }
    started.on('error', (cause: Error & { code?: string }) => {
      // It comes as a plain error, with what the thread's own had.
      const code = cause.code !== undefined && cause.code in ERROR_CODES ? (cause.code as ErrorCode) : undefined
      const message = code === undefined ? `thread failed: ${String(cause)}` : cause.message
      end(new TroupeError(code ?? 'worker_unavailable', message, { cause }))
    })
    started.on('exit', (code) => end(new TroupeError('worker_unavailable', `the thread ended with code ${code}`)))
    return started
  }

  function send(method: string, args: unknown[]): Promise<unknown> {
    if (pending.size >= MAX_WAITING) {
      return Promise.reject(new TroupeError('overloaded', `${MAX_WAITING} calls wait for the ${method} thread`))
    }
    worker ??= start()
    const asked = worker
    const id = ++last
    return new Promise((resolve, reject) => {
      pending.set(id, { resolve, reject })
      asked.ref()
      asked.postMessage({ id, method, args } satisfies Request)
    })
  }

  function call(method: string, args: unknown[]): Promise<unknown> {
    if (stopped) return Promise.reject(new TroupeError('draining', 'the thread was stopped'))
    return send(method, args)
  }

  return {
    // Every name is a method: the thread's own type says which there are.
    call: new Proxy({} as Remote<M>, {
      get: (_, method) => (method === 'then' ? undefined : (...args: unknown[]) => call(String(method), args)),
    }),
    get waiting() {
      return pending.size
    },
    async stop() {
      if (stopped) return
      stopped = true
      if (worker === undefined) return
      await send('close', []).catch(() => undefined)
      await worker?.terminate()
    },
  }
}
