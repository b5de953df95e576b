// A small embedder, made by the project's own trainer in a moment.
import { join } from 'node:path'
import { trainEmbedder } from '../../../src/training/index.ts'
import { writeModel } from '../../../src/training/registry.ts'
import type { TemporaryModels } from '../inference/support/models.ts'

const TEXTS = Array.from({ length: 40 }, (_, number) => ({
  text: `Sentence ${number} says little. It only gives the trainer ${number * 7} words to read.`,
  label: `text ${number}`,
}))

export async function putEmbedder(models: TemporaryModels, version: string, dimensions: number): Promise<void> {
  const { card, onnx } = await trainEmbedder(TEXTS, {
    name: 'embedder',
    source: 'a test',
    seed: Number(version),
    dimensions,
    hashed: 4_096,
  })
  await writeModel(join(models.folder, 'embedder', version), card, onnx)
}
