import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeOnnx } from '../../../src/training/onnx-writer.ts'
import { modelJsonSchema } from '../../../src/workers/inference/index.ts'
import { toNumbers } from '../../../src/workers/inference/tensor.ts'
import { createTextEncoder } from '../../../src/workers/inference/text-input.ts'
import { likeLengths } from '../../../src/workers/inference/text-model.ts'
import { embeddingOutput, pool } from '../../../src/workers/inference/text-output.ts'
import { numbers, TINY_FEATURISER } from './support/models.ts'
import { huggingFaceFolder, TOKENIZERS, WIDTH } from './support/transformer.ts'
import { scene } from './support/worker.ts'

function dot(one: Float32Array, other: Float32Array): number {
  return one.reduce((sum, value, index) => sum + value * other[index]!, 0)
}

test('a Hugging Face folder dropped into the repository embeds texts', async () => {
  await using stage = await scene((models) => huggingFaceFolder(join(models.folder, 'tiny')))
  const metadata = await stage.client.metadata('tiny')
  assert.equal(metadata.properties.kind, 'text-embedder')
  assert.deepEqual(metadata.inputs, [{ name: 'text', datatype: 'BYTES', shape: [-1] }])
  assert.deepEqual(metadata.outputs, [{ name: 'embedding', datatype: 'FP32', shape: [-1, WIDTH] }])
  const texts = ['The invoice is due.', 'the invoice is due', 'cats sleeping']
  const [one, other, far] = await stage.client.embed('tiny', texts)
  assert.ok(Math.abs(dot(one!, one!) - 1) < 1e-5, 'length 1')
  assert.ok(dot(one!, other!) > dot(one!, far!))
})

test('a text has the same embedding alone and beside longer ones', async () => {
  await using stage = await scene((models) => huggingFaceFolder(join(models.folder, 'tiny', '4')))
  const [alone] = await stage.client.embed('tiny', ['cats'])
  const [beside] = await stage.client.embed('tiny', ['cats', 'the payment is due soon, in the invoice.'])
  assert.ok(alone!.every((value, index) => Math.abs(value - beside![index]!) < 1e-5))
})

test('a Hugging Face classifier answers labels and probabilities', async () => {
  const labels = ['billing', 'animals', 'other']
  await using stage = await scene((models) => huggingFaceFolder(join(models.folder, 'tiny'), labels))
  const answers = await stage.client.classify('tiny', ['the invoice is due', 'cats'])
  assert.equal(answers.length, 2)
  for (const { label, score, probabilities } of answers) {
    const sum = probabilities.reduce((total, value) => total + value, 0)
    assert.ok(Math.abs(sum - 1) < 1e-5)
    assert.equal(label, labels[probabilities.indexOf(score)])
  }
})

test('empty, huge and malformed texts are answered, not crashed on', async () => {
  await using stage = await scene((models) => huggingFaceFolder(join(models.folder, 'tiny')))
  const texts = ['', ' ', 'the invoice '.repeat(100_000), '\ud800', '\0', '𝕳𝖊𝖑𝖑𝖔 🦄', 'x'.repeat(1_000_000)]
  const vectors = await stage.client.embed('tiny', texts)
  assert.equal(vectors.length, texts.length)
  for (const vector of vectors) assert.ok(vector.every(Number.isFinite))
})

test('a dense n-gram model embeds texts; one in which nothing is known is zero', async () => {
  const identity = Float32Array.from({ length: 64 }, (_, index) => (index % 9 === 0 ? 1 : 0))
  const onnx = writeOnnx({
    name: 'dense',
    inputs: [{ name: 'features', type: 'FP32', shape: ['batch', 8] }],
    outputs: [{ name: 'embedding', type: 'FP32', shape: ['batch', 8] }],
    constants: [{ name: 'w', shape: [8, 8], data: identity }],
    nodes: [{ operator: 'MatMul', inputs: ['features', 'w'], outputs: ['embedding'] }],
  })
  await using stage = await scene((models) =>
    models.put('dense', '1', onnx, { kind: 'text-embedder', featuriser: TINY_FEATURISER }),
  )
  const [some, none] = await stage.client.embed('dense', ['invoice due', ''])
  assert.ok(Math.abs(dot(some!, some!) - 1) < 1e-5)
  assert.ok(none!.every((value) => value === 0))
})

