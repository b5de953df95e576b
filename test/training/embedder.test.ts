import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { embedderTexts, trainDefaultEmbedder } from '../../src/training/builtin.ts'
import { trainEmbedder } from '../../src/training/embedder.ts'
import { halves } from '../../src/training/halves.ts'
import { openModel, type RunningModel } from '../../src/training/run-model.ts'
import { parseModelJson } from '../../src/workers/inference/model-json.ts'

let model: RunningModel
before(async () => {
  const { onnx, card } = await trainDefaultEmbedder({ scale: 0.3 })
  parseModelJson(JSON.stringify(card), 'model.json')
  model = await openModel(onnx, card.featuriser)
})
after(() => model.close())

async function likeness(one: string, other: string): Promise<number> {
  const [a, b] = await model.run([one, other])
  return a!.reduce((sum, value, index) => sum + value * b![index]!, 0)
}

test('a vector has 256 numbers and length 1', async () => {
  const [vector] = await model.run(['a purchase of steel brackets'])
  assert.equal(vector!.length, 256)
  assert.ok(Math.abs(Math.hypot(...vector!) - 1) < 1e-4)
})

test('a text of nothing is a vector of zeros, never NaN', async () => {
  assert.deepEqual(await model.run(['', '   ']), [new Float32Array(256), new Float32Array(256)])
})

test('a text lies nearer to its paraphrase than to a stranger', async () => {
  const question = 'Which mutations cause carotid thickening?'
  const near = await likeness(question, 'A mutation was found to cause thickening of the carotid wall.')
  assert.ok(near > (await likeness(question, 'The committee approved the budget for the new school.')) + 0.2)
})

test('words that mean the same lie near each other across languages', async () => {
  assert.ok((await likeness('invoice', 'Rechnung')) > (await likeness('invoice', 'Wald')) + 0.1)
  assert.ok(
    (await likeness('hospital patient', 'Krankenhaus Patienten')) >
      (await likeness('hospital patient', 'Fluss und Brücke')),
  )
})

test('the same texts and seed give the same bytes', async () => {
  const options = { name: 'twice', source: 'test', words: 500, hashed: 500 }
  const [one, other] = [
    await trainEmbedder(embedderTexts(1, 0.05), options),
    await trainEmbedder(embedderTexts(1, 0.05), options),
  ]
  assert.ok(one.onnx.equals(other.onnx))
  assert.deepEqual(one.card, other.card)
})

test('halves take every other sentence; a short text has none', () => {
  assert.equal(halves('too short'), null)
  assert.deepEqual(halves('The first sentence is here. Then comes the second one. The third ends it all.'), [
    'The first sentence is here. The third ends it all.',
    'Then comes the second one.',
  ])
})

test('a corpus of one text is refused', async () => {
  await assert.rejects(trainEmbedder([{ text: 'alone', label: '0' }], { name: 'x', source: 'y' }), {
    code: 'invalid_input',
  })
})
