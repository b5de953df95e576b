// Chooses which n-grams a classifier knows and how much each one tells. A seen n-gram gets a row of its own, so nothing
// collides and the model is no larger than what it learnt; an n-gram of a single document cannot generalise and is left out.
import { TroupeError } from '../contract/errors.ts'
import { countNgrams, type FeaturiserConfig } from './featuriser.ts'

export interface VocabularyOptions {
  /** N-grams of fewer documents are left out. */
  fewestDocuments: number
  /** The most rows a model may have. */
  largest: number
}

export type NgramOptions = Pick<FeaturiserConfig, 'words' | 'characters' | 'digits' | 'longestText' | 'mostTerms'>

export function chooseVocabulary(
  texts: readonly string[],
  labels: Int32Array,
  classes: number,
  ngrams: NgramOptions,
  options: VocabularyOptions,
): FeaturiserConfig {
  const seen = countDocuments(texts, ngrams)
  const kept = [...seen].filter(([, documents]) => documents >= options.fewestDocuments)
  if (kept.length === 0) {
    throw new TroupeError(
      'invalid_input',
      `no n-gram occurs in ${options.fewestDocuments} of the ${texts.length} texts`,
    )
  }
  const chosen =
    kept.length <= options.largest ? kept : mostTelling(kept, texts, labels, classes, ngrams, options.largest)
  chosen.sort((a, b) => a[0] - b[0])
  const vocabulary = Uint32Array.from(chosen, ([hash]) => hash)
  const weights = Float32Array.from(chosen, ([, documents]) => Math.log((1 + texts.length) / (1 + documents)) + 1)
  return {
    kind: 'ngrams',
    version: 1,
    ...ngrams,
    size: chosen.length,
    hashed: 0,
    unseenWeight: 0,
    vocabulary: Buffer.from(vocabulary.buffer).toString('base64'),
    weights: Buffer.from(weights.buffer).toString('base64'),
  }
}

function countDocuments(texts: readonly string[], ngrams: NgramOptions): Map<number, number> {
  const seen = new Map<number, number>()
  for (const text of texts) {
    for (const counts of countNgrams(text, ngrams)) {
      for (const hash of counts.keys()) seen.set(hash, (seen.get(hash) ?? 0) + 1)
    }
  }
  return seen
}

/** Keeps the n-grams whose presence deviates most from what chance would give them in some class (chi-squared). */
function mostTelling(
  candidates: [number, number][],
  texts: readonly string[],
  labels: Int32Array,
  classes: number,
  ngrams: NgramOptions,
  largest: number,
): [number, number][] {
  const position = new Map(candidates.map(([hash], index) => [hash, index]))
  const inClass = new Uint32Array(candidates.length * classes)
  const classSize = new Float64Array(classes)
  for (const [document, text] of texts.entries()) {
    const label = labels[document]!
    classSize[label]! += 1
    for (const counts of countNgrams(text, ngrams)) {
      for (const hash of counts.keys()) {
        const index = position.get(hash)
        if (index !== undefined) inClass[index * classes + label]! += 1
      }
    }
  }
  const scored = candidates.map((candidate, index) => {
    let best = 0
    for (let label = 0; label < classes; label++) {
      const expected = (candidate[1] * classSize[label]!) / texts.length
      const difference = inClass[index * classes + label]! - expected
      if (expected > 0) best = Math.max(best, (difference * difference) / expected)
    }
    return { candidate, best }
  })
  scored.sort((a, b) => b.best - a.best || a.candidate[0] - b.candidate[0])
  return scored.slice(0, largest).map(({ candidate }) => candidate)
}
