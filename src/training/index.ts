// Training: text models made in this process, without Python or a GPU, written as ONNX for the inference worker.
//   classifier.ts  embedder.ts   the two trainers     builtin.ts  the models that ship
//   featuriser.ts  text to sparse vector (the worker imports it too), from tokens.ts and ngrams.ts
//   vocabulary.ts  which n-grams a classifier knows    linear.ts   the separators    calibrate.ts  honest probabilities
//   measure.ts     accuracy, F1, confusion    halves.ts  the same for embedders    profile.ts  what drift is measured against
//   split.ts       what is held out                    random.ts   seeded: same data, same seed, same bytes
//   onnx-writer.ts model-card.ts registry.ts           model.onnx, model.json, their place and their promotion
//   run-model.ts   runs a model here, to compare       table.ts    reads CSV, TSV and JSON lines
//   corpus/        the texts that the shipped models learn from
export { trainBuiltinModels, trainDefaultEmbedder, trainDocumentTypes } from './builtin.ts'
export { type ClassifierOptions, type TrainedModel, type TrainingProgress, trainClassifier } from './classifier.ts'
export { type EmbedderOptions, trainEmbedder } from './embedder.ts'
export { createFeaturiser, type Featuriser, type FeaturiserConfig } from './featuriser.ts'
export { measureClassifier } from './measure.ts'
export type { ModelCard } from './model-card.ts'
export { populationStability } from './profile.ts'
export { liveModel, type Registration, registerModel, rollBack } from './registry.ts'
export { openModel, type RunningModel } from './run-model.ts'
export type { Example } from './split.ts'
export { readTable } from './table.ts'
