import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trainClassifier } from '../../src/training/classifier.ts'
import { generateDocuments } from '../../src/training/corpus/index.ts'
import { populationStability } from '../../src/training/profile.ts'
import { openModel } from '../../src/training/run-model.ts'
import { parseModelJson } from '../../src/workers/inference/model-json.ts'

const DOCUMENTS = generateDocuments({ seed: 3, split: 'train', perKind: 40, foreign: 1 })
const OPTIONS = { name: 'small', source: 'test', features: 4096, passes: 10 }

test('trained twice on the same data, the file is the same bit for bit', async () => {
  const one = await trainClassifier(DOCUMENTS, OPTIONS)
  const other = await trainClassifier(DOCUMENTS, OPTIONS)
  assert.ok(one.onnx.equals(other.onnx))
  assert.deepEqual(one.card, other.card)
})

test('another seed visits the examples in another order and gives other bytes', async () => {
  const one = await trainClassifier(DOCUMENTS, OPTIONS)
  const other = await trainClassifier(DOCUMENTS, { ...OPTIONS, seed: 2 })
  assert.equal(one.onnx.equals(other.onnx), false)
})

test('the ONNX file says in onnxruntime what was measured in training', async () => {
  const { onnx, card, heldOut } = await trainClassifier(DOCUMENTS, OPTIONS)
  const model = await openModel(onnx, card.featuriser)
  const rows = await model.run(heldOut.map(({ text }) => text))
  await model.close()
  const right = rows.filter((row, at) => card.labels![row.indexOf(Math.max(...row))] === heldOut[at]!.label)
  assert.ok(Math.abs(right.length / rows.length - (card.metrics.accuracy as number)) < 0.01)
  for (const row of rows) assert.ok(Math.abs(row.reduce((sum, value) => sum + value, 0) - 1) < 1e-4)
})

test('the card passes the worker’s own check and tells data, metrics, confusion and profile', async () => {
  const { card } = await trainClassifier(DOCUMENTS, OPTIONS)
  const read = parseModelJson(JSON.stringify(card), 'model.json')
  assert.equal(read.kind, 'text-classifier')
  assert.match(card.lineage.data.sha256, /^[0-9a-f]{64}$/)
  assert.equal((card.metrics.confusion as number[][]).length, card.labels!.length)
  assert.equal(read.profile!.classes!.length, card.labels!.length)
  assert.deepEqual(
    read.profile!.features.map(({ name }) => name),
    ['text.characters', 'text.terms'],
  )
})

test('a rare class is trained on, not held out', async () => {
  const rare = { text: 'a single example of its kind', label: 'rare' }
  const { heldOut, card } = await trainClassifier([...DOCUMENTS, rare], { ...OPTIONS, heldOut: 0.5 })
  assert.ok(card.labels!.includes('rare'))
  assert.ok(heldOut.length > 0 && heldOut.every(({ label }) => label !== 'rare'))
})

test('data with one label, or with none, is refused', async () => {
  const same = DOCUMENTS.map(({ text }) => ({ text, label: 'same' }))
  await assert.rejects(trainClassifier(same, OPTIONS), { code: 'invalid_input', message: /at least two labels/ })
  await assert.rejects(trainClassifier([], OPTIONS), { code: 'invalid_input' })
})

test('an abort ends the training', async () => {
  const abort = new AbortController()
  const training = trainClassifier(DOCUMENTS, {
    ...OPTIONS,
    signal: abort.signal,
    onProgress: ({ stage, done }) => stage === 'training' && done === 2 && abort.abort(new Error('enough')),
  })
  await assert.rejects(training, /enough/)
})

test('the same population is stable, a shifted one is not', () => {
  assert.equal(populationStability([0.5, 0.5], [0.5, 0.5]), 0)
  assert.ok(populationStability([0.5, 0.5], [0.95, 0.05]) > 0.25)
  assert.ok(Number.isFinite(populationStability([1, 0], [0, 1])))
})
