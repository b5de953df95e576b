import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ErrorCode } from '../../../src/contract/errors.ts'
import { floatTensor, type Tensor, textTensor } from '../../../src/workers/inference/index.ts'
import { gatherModel, scaleModel, slowModel } from './support/models.ts'
import { row, type Scene, scene } from './support/worker.ts'

let stage: Scene
before(async () => {
  stage = await scene((models) => {
    models.put('double', '1', scaleModel(2, 0, 3))
    models.put('gather', '1', gatherModel())
  })
})
after(async () => await stage[Symbol.asyncDispose]())

const good = row(1, 2, 3)

const refused: [string, string, Tensor[], ErrorCode, RegExp][] = [
  ['an unknown model', 'nobody', [good], 'model_not_found', /no model “nobody”/],
  ['a missing input', 'double', [], 'invalid_input', /takes 1: x/],
  ['an input too many', 'double', [good, { ...good, name: 'z' }], 'invalid_input', /2 inputs/],
  ['an input by a wrong name', 'double', [{ ...good, name: 'z' }], 'invalid_input', /input x is missing/],
  ['a wrong datatype', 'double', [{ ...good, datatype: 'INT32' }], 'invalid_input', /INT32, the model takes FP32/],
  ['a wrong shape', 'double', [row(1, 2)], 'invalid_input', /shape \[1,2\], the model takes \[-1,3\]/],
  ['a wrong rank', 'double', [floatTensor('x', [3], Float32Array.of(1, 2, 3))], 'invalid_input', /shape \[3\]/],
  [
    'bytes short of the shape',
    'double',
    [{ ...good, bytes: Buffer.alloc(11) }],
    'invalid_input',
    /11 bytes .* holds 12/,
  ],
  ['bytes beyond the shape', 'double', [{ ...good, bytes: Buffer.alloc(4_000) }], 'invalid_input', /4000 bytes/],
  ['no rows', 'double', [{ ...good, shape: [0, 3], bytes: Buffer.alloc(0) }], 'invalid_input', /without rows/],
  ['rows beyond the bytes', 'double', [{ ...good, shape: [2 ** 31, 3] }], 'invalid_input', /holds/],
  ['a shape beyond all numbers', 'double', [{ ...good, shape: [2 ** 52, 3] }], 'invalid_input', /too large/],
  ['NaN', 'double', [row(1, Number.NaN, 3)], 'invalid_input', /NaN/],
  ['an index outside the table', 'gather', [indices(7n)], 'invalid_input', /out of/],
  ['text for numbers', 'double', [textTensor(['a'], 'x')], 'invalid_input', /BYTES, the model takes FP32/],
]

function indices(...values: bigint[]): Tensor {
  const bytes = Buffer.from(BigInt64Array.from(values).buffer)
  return { name: 'index', datatype: 'INT64', shape: [values.length], bytes }
}

for (const [what, model, inputs, code, message] of refused) {
  test(`${what} is refused with ${code} and a reason`, async () => {
    await assert.rejects(stage.client.infer(model, inputs), { code, message })
  })
}

test('an unknown version and an unknown output are refused', async () => {
  await assert.rejects(stage.client.infer('double', [good], { version: '99' }), { code: 'model_not_found' })
  await assert.rejects(stage.client.infer('double', [good], { outputs: ['z'] }), { code: 'invalid_input' })
})

test('a BYTES element that ends past its tensor is refused', async () => {
  const inputs = [{ ...textTensor(['abc'], 'x'), bytes: Buffer.from([255, 255, 255, 127, 1]) }]
  await assert.rejects(stage.client.infer('double', inputs), { code: 'invalid_input' })
})

test('one bad request does not fail those that share its run', async () => {
  const calls = Array.from({ length: 40 }, (_, index) =>
    stage.client.infer('gather', [indices(index === 17 ? 99n : 1n)]),
  )
  const ends = await Promise.allSettled(calls)
  assert.deepEqual(
    ends.flatMap(({ status }, index) => (status === 'rejected' ? [index] : [])),
    [17],
  )
})

test('a request larger than the queue and a full queue are different refusals', async () => {
  await using small = await scene((models) => models.put('slow', '1', slowModel()), {
    batching: { maxQueueRows: 4, maxRows: 1 },
  })
  const one = floatTensor('x', [1, 256], new Float32Array(256))
  const large = floatTensor('x', [5, 256], new Float32Array(5 * 256))
  await assert.rejects(small.client.infer('slow', [large]), { code: 'invalid_input', message: /5 rows/ })
  const ends = await Promise.allSettled(Array.from({ length: 50 }, () => small.client.infer('slow', [one])))
  const codes = new Set(ends.map((end) => (end.status === 'rejected' ? end.reason.code : 'ok')))
  assert.deepEqual([...codes].sort(), ['ok', 'overloaded'])
})

test('a deadline that passes while a request waits ends it, and it is never run', async () => {
  await using slow = await scene((models) => models.put('slow', '1', slowModel(2_000)))
  const one = floatTensor('x', [1, 256], new Float32Array(256))
  const many = floatTensor('x', [64, 256], new Float32Array(64 * 256))
  const first = slow.client.infer('slow', [many])
  const late = slow.client.infer('slow', [one], { deadline: Date.now() + 10 })
  await assert.rejects(late, { code: 'deadline_exceeded' })
  await first
  await slow.client.infer('slow', [one])
  const [, runs] = /troupe_inference_batch_rows_count\{[^}]*\} (\d+)/.exec(slow.worker.metrics.text()) ?? []
  assert.equal(runs, '2')
})

test('a model that is unloaded in mid-call answers what it has and refuses what comes', async () => {
  await using slow = await scene((models) => models.put('slow', '1', slowModel(2_000)))
  const one = floatTensor('x', [1, 256], new Float32Array(256))
  const running = slow.client.infer('slow', [one])
  const unloading = slow.client.unload('slow')
  assert.equal((await running).length, 1)
  await unloading
  await assert.rejects(slow.client.infer('slow', [one], { deadline: Date.now() + 10_000 }), {
    code: 'worker_unavailable',
  })
})
