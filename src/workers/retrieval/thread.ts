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
  const worker = new Worker(file, { workerData: data })
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let last = 0
  let failure: TroupeError | undefined

  worker.on('message', (answer: Answer) => {
    const waiting = pending.get(answer.id)
    pending.delete(answer.id)
    if ('error' in answer) waiting?.reject(fromErrorRecord(answer.error))
    else waiting?.resolve(answer.value)
    if (pending.size === 0) worker.unref()
  })
  const end = (error: TroupeError): void => {
    failure ??= error
    for (const { reject } of pending.values()) reject(failure)
    pending.clear()
  }
  worker.on('error', (cause: Error & { code?: string }) => {
    // It comes as a plain error, with what the thread's own had.
    const code = cause.code !== undefined && cause.code in ERROR_CODES ? (cause.code as ErrorCode) : undefined
    const message = code === undefined ? `thread failed: ${String(cause)}` : cause.message
    end(new TroupeError(code ?? 'worker_unavailable', message, { cause }))
  })
  worker.on('exit', (code) => end(new TroupeError('draining', `the thread ended with code ${code}`)))

  function send(method: string, args: unknown[]): Promise<unknown> {
    if (failure !== undefined) return Promise.reject(failure)
    if (pending.size >= MAX_WAITING) {
      return Promise.reject(new TroupeError('overloaded', `${MAX_WAITING} calls wait for the ${method} thread`))
    }
    const id = ++last
    return new Promise((resolve, reject) => {
      pending.set(id, { resolve, reject })
      worker.ref()
      worker.postMessage({ id, method, args } satisfies Request)
    })
  }

  return {
    // Every name is a method: the thread's own type says which there are.
    call: new Proxy({} as Remote<M>, {
      get: (_, method) => (method === 'then' ? undefined : (...args: unknown[]) => send(String(method), args)),
    }),
    get waiting() {
      return pending.size
    },
    async stop() {
      if (failure !== undefined) return
      await send('close', []).catch(() => undefined)
      await worker.terminate()
    },
  }
}
