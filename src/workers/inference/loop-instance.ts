// An instance without a thread: a second session of a quick model, which computes on the server's event loop. To hand a
// batch to a thread and to hear of it again costs the loop itself what a dozen rows of a small network cost.
// Which models may come here `suitsLoop` says, and which batches LoopRows (loop-rows.ts).
import { type TroupeError, toTroupeError } from '../../contract/errors.ts'
import type { SpareBuffers } from '../grpc/spare-buffers.ts'
import { checkHealth } from './health-check.ts'
import type { RunEnd } from './instance.ts'
import type { MovedTensor } from './instance-thread.ts'
import type { ModelJson } from './model-json.ts'
import type { OnnxFacts } from './onnx-scan.ts'
import { createRunner, type RunnerSettings, type Signature } from './runner.ts'

/** Its weights lie in memory twice, and the event loop stands still while they are loaded. */
const MOST_BYTES = 8 * 1024 * 1024

export interface LoopInstance {
  /** One batch at a time: a turn of the event loop lies between two, and serves whoever else is there. */
  readonly busy: boolean
  run(inputs: MovedTensor[], end: RunEnd): void
  /** What it computes is answered first. */
  stop(): Promise<void>
}

/**
 * No caller may make a run last: a graph without loops, whose rows have one size, takes the same time for whatever it is
 * asked. Texts become tokens in JavaScript, and a GPU is waited for: both are for threads.
 */
export function suitsLoop(model: ModelJson, facts: OnnxFacts, { batches, inputs, provider }: Signature): boolean {
  return (
    model.kind === 'tensor' &&
    provider === 'cpu' &&
    batches &&
    !facts.subgraphs &&
    facts.bytes + facts.externalBytes <= MOST_BYTES &&
    inputs.every(({ datatype, shape }) => datatype !== 'BYTES' && !shape.includes(-1, 1))
  )
}

export async function startLoopInstance(settings: RunnerSettings, buffers: SpareBuffers): Promise<LoopInstance> {
  // More threads would have to be woken for each run.
  const runner = await createRunner({ ...settings, threads: 1 })
  await checkHealth(runner)
  let last = Promise.resolve()
  let busy = false

  async function answer(inputs: MovedTensor[], end: RunEnd): Promise<void> {
    let error: TroupeError | null = null
    let outputs: MovedTensor[] = []
    // onnxruntime computes in a turn of its own, right after this one. What lies before it is no time of the run.
    let computesAt = 0
    setImmediate(() => {
      computesAt = performance.now()
    })
    const readsAt = performance.now()
    const running = runner.run(
      inputs.map(({ bytes, ...rest }) => ({ ...rest, bytes: Buffer.from(bytes.buffer, 0, bytes.length) })),
    )
    let ms = performance.now() - readsAt
    try {
      const results = await running
      ms += performance.now() - computesAt
      // Small buffers are pieces of a pool that other values share.
      outputs = results.map(({ bytes, ...rest }) => ({ ...rest, bytes: new Uint8Array(bytes) }))
    } catch (thrown) {
      error = toTroupeError(thrown, 'invalid_input')
    }
    for (const { bytes } of inputs) buffers.give(bytes.buffer)
    busy = false
    end(error, outputs, ms)
  }

  return {
    get busy() {
      return busy
    },
    run(inputs, end) {
      busy = true
      last = answer(inputs, end)
    },
    async stop() {
      await last
      await runner.release()
    },
  }
}
