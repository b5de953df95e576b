// A text embedder that the tests build themselves: n-gram features times a seeded random table.
import { writeOnnx } from '../../../src/training/onnx-writer.ts'
import { seededRandom } from '../../../src/training/random.ts'
import type { ModelJsonInput } from '../../../src/workers/inference/index.ts'
import type { TemporaryModels } from '../inference/support/models.ts'

const FEATURES = 4_096

export function putEmbedder(models: TemporaryModels, version: string, dimension: number): void {
  const random = seededRandom(Number(version))
  const table = Float32Array.from({ length: FEATURES * dimension }, () => random.next() - 0.5)
  const onnx = writeOnnx({
    name: 'embedder',
    inputs: [{ name: 'features', type: 'FP32', shape: ['batch', FEATURES] }],
    outputs: [{ name: 'embedding', type: 'FP32', shape: ['batch', dimension] }],
    constants: [{ name: 'table', shape: [FEATURES, dimension], data: table }],
    nodes: [{ operator: 'MatMul', inputs: ['features', 'table'], outputs: ['embedding'] }],
  })
  const json: ModelJsonInput = {
    kind: 'text-embedder',
    pooling: 'none',
    normalise: true,
    featuriser: {
      kind: 'ngrams',
      version: 1,
      words: { shortest: 1, longest: 1 },
      characters: { shortest: 3, longest: 4 },
      digits: 'keep',
      size: FEATURES,
      longestText: 20_000,
      mostTerms: 2_000,
    },
  }
  models.put('embedder', version, onnx, json)
}
