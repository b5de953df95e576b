// Stands at the port in place of the inference worker: word and character n-grams, projected to unit vectors by hash.
// Deterministic, and alike texts get alike vectors; a different `salt` is a different model.
import type { Embedder } from '../../../src/workers/retrieval/embedder.ts'

export interface HashedEmbedder extends Embedder {
  /** Texts embedded so far. */
  readonly embedded: number
}

export function hashedEmbedder({ model = 'hashed', dimension = 256, salt = 1 } = {}): HashedEmbedder {
  let embedded = 0
  const embedOne = (text: string): Float32Array => {
    const vector = new Float32Array(dimension)
    for (const [feature, count] of features(text)) {
      // Each feature stands on eight places with a sign: a sparse random projection.
      let state = Math.imul(feature + 1, 0x9e3779b1) ^ Math.imul(salt, 0x85ebca6b)
      for (let place = 0; place < 8; place++) {
        state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + place
        state ^= state >>> 13
        vector[(state >>> 1) % dimension]! += (state & 1) === 0 ? count : -count
      }
    }
    return vector
  }
  return {
    model,
    dimension,
    get embedded() {
      return embedded
    },
    async embed(texts, signal) {
      signal.throwIfAborted()
      embedded += texts.length
      return texts.map(embedOne)
    },
  }
}

/** Words and their runs of four characters, by hash, with the root of how often they occur. */
function features(text: string): Map<number, number> {
  const counts = new Map<number, number>()
  const add = (feature: string): void => {
    let hash = 0x811c9dc5
    for (let at = 0; at < feature.length; at++) hash = Math.imul(hash ^ feature.charCodeAt(at), 0x01000193)
    counts.set(hash, (counts.get(hash) ?? 0) + 1)
  }
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
    add(word)
    for (let at = 0; at + 4 <= word.length; at++) add(word.slice(at, at + 4))
  }
  return new Map(Array.from(counts, ([feature, count]) => [feature, Math.sqrt(count)]))
}
