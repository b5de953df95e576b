import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as onnx from 'onnxruntime-node'
import { type Graph, writeOnnx } from '../../src/training/onnx-writer.ts'

const SUM: Graph = {
  name: 'weighted-sum',
  inputs: [
    { name: 'indices', type: 'INT32', shape: ['batch', 'terms'] },
    { name: 'values', type: 'FP32', shape: ['batch', 'terms'] },
  ],
  outputs: [{ name: 'sum', type: 'FP32', shape: ['batch', 2] }],
  constants: [
    { name: 'rows', shape: [3, 2], data: Int8Array.of(1, -2, 3, 4, 5, 6) },
    { name: 'axis', shape: [1], data: BigInt64Array.of(1n) },
  ],
  nodes: [
    { operator: 'Gather', inputs: ['rows', 'indices'], outputs: ['picked'], attributes: { axis: 0 } },
    { operator: 'Cast', inputs: ['picked'], outputs: ['picked_float'], attributes: { to: 1 } },
    { operator: 'Unsqueeze', inputs: ['values', 'axis'], outputs: ['weights'] },
    { operator: 'MatMul', inputs: ['weights', 'picked_float'], outputs: ['summed'] },
    { operator: 'Squeeze', inputs: ['summed', 'axis'], outputs: ['sum'] },
  ],
  metadata: { purpose: 'test' },
}

test('onnxruntime loads a written graph and computes what it says', async () => {
  const session = await onnx.InferenceSession.create(writeOnnx(SUM))
  const answer = await session.run({
    indices: new onnx.Tensor('int32', Int32Array.of(0, 2, 1, 0), [2, 2]),
    values: new onnx.Tensor('float32', Float32Array.of(1, 0.5, 2, 0), [2, 2]),
  })
  assert.deepEqual([...(answer.sum!.data as Float32Array)], [3.5, 1, 6, 8])
  await session.release()
})

test('an axis of -1 and a float attribute survive the wire', async () => {
  const graph: Graph = {
    name: 'leaky-softmax',
    inputs: [{ name: 'x', type: 'FP32', shape: ['batch', 2] }],
    outputs: [{ name: 'y', type: 'FP32', shape: ['batch', 2] }],
    constants: [],
    nodes: [
      { operator: 'LeakyRelu', inputs: ['x'], outputs: ['leaky'], attributes: { alpha: { float: 0.5 } } },
      { operator: 'Softmax', inputs: ['leaky'], outputs: ['y'], attributes: { axis: -1 } },
    ],
  }
  const session = await onnx.InferenceSession.create(writeOnnx(graph))
  const answer = await session.run({ x: new onnx.Tensor('float32', Float32Array.of(-2, -2), [1, 2]) })
  assert.deepEqual([...(answer.y!.data as Float32Array)], [0.5, 0.5])
  await session.release()
})

test('the same graph gives the same bytes', () => {
  assert.ok(writeOnnx(SUM).equals(writeOnnx(SUM)))
})

test('a constant whose shape does not hold its values is refused by name', () => {
  const graph = { ...SUM, constants: [{ name: 'rows', shape: [2, 2], data: Int8Array.of(1) }] }
  assert.throws(() => writeOnnx(graph), /constant rows has 1 values but its shape holds 4/)
})
