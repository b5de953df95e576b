// Quick models compute on the server's event loop. Node tells of each thread it starts: the tests count what those answer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { TroupeError } from '../../../src/contract/errors.ts'
import { floatRows, floatTensor, type InferenceWorkerOptions } from '../../../src/workers/inference/index.ts'
import type { FromThread } from '../../../src/workers/inference/instance-thread.ts'
import { suitsLoop } from '../../../src/workers/inference/loop-instance.ts'
import { type ModelJsonInput, modelJsonSchema } from '../../../src/workers/inference/model-json.ts'
import { type OnnxFacts, scanOnnx } from '../../../src/workers/inference/onnx-scan.ts'
import type { Signature } from '../../../src/workers/inference/runner.ts'
import { editOnnx } from './support/edit-onnx.ts'
import { gatherModel, scaleModel } from './support/models.ts'
import { row, type Scene, scene } from './support/worker.ts'

/** However busy the machine is, each run is quick enough. */
const ALWAYS = { loopMs: 10_000 }

interface Watched extends Scene {
  thread: Worker
  /** Batches that the thread has computed. */
  readonly byThread: number
}

async function watched(
  onnx: Buffer,
  options: Partial<InferenceWorkerOptions>,
  json: ModelJsonInput = { kind: 'tensor' },
): Promise<Watched> {
  const threads: Worker[] = []
  const collect = (worker: Worker): void => void threads.push(worker)
  process.on('worker', collect)
  const never = { breaker: { failures: 10_000 } }
  const stage = await scene((models) => models.put('quick', '1', onnx, json), options, never)
  process.off('worker', collect)
  let byThread = 0
  threads[0]!.on('message', ({ kind }: FromThread) => {
    if (kind === 'ran') byThread++
  })
  return Object.defineProperty(Object.assign(stage, { thread: threads[0]!, byThread }), 'byThread', {
    get: () => byThread,
  })
}

async function answerTo(stage: Scene, ...values: number[]): Promise<number[]> {
  const [y] = await stage.client.infer('quick', [row(...values)])
  return [...floatRows(y!)[0]!]
}

function rows(count: number) {
  return floatTensor('x', [count, 2], new Float32Array(count * 2).fill(1))
}

test('what the thread has shown to be quick is computed without it, and comes out the same', async () => {
  await using stage = await watched(scaleModel(3, 0.1, 2), ALWAYS)
  const byThread = await answerTo(stage, 1, 0.7)
  assert.equal(stage.byThread, 1)
  for (let request = 0; request < 20; request++) assert.deepEqual(await answerTo(stage, 1, 0.7), byThread)
  assert.equal(stage.byThread, 1)
  assert.match(stage.worker.metrics.text(), /batch_rows_count\{model="quick",version="1"\} 21\n/)
})

test('the loop begins with at most 16 rows and goes on with up to 64; more are for the thread', async () => {
  await using stage = await watched(scaleModel(3, 0, 2), ALWAYS)
  const computedByThread = async (count: number): Promise<boolean> => {
    const before = stage.byThread
    const [y] = await stage.client.infer('quick', [rows(count)])
    assert.deepEqual(y!.shape, [count, 2])
    return stage.byThread > before
  }
  // Nothing is known of it yet, then no more than a row.
  assert.equal(await computedByThread(1), true)
  assert.equal(await computedByThread(2), true)
  assert.equal(await computedByThread(90), true)
  assert.equal(await computedByThread(17), true)
  assert.equal(await computedByThread(16), false)
  assert.equal(await computedByThread(64), false)
  assert.equal(await computedByThread(65), true)
  assert.equal(await computedByThread(64), true)
  assert.equal(await computedByThread(3), false)
})

test('of many that wait the loop computes 16 rows a run: their callers go on while it computes the next', async () => {
  await using stage = await watched(scaleModel(2, 0, 1), ALWAYS)
  await stage.client.infer('quick', [floatTensor('x', [64, 1], new Float32Array(64))])
  await answerTo(stage, 1)
  const answers = await Promise.all(Array.from({ length: 60 }, (_, number) => answerTo(stage, number)))
  answers.forEach((answer, number) => {
    assert.deepEqual(answer, [number * 2])
  })
  assert.equal(stage.byThread, 1)
  const [, small] = /batch_rows_bucket\{model="quick",version="1",le="16"\} (\d+)/.exec(stage.worker.metrics.text())!
  const [, all] = /batch_rows_count\{model="quick",version="1"\} (\d+)/.exec(stage.worker.metrics.text())!
  // All but the first one, of 64 rows.
  assert.equal(Number(all) - Number(small), 1)
})

test('with 0 ms, and for a model whose rows have no fixed size, all is for the thread', async () => {
  await using never = await watched(scaleModel(3, 0, 2), { loopMs: 0 })
  await using free = await watched(scaleModel(3, 0, 'width'), ALWAYS)
  for (let request = 0; request < 5; request++) {
    assert.deepEqual(await answerTo(never, 1, 2), [3, 6])
    assert.deepEqual(await answerTo(free, 1, 2), [3, 6])
  }
  assert.equal(never.byThread, 5)
  assert.equal(free.byThread, 5)
})

