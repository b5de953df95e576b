// Stands at the port in place of the inference worker: word and character n-grams, projected to unit vectors by hash.
// Deterministic, and alike texts get alike vectors; a different `salt` is a different model.
import { createFeaturiser } from '../../../src/training/featuriser.ts'
import type { Embedder } from '../../../src/workers/retrieval/embedder.ts'

const featuriser = createFeaturiser({
  kind: 'ngrams',
  version: 1,
  words: { shortest: 1, longest: 1 },
  characters: { shortest: 3, longest: 4 },
  digits: 'keep',
  size: 1 << 18,
  longestText: 20_000,
  mostTerms: 2_000,
})

export interface HashedEmbedder extends Embedder {
  /** Texts embedded so far. */
  readonly embedded: number
}

export function hashedEmbedder({ model = 'hashed', dimension = 256, salt = 1 } = {}): HashedEmbedder {
  let embedded = 0
  const embedOne = (text: string): Float32Array => {
    const vector = new Float32Array(dimension)
    const { indices, values } = featuriser.sparse(text)
    for (let at = 0; at < indices.length; at++) {
      // Each feature stands on eight places with a sign: a sparse random projection.
      let state = Math.imul(indices[at]! + 1, 0x9e3779b1) ^ Math.imul(salt, 0x85ebca6b)
      for (let place = 0; place < 8; place++) {
        state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + place
        state ^= state >>> 13
        vector[(state >>> 1) % dimension]! += (state & 1) === 0 ? values[at]! : -values[at]!
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