test('a sparse n-gram model classifies texts', async () => {
  const onnx = writeOnnx({
    name: 'sparse',
    inputs: [
      { name: 'indices', type: 'INT64', shape: ['batch', 'terms'] },
      { name: 'values', type: 'FP32', shape: ['batch', 'terms'] },
    ],
    outputs: [{ name: 'logits', type: 'FP32', shape: ['batch', 2] }],
    constants: [
      { name: 'w', shape: [8, 2], data: numbers(16) },
      { name: 'last', shape: [1], data: BigInt64Array.of(-1n) },
      { name: 'terms', shape: [1], data: BigInt64Array.of(1n) },
    ],
    nodes: [
      { operator: 'Gather', inputs: ['w', 'indices'], outputs: ['rows'] },
      { operator: 'Unsqueeze', inputs: ['values', 'last'], outputs: ['scales'] },
      { operator: 'Mul', inputs: ['rows', 'scales'], outputs: ['scaled'] },
      { operator: 'ReduceSum', inputs: ['scaled', 'terms'], outputs: ['logits'], attributes: { keepdims: 0 } },
    ],
  })
  await using stage = await scene((models) =>
    models.put('sparse', '1', onnx, {
      kind: 'text-classifier',
      featuriser: TINY_FEATURISER,
      labels: ['yes', 'no'],
      activation: 'softmax',
    }),
  )
  const [answer] = await stage.client.classify('sparse', ['invoice due soon'])
  assert.ok(answer?.label === 'yes' || answer?.label === 'no')
  assert.ok(answer.score >= 0.5)
})

for (const [family, expected] of [
  ['WordPiece', [2, 14, 12, 3]],
  ['BPE', [2, 8, 10, 3]],
  ['Unigram', [2, 4, 6, 3]],
] as const) {
  test(`a ${family} tokenizer gives the ids, mask and padding that a model expects`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-tokenizer-'))
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(TOKENIZERS[family]))
    const model = modelJsonSchema.parse({ kind: 'text-embedder', tokenizer: { maxTokens: 4 } })
    const encoder = createTextEncoder(folder, model, ['input_ids', 'attention_mask', 'token_type_ids'])
    const { feeds } = encoder.pad(['pays', ''].map(encoder.encode))
    assert.deepEqual(Array.from(feeds.input_ids!.values), [...expected, 2, 3, 0, 0])
    assert.deepEqual(Array.from(feeds.attention_mask!.values), [1, 1, 1, 1, 1, 1, 0, 0])
    const long = encoder.pad([encoder.encode('pays pays pays pays')]).feeds.input_ids!
    assert.deepEqual(long.shape, [1, 4])
    assert.equal(Array.from(long.values).at(-1), 3, 'a text that is cut still ends with its closing token')
    rmSync(folder, { recursive: true })
  })
}

test('pooling takes the mean, the first, the last or the largest of the tokens that are no padding', () => {
  const raw = { dims: [1, 3, 2], data: Float32Array.of(1, 2, 3, 8, 100, 100) }
  const mask = { values: Uint8Array.of(1, 1, 0), tokens: 3 }
  const pooled = (pooling: 'mean' | 'cls' | 'last' | 'max') => {
    const model = modelJsonSchema.parse({ kind: 'text-embedder', tokenizer: {}, pooling, normalise: false })
    return toNumbers(embeddingOutput(model, pool(model, raw, mask))[0]!)
  }
  assert.deepEqual(pooled('mean'), [2, 5])
  assert.deepEqual(pooled('cls'), [1, 2])
  assert.deepEqual(pooled('last'), [3, 8])
  assert.deepEqual(pooled('max'), [3, 8])
})

test('texts of like length run together, in runs of bounded size, and none is lost', () => {
  assert.deepEqual(likeLengths([3, 1, 2]), [[1, 2, 0]])
  const lengths = Array.from({ length: 100 }, (_, row) => (row % 2 === 0 ? 10 : 8_192))
  const runs = likeLengths(lengths)
  assert.deepEqual(
    runs.flat().sort((one, other) => one - other),
    lengths.map((_, row) => row),
  )
  for (const run of runs) {
    const longest = Math.max(...run.map((row) => lengths[row]!))
    assert.ok(run.length === 1 || run.length * longest <= 16_384, `${run.length} rows of ${longest}`)
  }
  assert.deepEqual(likeLengths([100_000]), [[0]])
  assert.deepEqual(likeLengths([]), [])
})
