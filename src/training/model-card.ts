// What training writes into model.json: everything the worker’s schema asks for, where the model came from and how good
// it is. Name and version are not in it: they are the folders’ names, and a second place could contradict them.
import type { Datatype, ModelJsonInput } from '../workers/inference/model-json.ts'
import type { FeaturiserConfig } from './featuriser.ts'
import type { ClassifierMetrics } from './measure.ts'
import type { TensorShape } from './onnx-writer.ts'
import type { Profile } from './profile.ts'

export interface ModelCard extends ModelJsonInput {
  kind: 'text-classifier' | 'text-embedder'
  featuriser: FeaturiserConfig & Record<string, unknown>
  sha256: string
  lineage: Lineage & Record<string, unknown>
  metrics: (ClassifierMetrics | EmbedderMetrics) & Record<string, unknown>
  profile: Profile
}

export interface Lineage {
  trainer: string
  algorithm: string
  options: Record<string, number | string | boolean>
  data: { source: string; sha256: string; examples: number; heldOut: number }
  /** The version that was live when this one was trained. */
  parent?: { version: string; sha256: string }
  promotion?: Promotion
}

export interface EmbedderMetrics {
  dimensions: number
  /** Held-out texts. */
  examples: number
  /** The share of them of which one half lies nearest to the other. */
  halvesMeet: number
}

export interface Promotion {
  /** False: worse than the live version, kept beside the versions that are served. */
  promoted: boolean
  reason: string
  score: number
  /** The same held-out examples, by the version that was live. */
  live?: { version: string; score: number }
}

/** The two tensors of sparse features that the ONNX files of this folder take. */
export const SPARSE_INPUTS: TensorShape[] = [
  { name: 'indices', type: 'INT32', shape: ['batch', 'terms'] },
  { name: 'values', type: 'FP32', shape: ['batch', 'terms'] },
]

/** What a client sends: the worker turns the texts into the two tensors. */
export const TEXT_INPUT: { name: string; datatype: Datatype; shape: number[] } = {
  name: 'text',
  datatype: 'BYTES',
  shape: [-1],
}
