// One instance of a model as the server sees it: a worker thread that takes batches. A thread that dies fails the
// batches it held (their callers may retry) and tells its owner.
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { fromErrorRecord, TroupeError } from '../../contract/errors.ts'
import { SpareBuffers } from '../grpc/spare-buffers.ts'
import type { FromThread, MovedTensor } from './instance-thread.ts'
import type { RunnerSettings, Signature } from './runner.ts'

export type RunEnd = (error: TroupeError | null, outputs: MovedTensor[], computeMs: number) => void

export interface Instance {
  signature: Signature
  /** What a run of a row or two takes. */
  smallRunMs: number
  /** Batches handed over and not answered. */
  readonly running: number
  run(inputs: MovedTensor[], end: RunEnd): void
  /** Batches that it holds are answered first. A run that lasts too long for that is left alone: its callers are told. */
  stop(): Promise<void>
}

const THREAD = join(import.meta.dirname, 'instance-thread.ts')
const STOP_MS = 2_000

/**
 * Nothing can interrupt a run, and onnxruntime ends the whole process when one returns to a thread that was terminated.
 * So none is; and a process that exits, which terminates all of its threads, is gone before any of them returns.
 */
let threadsComputing = 0
process.on('exit', () => {
  if (threadsComputing > 0) process.kill(process.pid, 'SIGKILL')
})

export function startInstance(
  settings: RunnerSettings,
  onDeath: (error: TroupeError, instance: Instance) => void,
  buffers = new SpareBuffers(),
): Promise<Instance> {
  const worker = new Worker(THREAD, { workerData: settings })
  const pending = new Map<number, RunEnd>()
  const started = Promise.withResolvers<Instance>()
  const exited = Promise.withResolvers<void>()
  let nextId = 0
  let stopping = false
  let instance: Instance | undefined
  let reason = 'the thread ended'
  // It loads, and tries itself, before it is ready.
  let computing = 1
  threadsComputing++
  const computes = (runs: number): void => {
    if (computing === 0 && runs > 0) threadsComputing++
    if (computing > 0 && computing + runs === 0) threadsComputing--
    computing += runs
  }

  worker.on('message', (message: FromThread) => {
    switch (message.kind) {
      case 'ready':
        computes(-1)
        instance = instanceOf(message.signature, message.smallRunMs)
        started.resolve(instance)
        return
      case 'failed':
        stopping = true
        started.reject(fromErrorRecord(message.error))
        return
      default: {
        computes(-1)
        for (const buffer of message.spent) buffers.give(buffer)
        const end = pending.get(message.id)
        pending.delete(message.id)
        if (message.kind === 'ran') end?.(null, message.outputs, message.ms)
        else end?.(fromErrorRecord(message.error), [], 0)
      }
    }
  })
  worker.on('error', (error: Error) => {
    reason = error.message
  })
  const endAll = (error: TroupeError): void => {
    const ends = [...pending.values()]
    pending.clear()
    for (const end of ends) end(error, [], 0)
  }
  worker.on('exit', () => {
    computes(-computing)
    const error = new TroupeError('worker_unavailable', `an instance of the model died: ${reason}`)
    started.reject(error)
    endAll(error)
    exited.resolve()
    if (!stopping && instance !== undefined) onDeath(error, instance)
  })

  function instanceOf(signature: Signature, smallRunMs: number): Instance {
    return {
      signature,
      smallRunMs,
      get running() {
        return pending.size
      },
      run(inputs, end) {
        const id = nextId++
        pending.set(id, end)
        computes(1)
        worker.postMessage(
          { kind: 'run', id, inputs },
          inputs.map(({ bytes }) => bytes.buffer),
        )
      },
      async stop() {
        if (stopping) return await exited.promise
        stopping = true
        worker.postMessage({ kind: 'stop' })
        const late = setTimeout(() => {
          worker.unref()
          endAll(
            new TroupeError('worker_unavailable', `the model is stopped and was still computing after ${STOP_MS} ms`),
          )
          exited.resolve()
        }, STOP_MS)
        await exited.promise
        clearTimeout(late)
      },
    }
  }
  return started.promise
}
