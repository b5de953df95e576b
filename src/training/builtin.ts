// The models that ship, from texts that this project made: `troupe train --builtin` writes the same bytes every time.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type TrainedModel, type TrainingProgress, trainClassifier } from './classifier.ts'
import { COMMON_WORDS, CONCEPTS, generateDocuments } from './corpus/index.ts'
import { NO_COMPANY, trainEmbedder } from './embedder.ts'
import { writeModel } from './registry.ts'
import type { Example } from './split.ts'

export interface BuiltinOptions {
  seed?: number
  /** A fraction makes small models quickly, for tests. What ships is made with 1. */
  scale?: number
  signal?: AbortSignal
  onProgress?: (progress: TrainingProgress) => void
}

const VERSION = '1'

/** Replaces version 1 of `document-type` and `embedder`; versions of one’s own beside them are left alone. */
export async function trainBuiltinModels(repository: string, options: BuiltinOptions = {}) {
  const written: { name: string; folder: string; bytes: number }[] = []
  for (const train of [trainDocumentTypes, trainDefaultEmbedder]) {
    const { name, card, onnx } = await train(options)
    const folder = join(repository, name, VERSION)
    await rm(folder, { recursive: true, force: true })
    await writeModel(folder, card, onnx)
    written.push({ name, folder, bytes: onnx.length })
  }
  return written
}

export function trainDocumentTypes({ seed = 1, scale = 1, ...options }: BuiltinOptions): Promise<TrainedModel> {
  const documents = generateDocuments({ seed, split: 'train', perKind: Math.round(400 * scale), foreign: 2 })
  return trainClassifier(documents, {
    ...options,
    seed,
    name: 'document-type',
    description: 'Which of 14 kinds of business document a text is (English, German, Spanish), or unknown',
    source: `generateDocuments(seed ${seed}, ${documents.length} documents)`,
    features: Math.round(32_768 * scale),
    // Texts of known templates are too easy: from them the classifier would learn to be certain of everything.
    calibration: generateDocuments({
      seed,
      split: 'train',
      perKind: Math.round(60 * scale),
      foreign: 2,
      fragments: true,
    }),
  })
}

export function trainDefaultEmbedder({ seed = 1, scale = 1, ...options }: BuiltinOptions): Promise<TrainedModel> {
  return trainEmbedder(embedderTexts(seed, scale), {
    ...options,
    seed,
    name: 'embedder',
    source: `concepts and generateDocuments(seed ${seed})`,
    words: Math.round(8_192 * scale),
    hashed: Math.round(20_480 * scale),
    company: 2,
    commonWords: COMMON_WORDS,
  })
}

/** Each line of concepts is company; a document is not: an invoice is full of words that do not mean “invoice”. */
export function embedderTexts(seed: number, scale: number): Example[] {
  const concepts = CONCEPTS.map((text, index) => ({ text, label: `concept ${index}` }))
  const perKind = Math.round(100 * scale)
  const documents = generateDocuments({ seed, split: 'train', perKind, foreign: 2, noise: false })
  return [...concepts, ...documents.map(({ text }) => ({ text, label: NO_COMPANY }))]
}
