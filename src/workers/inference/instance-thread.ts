// The worker thread of one instance: loads one model, answers batches one after another. `session.run` holds a thread
// while it computes; here it holds none that anybody else needs.
import { parentPort, workerData } from 'node:worker_threads'
import { type ErrorRecord, toErrorRecord } from '../../contract/errors.ts'
import { checkHealth } from './health-check.ts'
import type { Datatype } from './model-json.ts'
import { createRunner, type Runner, type RunnerSettings, type Signature } from './runner.ts'

/** A tensor between threads: its bytes are moved, not copied. */
export interface MovedTensor {
  name: string
  datatype: Datatype
  shape: number[]
  bytes: Uint8Array<ArrayBuffer>
}

export type ToThread = { kind: 'run'; id: number; inputs: MovedTensor[] } | { kind: 'stop' }

export type FromThread =
  | { kind: 'ready'; signature: Signature; smallRunMs: number }
  | { kind: 'failed'; error: ErrorRecord }
  | { kind: 'ran'; id: number; outputs: MovedTensor[]; ms: number; spent: ArrayBuffer[] }
  | { kind: 'refused'; id: number; error: ErrorRecord; spent: ArrayBuffer[] }

const WARM_RUNS = 4
/** A model that is as slow as this is not run again only to know how slow. */
const SLOW_MS = 100

const port = parentPort!

function send(message: FromThread, moved: ArrayBuffer[] = []): void {
  port.postMessage(message, moved)
}

async function answer(runner: Runner, id: number, inputs: readonly MovedTensor[]): Promise<void> {
  const startedAt = performance.now()
  // The inputs' memory goes back, to carry another batch.
  const spent = inputs.map(({ bytes }) => bytes.buffer)
  try {
    const results = await runner.run(
      inputs.map(({ bytes, ...rest }) => ({
        ...rest,
        bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
      })),
    )
    // Small buffers are pieces of a pool that other values share: those cannot be moved.
    const outputs = results.map(({ bytes, ...rest }) => ({ ...rest, bytes: new Uint8Array(bytes) }))
    send({ kind: 'ran', id, outputs, ms: performance.now() - startedAt, spent }, [
      ...outputs.map(({ bytes }) => bytes.buffer),
      ...spent,
    ])
  } catch (error) {
    // onnxruntime's own errors name the operator and the input that it could not work with.
    send({ kind: 'refused', id, error: toErrorRecord(error, 'invalid_input'), spent }, spent)
  }
}

/** The first run allocates and compiles: no caller should wait for that. Returns what a run takes when it is warm. */
async function warmUp(runner: Runner): Promise<number> {
  let leastMs = Number.POSITIVE_INFINITY
  for (let run = 0; run < WARM_RUNS && (run === 0 || leastMs < SLOW_MS); run++) {
    const startedAt = performance.now()
    await checkHealth(runner)
    leastMs = Math.min(leastMs, performance.now() - startedAt)
  }
  return leastMs
}

async function start(): Promise<void> {
  const runner = await createRunner(workerData as RunnerSettings)
  const smallRunMs = await warmUp(runner)
  // One at a time and in order, whatever arrives meanwhile.
  let last = Promise.resolve()
  port.on('message', (message: ToThread) => {
    last = last.then(async () => {
      if (message.kind === 'run') return await answer(runner, message.id, message.inputs)
      await runner.release()
      port.close()
    })
  })
  send({ kind: 'ready', signature: runner.signature, smallRunMs })
}

start().catch((error: unknown) => {
  send({ kind: 'failed', error: toErrorRecord(error, 'model_invalid') })
  port.close()
})
