import assert from 'node:assert/strict'
import { test } from 'node:test'
import { floatRows } from '../../../src/workers/inference/index.ts'
import { scaleModel } from './support/models.ts'
import { row, scene } from './support/worker.ts'

for (const unary of [false, true]) {
  for (const typed of [false, true]) {
    test(`${typed ? 'typed' : 'raw'} tensors ${unary ? 'by unary calls' : 'over the stream'}`, async () => {
      await using stage = await scene((models) => models.put('double', '1', scaleModel(2)), {}, { unary })
      const [y] = await stage.client.infer('double', [row(1, 2, 3)], { typed })
      assert.deepEqual(y?.shape, [1, 3])
      assert.deepEqual([...floatRows(y!)[0]!], [2, 4, 6])
    })
  }
}

test('many callers share runs and each gets its own rows', async () => {
  await using stage = await scene((models) => models.put('double', '1', scaleModel(2)))
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) => stage.client.infer('double', [row(index, -index)])),
  )
  for (const [index, [y]] of answers.entries()) {
    assert.deepEqual([...floatRows(y!)[0]!], [index * 2, index * -2 || 0])
  }
  assert.match(
    stage.worker.metrics.text(),
    /troupe_inference_batch_rows_count\{model="double",version="1"\} (\d|\d\d|1\d\d)\n/,
  )
})
