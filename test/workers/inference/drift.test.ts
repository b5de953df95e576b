import assert from 'node:assert/strict'
import { test } from 'node:test'
import { distribution } from '../../../src/training/profile.ts'
import { DriftMonitor, type DriftReport } from '../../../src/workers/inference/drift.ts'
import { numbers, scaleModel } from './support/models.ts'
import { row, scene } from './support/worker.ts'

const training = [...numbers(5_000, 3)]

test('each window is judged by itself: like training is quiet, shifted trips', () => {
  const judged: [DriftReport, boolean][] = []
  const profile = { features: [distribution('x', training)], classes: [0.5, 0.5] }
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
  const profile = { features: [distribution('x[0]', training)] }
  await using stage = await scene((models) => models.put('double', '1', scaleModel(2), { kind: 'tensor', profile }))
  const values = numbers(1_000, 5)
  await Promise.all([...values].map((value) => stage.client.infer('double', [row(value + 3)])))
  const event = stage.events.find(({ type }) => type === 'drift')
  assert.ok(event?.type === 'drift' && event.what === 'x[0]' && event.index > event.threshold)
  const reason = async () => (await stage.client.models()).find(({ name }) => name === 'double')?.reason
  assert.match((await reason())!, /^moved away from what it was trained on: x\[0\] \(\d+\.\d\d\)$/)
  assert.match(
    stage.worker.metrics.text(),
    /troupe_inference_drift_index\{model="double",version="1",what="x\[0\]"\} \d/,
  )
})
