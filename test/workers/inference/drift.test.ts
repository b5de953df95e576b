import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DriftMonitor, type DriftReport } from '../../../src/workers/inference/drift.ts'
import { distributionOf, stabilityIndex } from '../../../src/workers/inference/index.ts'
import { numbers, scaleModel } from './support/models.ts'
import { row, scene } from './support/worker.ts'

const training = [...numbers(5_000, 3)]

test('the index is near zero for the same distribution and large for another', () => {
  const { shares } = distributionOf('x', training)
  assert.ok(
    stabilityIndex(
      shares,
      shares.map((share) => share * 1_000),
    ) < 0.001,
  )
  assert.ok(stabilityIndex([0.5, 0.5], [100, 900]) > 0.25)
  assert.equal(stabilityIndex([0.5, 0.5], [0, 0]), 0)
  // By hand: (0.6−0.5)·ln(0.6/0.5) + (0.4−0.5)·ln(0.4/0.5)
  assert.ok(Math.abs(stabilityIndex([0.5, 0.5], [60, 40]) - 0.04055) < 1e-4)
})

test('a profile has bins of equal share, fewer where values repeat', () => {
  const { bounds, shares } = distributionOf('x', training)
  assert.equal(bounds.length, 9)
  for (const share of shares) assert.ok(Math.abs(share - 0.1) < 0.01)
  assert.deepEqual(distributionOf('x', [1, 1, 1, 1]), { name: 'x', bounds: [1], shares: [0, 1] })
})

test('each window is judged by itself: like training is quiet, shifted trips', () => {
  const judged: [DriftReport, boolean][] = []
  const profile = { features: [distributionOf('x', training)], classes: [0.5, 0.5] }
  const monitor = new DriftMonitor(profile, (report, tripped) => judged.push([report, tripped]), 500)
  for (const value of numbers(500, 9)) monitor.feature('x', value)
  for (const value of numbers(500, 9)) monitor.feature('x', value + 0.4)
  for (const value of numbers(500, 9)) monitor.feature('x', value)
  for (let count = 0; count < 500; count++) monitor.prediction(0)
  assert.deepEqual(
    judged.map(([{ what }, tripped]) => [what, tripped]),
    [
      ['x', false],
      ['x', true],
      ['x', false],
      ['predicted class', true],
    ],
  )
})

test('a served model whose input shifts raises an event and a metric', async () => {
  const profile = { features: [distributionOf('x[0]', training)] }
  await using stage = await scene((models) => models.put('double', '1', scaleModel(2), { kind: 'tensor', profile }))
  const values = numbers(1_000, 5)
  await Promise.all([...values].map((value) => stage.client.infer('double', [row(value + 3)])))
  const event = stage.events.find(({ type }) => type === 'drift')
  assert.ok(event?.type === 'drift' && event.what === 'x[0]' && event.index > event.threshold)
  assert.match(
    stage.worker.metrics.text(),
    /troupe_inference_drift_index\{model="double",version="1",what="x\[0\]"\} \d/,
  )
})