test('one bad request fails nobody else in its batch', async () => {
  await using stage = await watched(scaleModel(2, 0, 1), ALWAYS)
  await stage.client.infer('quick', [floatTensor('x', [40, 1], new Float32Array(40))])
  await answerTo(stage, 1)
  const asked = Array.from({ length: 30 }, (_, number) => answerTo(stage, number === 13 ? Number.NaN : number))
  const outcomes = await Promise.allSettled(asked)
  outcomes.forEach((outcome, number) => {
    if (number !== 13) assert.deepEqual(outcome, { status: 'fulfilled', value: [number * 2] })
    else assert.ok(outcome.status === 'rejected' && outcome.reason.code === 'invalid_input')
  })
})

test('what the model itself refuses is invalid_input with its reason, and the next request is answered', async () => {
  await using stage = await watched(gatherModel(), ALWAYS)
  const at = (value: bigint) => ({
    ...({ name: 'index', datatype: 'INT64', shape: [1] } as const),
    bytes: Buffer.from(BigInt64Array.of(value).buffer),
  })
  await stage.client.infer('quick', [{ ...at(1n), shape: [1] }])
  await assert.rejects(stage.client.infer('quick', [{ ...at(7n), shape: [1] }]), {
    code: 'invalid_input',
    message: /indices element out of data bounds/,
  })
  const [found] = await stage.client.infer('quick', [{ ...at(2n), shape: [1] }])
  assert.deepEqual([...floatRows(found!)[0]!], [20, 21])
  assert.equal(stage.byThread, 1)
})

test('unloaded under load: each request is answered rightly or says why not, and the worker goes on', async () => {
  await using stage = await watched(scaleModel(2, 0, 1), ALWAYS)
  await answerTo(stage, 1)
  for (let round = 0; round < 5; round++) {
    const asked = Array.from({ length: 50 }, (_, number) => answerTo(stage, number))
    const unloaded = stage.client.unload('quick')
    for (const [number, outcome] of (await Promise.allSettled(asked)).entries()) {
      if (outcome.status === 'fulfilled') assert.deepEqual(outcome.value, [number * 2])
      else assert.ok(outcome.reason instanceof TroupeError && outcome.reason.code === 'worker_unavailable')
    }
    await unloaded
    await stage.client.load('quick')
  }
  assert.deepEqual(await answerTo(stage, 4), [8])
})

test('while a dead thread is replaced, the event loop goes on answering', async () => {
  await using stage = await watched(scaleModel(2, 0, 1), ALWAYS)
  await answerTo(stage, 1)
  const [, answer] = await Promise.all([stage.thread.terminate(), answerTo(stage, 5)])
  assert.deepEqual(answer, [10])
  assert.deepEqual(await answerTo(stage, 6), [12])
  assert.equal(stage.byThread, 1)
})

test('no caller can make a run last: graphs within the graph, free sizes, texts, GPUs and large files are for threads', () => {
  const facts: OnnxFacts = { opset: 17, nodes: 2, domains: [''], bytes: 1_000, externalBytes: 0, subgraphs: false }
  const signature: Signature = {
    ...{ provider: 'cpu', passedOver: [], outputs: [], batches: true },
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
  }
  const model = modelJsonSchema.parse({ kind: 'tensor' })
  const text = modelJsonSchema.parse({ kind: 'text-embedder', tokenizer: {} })
  assert.equal(suitsLoop(model, facts, signature), true)
  assert.equal(suitsLoop(text, facts, signature), false)
  assert.equal(suitsLoop(model, { ...facts, subgraphs: true }, signature), false)
  assert.equal(suitsLoop(model, { ...facts, bytes: 9_000_000 }, signature), false)
  assert.equal(suitsLoop(model, { ...facts, externalBytes: 9_000_000 }, signature), false)
  assert.equal(suitsLoop(model, facts, { ...signature, provider: 'cuda' }), false)
  assert.equal(suitsLoop(model, facts, { ...signature, batches: false }), false)
  const free = { name: 'x', datatype: 'FP32', shape: [-1, -1] } as const
  assert.equal(suitsLoop(model, facts, { ...signature, inputs: [{ ...free, shape: [-1, -1] }] }), false)
  const words = { name: 'x', datatype: 'BYTES', shape: [-1, 1] } as const
  assert.equal(suitsLoop(model, facts, { ...signature, inputs: [{ ...words, shape: [-1, 1] }] }), false)
})

test('a graph within the graph is seen where a file is scanned, and its size', () => {
  const plain = scaleModel(2)
  assert.equal(scanOnnx(plain, 'model.onnx').subgraphs, false)
  assert.equal(scanOnnx(plain, 'model.onnx').bytes, plain.length)
  assert.equal(scanOnnx(editOnnx(plain, { subgraph: true }), 'model.onnx').subgraphs, true)
})
