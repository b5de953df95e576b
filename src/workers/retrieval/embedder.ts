// The port to whatever turns text into vectors. The worker's own is the inference worker (inference-embedder.ts).
import { TroupeError } from '../../contract/errors.ts'

export interface Embedder {
  /** Name and version: vectors of different models are never compared. */
  readonly model: string
  readonly dimension: number
  embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]>
}

/** Which embedders there are now. */
export interface Embedders {
  /** The one new vectors come from; undefined while there is none, and then only words are searched. */
  current(signal: AbortSignal): Promise<Embedder | undefined>
  /** An older model that still serves some collection, if it can still be had. */
  find(model: string, signal: AbortSignal): Promise<Embedder | undefined>
}

/** One embedder, for ever. */
export function onlyEmbedder(embedder: Embedder): Embedders {
  return {
    current: async () => embedder,
    find: async (model) => (model === embedder.model ? embedder : undefined),
  }
}

/** Searches go by words alone. */
export function noEmbedder(): Embedders {
  return { current: async () => undefined, find: async () => undefined }
}

/** Embeds and checks: a vector of the wrong length or with a NaN must never reach a store. Returns unit vectors. */
export async function embedChecked(
  embedder: Embedder,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<Float32Array[]> {
  const vectors = await embedder.embed(texts, signal)
  if (vectors.length !== texts.length) {
    throw new TroupeError('model_invalid', `${embedder.model} gave ${vectors.length} vectors for ${texts.length} texts`)
  }
  return vectors.map((vector) => unit(vector, embedder.dimension, embedder.model, 'model_invalid'))
}

/** Scaled to length 1. A zero vector stays zero: it is unlike everything, which is true of an empty text. */
export function unit(
  vector: Float32Array,
  dimension: number,
  model: string,
  code: 'model_invalid' | 'invalid_request',
): Float32Array {
  if (vector.length !== dimension) {
    throw new TroupeError(code, `a vector of length ${vector.length} where ${model} has ${dimension}`)
  }
  let sum = 0
  for (const value of vector) sum += value * value
  if (!Number.isFinite(sum)) throw new TroupeError(code, `a vector for ${model} contains NaN, infinity or huge values`)
  return sum === 0 ? vector : vector.map((value) => value / Math.sqrt(sum))
}
